"""Callers without AWS credentials: their keys and rights, their limits, and the route that answers them.

A key is 256 random bits, of which only the SHA-256 is kept. The operator alone writes the table of keys; the functions
read it. It may import everything but wiring. Start with ``caller_key``, then ``caller_endpoint``.
"""
