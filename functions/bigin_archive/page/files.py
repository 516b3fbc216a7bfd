"""The page: three files without any data in them, and the policy that limits what a browser may do with them."""

import hashlib
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files

_FOLDER = files(__package__)


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file, ready to be served."""

    content: str
    content_type: str

    @property
    def etag(self) -> str:
        """Changes with the content."""
        return f'"{hashlib.sha256(self.content.encode()).hexdigest()[:32]}"'


def html(sign_in_url: str = "", client_id: str = "") -> PageFile:
    """The page. With both values it signs in there; without them it takes its key from the address's fragment."""
    given = f'data-sign-in="{escape(sign_in_url)}" data-client="{escape(client_id)}"'
    return PageFile(
        read("console.html").replace('data-sign-in="" data-client=""', given, 1), "text/html; charset=utf-8"
    )


def script() -> PageFile:
    """The script: the part shared with ``find.html``, then its own."""
    return PageFile(f"{read('view.js')}\n{read('console.js')}", "text/javascript; charset=utf-8")


def style() -> PageFile:
    """The style sheet."""
    return PageFile(read("app.css"), "text/css; charset=utf-8")


def policy(sign_in_url: str = "") -> str:
    """The Content-Security-Policy: own files only, no markup from strings, and no other host but the sign-in."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src data:",
            f"connect-src 'self' {sign_in_url}".rstrip(),
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


@cache
def read(name: str) -> str:
    """A file of this folder."""
    return _FOLDER.joinpath(name).read_text(encoding="utf-8")
