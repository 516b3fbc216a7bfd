"""A deployed stack: its outputs, clients with the operator's credentials, its archive, its log.

It may import only terminal and errors. Start with ``stack``.
"""
