"""The keys of callers: made, listed and ended by the person who runs the stack.

It may import stack, terminal and errors. Start with ``keys``.
"""
