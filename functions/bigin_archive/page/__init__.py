"""The page for people: markup, style and script, without a build step and without a dependency.

``files`` puts them together for the console. ``find_page`` makes ``find.html`` of them, which searches a copy of the
archive without any server. Both pages share ``view.js``; ``search.js`` follows the same rules as ``search.folding``. It
may import only the root's values. Start with ``files``.
"""
