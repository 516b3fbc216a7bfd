"""Search: which attachments hold every word of a query. One rule for `find`, the console and ``find.html``.

``folding`` says what counts as the same letter, ``search_index`` holds the table that each audit writes, ``query`` is
what is looked for, ``find_page`` makes the page that searches a copy of the archive without any server.
It may import root values alone. Start with ``query``.
"""
