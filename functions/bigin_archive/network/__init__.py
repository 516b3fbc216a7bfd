"""HTTP over sockets: requests' session for Bigin, kept connections to AWS, and a watchdog that ends slow calls.

It may import only the root's values. Start with ``transport``.
"""
