"""Finds attachments by their names, in the search index on this machine or in the ledger, and fetches their files.

It may import stack, local_files, terminal and errors. Start with ``lookup`` to find, ``download`` to fetch.
"""
