"""What only a connected Bigin account can tell, by reads alone: lists, sizes, headers, limits, fields that hold files.

It may import ``connect``, ``selftest`` and ``stack``. Start with ``account_probe``.
"""
