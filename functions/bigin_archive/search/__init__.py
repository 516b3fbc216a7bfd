"""Search: finds the attachments that hold every word of a query. `find`, the console and ``find.html`` share it.

``folding`` says which letters count as the same, ``search_index`` holds the table that each audit writes, ``query`` is
the search itself. It may import only the root's values. Start with ``query``.
"""
