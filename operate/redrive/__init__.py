"""Dead letters: reading them with their reasons, and sending them back.

It may import stack, terminal and errors. Start with ``redrive``.
"""
