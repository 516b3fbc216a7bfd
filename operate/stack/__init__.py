"""A deployed stack: its outputs, clients with the operator's credentials, its archive, its log lines.

It may import terminal and errors alone. Start with ``stack``.
"""
