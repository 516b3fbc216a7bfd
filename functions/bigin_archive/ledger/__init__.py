"""The table with the state of each attachment, and the API credits used. S3 decides what is archived.

It may import aws, bigin's values and storage's. Start with ``ledger``.
"""
