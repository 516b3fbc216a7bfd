"""The proof: Bigin's lists, the ledger and S3 compared, every difference named, the report and the index written.

It may import bigin's values, the ledger and storage. Start with ``auditor``, then ``comparison``.
"""
