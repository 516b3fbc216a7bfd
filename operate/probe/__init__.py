"""What only a connected Bigin account can show: lists, sizes, headers, limits, fields that hold files. Only reads.

It may import ``connect``, ``selftest`` and ``stack``. Start with ``account_probe``.
"""
