"""Bigin's notification channels: shows and renews them.

It may import stack, terminal and errors. Start with ``channels``.
"""
