"""The proof: compares Bigin's lists, the ledger and S3, names every difference, writes the report and the index.

It may import bigin's values, the ledger and storage. Start with ``auditor``, then ``comparison``.
"""
