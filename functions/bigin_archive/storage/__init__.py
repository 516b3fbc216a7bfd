"""The archive in S3: keys, names, metadata, the one conditional write, and reading it back.

It may import aws and bigin's response bodies and links. Start with ``object_store``, then ``object_attributes``.
"""
