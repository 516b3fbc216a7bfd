"""Repeats the events of archived files.

It may import stack, terminal and errors. Start with ``replay``.
"""
