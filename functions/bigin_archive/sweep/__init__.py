"""The sweep: finds every attachment of the account, queues what is not archived, and ends with an audit.

It may import every package but api, callers and console. Start with ``sweep``, then ``discovery``.
"""
