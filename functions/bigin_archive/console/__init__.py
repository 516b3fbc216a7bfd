"""The console: a page to search the archive and download from it, and the JSON API behind it.

``routes`` answers events of API Gateway, from the deployed console or from ``bigin-archive console`` on a person's own
machine. It reads the ledger, the search index and the audit's report, and signs links. It changes only its count of
links. It may import everything below. Start with ``routes``.
"""
