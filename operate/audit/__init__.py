"""The audit from the operator's side: Bigin listed now, the ledger rebuilt or mended, the result on the terminal.

It may import stack, terminal and errors. Start with ``bigin_listing``.
"""
