"""Checks what commonly goes wrong: the AWS account, the stack, the connection to Bigin.

It may import every feature's package. Start with ``stack``.
"""
