"""The sweep: it finds every attachment of the account, queues what is not archived, and ends with an audit.

It may import every use case but the API. Start with ``sweep``, then ``discovery``.
"""
