"""The console on the operator's own machine, and the users of the deployed one.

It may import stack, terminal and errors. Start with ``server``.
"""
