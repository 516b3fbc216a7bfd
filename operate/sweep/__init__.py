"""The sweep from the operator's side: begin it, follow it, estimate it, tell where it stands.

It may import stack, terminal and errors. Start with ``status``.
"""
