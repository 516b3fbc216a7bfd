"""The page for people: markup, style and script as they are served, without a build step and without a dependency.

``files`` puts them together for the console; ``find_page`` makes ``find.html`` of them, which searches a copy of the
archive without any server. It may import root values alone. ``view.js`` is what both pages share, ``search.js`` the
twin of ``search.folding``. Start with ``files``.
"""
