"""The emergency stop: what takes requests and what runs by the clock is switched off, and on again.

It may import stack, terminal and errors. Start with ``switches``.
"""
