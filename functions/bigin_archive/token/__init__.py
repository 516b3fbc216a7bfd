"""The access token: read by everyone who calls Bigin, renewed by the one function that may.

It may import aws and the root's values. Start with ``access_token``.
"""
