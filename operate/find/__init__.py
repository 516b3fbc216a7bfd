"""Finds attachments by their names, in the search index on this machine, or else in the ledger.

It may import stack, terminal and errors. Start with ``lookup``.
"""
