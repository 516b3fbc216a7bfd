"""The sweep on the operator's machine: starts it, follows it, estimates it, and shows its state.

It may import stack, terminal and errors. Start with ``status``.
"""
