"""Bigin's API: calls, downloads, lists, notification channels, and the meaning of its answers.

It may import the token and the root's values. Start with ``client``, then ``classify``.
"""
