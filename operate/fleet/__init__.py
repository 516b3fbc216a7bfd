"""Many stacks at one look: where they are, how each does, and which needs somebody.

It may import doctor, connect, stack and errors. Start with ``overview``.
"""
