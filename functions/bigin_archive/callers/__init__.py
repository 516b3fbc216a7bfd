"""Callers without AWS credentials: their keys and rights, their limits, and the route that answers them.

A key is 256 random bits, and only its SHA-256 is kept. The operator writes the table of keys; the functions only read
it. It may import everything but wiring. Start with ``caller_key``, then ``caller_endpoint``.
"""
