"""Events that are announced again.

It may import stack, terminal and errors. Start with ``replay``.
"""
