"""The queues: archive requests with what is known of them, and whole records that wait for their attachments.

It may import aws and the root's values. Start with ``archive_queue``.
"""
