"""The access token: every function that calls Bigin reads it, and one function renews it.

It may import aws and the root's values. Start with ``access_token``.
"""
