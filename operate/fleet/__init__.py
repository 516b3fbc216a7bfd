"""Many stacks at a glance: where they are, how each one is, and which need attention.

It may import doctor, connect, stack and errors. Start with ``overview``.
"""
