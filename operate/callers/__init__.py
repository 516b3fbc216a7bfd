"""Callers' keys, as whoever runs the stack makes, lists and ends them.

It may import stack, terminal and errors. Start with ``keys``.
"""
