"""The console on the operator's own machine, and the users of the deployed one.

It may import the stack and what all commands share. Start with ``server``.
"""
