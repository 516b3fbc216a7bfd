"""The API of Bigin: calls, downloads, lists, notification channels, and what its answers mean.

It may import the token and the root's values. Start with ``client``, then ``classify``.
"""
