"""The audit on the operator's machine: lists Bigin, repairs or rebuilds the ledger, prints the result.

It may import stack, terminal and errors. Start with ``bigin_listing``.
"""
