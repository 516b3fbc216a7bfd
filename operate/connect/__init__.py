"""Connects a stack to Bigin: the wizard, the check of a stored connection, Zoho's consoles and scopes.

It may import stack, terminal and errors. Start with ``wizard``.
"""
