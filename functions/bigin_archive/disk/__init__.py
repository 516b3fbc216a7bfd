"""What memory does not hold, in files of one folder: rows that are sorted, and files that are written in parts.

It may import nothing of the application. Start with ``sorted_rows``.
"""
