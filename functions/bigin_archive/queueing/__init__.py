"""The queues: archive requests with their hints, and whole records that wait for their attachments to be listed.

It may import aws and the root's values. Start with ``archive_queue``.
"""
