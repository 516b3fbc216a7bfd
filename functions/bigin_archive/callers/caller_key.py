"""A caller's key: ``bak_``, an id of 12 letters and digits, ``_``, and 43 characters of 256 random bits. Pure.

The id names the key in logs and in the table. Scanners of leaked secrets can find keys of this form.
"""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field

_ID_BYTES, _SECRET_BYTES = 6, 32
_KEY = re.compile(r"bak_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
_BEARER = re.compile(r"bearer +([!-~]{1,200}) *", re.IGNORECASE)  # RFC 6750, 2.1; a scheme has no case


@dataclass(frozen=True, slots=True)
class CallerKey:
    """A well-formed key, which may or may not exist."""

    key_id: str
    text: str = field(repr=False)

    @property
    def sha256(self) -> str:
        """The stored hash, in hex. A random key needs no slow hash, because it cannot be guessed."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def new(random_bytes: Callable[[int], bytes]) -> CallerKey:
    """A new key from a source of randomness such as ``secrets.token_bytes``."""
    key_id = random_bytes(_ID_BYTES).hex()
    secret = base64.urlsafe_b64encode(random_bytes(_SECRET_BYTES)).decode().rstrip("=")
    return CallerKey(key_id, f"bak_{key_id}_{secret}")


def parse(text: str) -> CallerKey | None:
    """Read a key; None for a text of another form."""
    match = _KEY.fullmatch(text)
    return CallerKey(match[1], text) if match else None


def presented(authorization: str | None) -> CallerKey | None:
    """The key in an Authorization header ``Bearer KEY``; None if there is none."""
    match = _BEARER.fullmatch(authorization or "")
    return parse(match[1]) if match else None
