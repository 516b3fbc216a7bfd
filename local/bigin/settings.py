"""The switches of the simulator, with the values a fresh Bigin account would have.

Every switch stands for a behaviour that is documented in two ways, or not at all.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

DEFAULT_TOKEN_LIFETIME_S = 3600  # "Self client: refresh token usage": an access token lives an hour


@dataclass(slots=True)
class Settings:
    """What the simulator does where Bigin's own behaviour varies or is unknown."""

    concurrency_limit: int = 10  # "API limits": 10 simultaneous calls; 5 in the free edition
    daily_credits: int | None = None  # credits until the counter is reset; None = endless
    rate_limit_code: str = "TOO_MANY_REQUESTS"
    scope_mismatch_status: int | None = None  # a status makes every attachment call fail
    fields_required: bool = True
    fields_refused: bool = False  # two clients of Bigin's lists leave `fields` out
    size_as_string: bool = True
    size_key: str = "Size"  # "$size" as one client provides for
    no_bigin: str | None = None  # an account without Bigin: "html" or "scope", in answer to every call
    empty_list: str = "204"
    listing_framing: str = "chunked"
    gzip_lists: bool = False  # only for clients that accept it
    module_attachments: str = "off"  # GET /bigin/v2/Attachments
    api_domain: str | None = None  # None = the simulator's own address
    token_lifetime_s: float = DEFAULT_TOKEN_LIFETIME_S  # of tokens handed out from now on
    mint_limit: int | None = 10  # access tokens per refresh token in 10 minutes; None = endless
    page_token_lifetime_s: float = 24 * 3600
    pages_begin_behind: str = "entry"  # or "place", which moves when others come or go; Bigin does not say which
    channel_lifetime_s: float | None = None  # the lifetime of channels, whatever they asked for; None = as asked
    attaching_edits: bool = True  # whether an added attachment is announced as an edit of its record
    upload_limit_bytes: int = 20 * 1024 * 1024  # of one file; a Bigin client and "Upload files" say 20 MB
    upload_limit_status: int = 413  # 413, 415 or 400, by page of the platform's specification
    upload_limit_code: str = "FILE_SIZE_MORE_THAN_ALLOWED_SIZE"
    upload_status: int = 200  # of a success; a client expects 201
    refused_extensions: str = "exe"  # apart by commas
    empty_uploads: bool = True  # whether files of 0 bytes are taken: unknown
    storage_bytes: int | None = None  # file storage of the account; None = endless
    access_outlives_refresh: bool = False  # a revoked refresh token leaves its access tokens; Zoho says it does not
    latency_s: float = 0.0  # before every API answer
    bytes_per_second: int | None = None  # of every API answer's body; None = unlimited

    def as_json(self) -> dict[str, Any]:
        """Return every switch by name."""
        return asdict(self)

    def patch(self, changes: Mapping[str, Any]) -> None:
        """Change the named switches, or none of them.

        Raises:
            ValueError: a name is unknown or a value is not possible for it.
        """
        for name, value in changes.items():
            if name not in _POSSIBLE:
                raise ValueError(f"unknown setting {name!r}; known: {', '.join(sorted(_POSSIBLE))}")
            if not _POSSIBLE[name](value):
                raise ValueError(f"setting {name!r} cannot be {value!r}")
        for name, value in changes.items():
            setattr(self, name, value)


def _number(value: object, least: float = 0) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= least


def _count(value: object, least: int = 0) -> bool:
    return _number(value, least) and isinstance(value, int)


def _or_none(check: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or check(value)


def _one_of(*values: object) -> Callable[[object], bool]:
    return lambda value: any(value is known or value == known for known in values)


def _flag(value: object) -> bool:
    return isinstance(value, bool)


_POSSIBLE: dict[str, Callable[[object], bool]] = {
    "concurrency_limit": _count,
    "daily_credits": _or_none(_count),
    "rate_limit_code": _one_of("TOO_MANY_REQUESTS", "RATE_LIMIT_EXCEEDED"),
    "scope_mismatch_status": _one_of(None, 401, 403),
    "fields_required": _flag,
    "fields_refused": _flag,
    "size_as_string": _flag,
    "size_key": _one_of("Size", "$size"),
    "no_bigin": _one_of(None, "html", "scope"),
    "empty_list": _one_of("204", "data"),
    "listing_framing": _one_of("chunked", "content-length"),
    "gzip_lists": _flag,
    "module_attachments": _one_of("off", "on", "204"),
    "api_domain": _or_none(lambda value: isinstance(value, str)),
    "token_lifetime_s": _number,
    "mint_limit": _or_none(_count),
    "page_token_lifetime_s": _number,
    "pages_begin_behind": lambda value: value in ("entry", "place"),
    "channel_lifetime_s": _or_none(_number),
    "attaching_edits": _flag,
    "upload_limit_bytes": _count,
    "upload_limit_status": _one_of(400, 413, 415),
    "upload_limit_code": _one_of("FILE_SIZE_MORE_THAN_ALLOWED_SIZE", "BODY_SIZE_REACHED"),
    "upload_status": _one_of(200, 201),
    "refused_extensions": lambda value: isinstance(value, str),
    "empty_uploads": _flag,
    "storage_bytes": _or_none(_count),
    "access_outlives_refresh": _flag,
    "latency_s": _number,
    "bytes_per_second": _or_none(lambda value: _count(value, least=1)),
}
