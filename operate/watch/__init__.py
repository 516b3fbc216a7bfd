"""Bigin's notification channels, shown and renewed.

It may import stack, terminal and errors. Start with ``channels``.
"""
