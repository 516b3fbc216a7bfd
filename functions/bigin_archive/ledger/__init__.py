"""The table of what was seen and what became of it, and of the API credits used. S3 stays the truth.

It may import aws, bigin's values and storage's. Start with ``ledger``.
"""
