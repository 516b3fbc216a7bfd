"""Finding attachments by their names: the search index, kept on this machine, and the ledger where that knows nothing.

It may import the stack and what all commands share. Start with ``lookup``.
"""
