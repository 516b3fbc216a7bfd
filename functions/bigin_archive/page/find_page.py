"""``find.html`` and ``find.js``: search a copy of the archive, opened from disk, without any server. Pure.

A page that was opened from disk may fetch nothing, so the lines of the search index come as a script. It needs only a
browser, today and in ten years.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from itertools import islice

from bigin_archive.page import files

HTML_PATH, SCRIPT_PATH = "_index/find.html", "_index/find.js"
HTML_TYPE, SCRIPT_TYPE = "text/html; charset=utf-8", "text/javascript; charset=utf-8"
_LINES = 2000  # lines in one string: a browser reads many short strings faster than a long one


def html() -> str:
    """The page. Its style is inside, and its policy allows nothing from elsewhere."""
    style = files.read("app.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'self' file:; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    return (
        files.read("console.html")
        .replace(
            '<meta name="viewport"',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
            '<meta name="referrer" content="no-referrer">\n<meta name="viewport"',
            1,
        )
        .replace('<link rel="stylesheet" href="console/app.css">', f"<style>{style}</style>", 1)
        .replace('<script type="module" src="console/app.js">', '<script defer src="find.js">', 1)
    )


def script(lines: Iterable[str], as_of: str) -> Iterator[str]:
    """The script, in pieces: the lines of the search index, then the search."""
    yield f'"use strict";\nconst DATA = {{"as_of": {json.dumps(as_of)}, "lines": ['
    rows = iter(lines)
    while some := list(islice(rows, _LINES)):
        yield f"\n{json.dumps(chr(10).join(some), ensure_ascii=False)},"
    yield "\n]};\n"
    for name in ("view.js", "search.js", "find.js"):
        yield f"{files.read(name)}\n"
