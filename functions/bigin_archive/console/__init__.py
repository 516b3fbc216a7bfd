"""The console: a page on which people search the archive and download from it, and the JSON API behind it.

``routes`` answers events of API Gateway, whichever door they come through: the function of the deployed console, or
``bigin-archive console`` on a person's own machine. It reads the ledger, the search index, the audit's report, and
signs links; it changes nothing but its count of links. It may import everything below. Start with ``routes``.
"""
