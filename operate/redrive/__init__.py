"""Dead letters: shows them with their reasons, and sends them back.

It may import stack, terminal and errors. Start with ``redrive``.
"""
