"""What goes wrong in practice, looked at: the AWS account, the stack, the connection to Bigin.

It may import every feature's package. Start with ``findings``.
"""
