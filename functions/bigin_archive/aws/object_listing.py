"""S3's lists of objects and of versions, read from XML. Pure; both raise ValueError where it is no such list."""

from typing import Any
from urllib.parse import unquote_plus
from xml.etree import ElementTree

from bigin_archive.aws import page_parser

# Keys come encoded, because they may hold characters that XML cannot.
ENCODED = {"encoding-type": "url"}
_KEYS = ("Key", "NextKeyMarker")


def sizes(body: bytes) -> dict[str, int]:
    """Key and size in bytes of each object, from a ListObjectsV2."""
    listing = _xml(body)
    if not listing.tag.endswith("ListBucketResult"):
        raise ValueError("no list of objects")
    return {unquote_plus(_text(found, "Key")): int(_text(found, "Size")) for found in listing.iterfind("{*}Contents")}


def versions(body: bytes) -> dict[str, Any]:
    """A ListObjectVersions as boto3's clients return it, as far as an audit needs it."""
    try:
        listing = page_parser.versions(body)
    except (ElementTree.ParseError, KeyError):
        raise ValueError("no list of versions") from None
    for entry in (listing, *listing.get("Versions", []), *listing.get("DeleteMarkers", [])):
        entry.update({name: unquote_plus(entry[name]) for name in _KEYS if name in entry})
    return listing


def _xml(body: bytes) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(body)  # noqa: S314 - it came from S3 by TLS
    except ElementTree.ParseError:
        raise ValueError("no XML") from None


def _text(element: ElementTree.Element, name: str) -> str:
    found = element.findtext(f"{{*}}{name}")
    if not found:
        raise ValueError(f"no {name}")
    return found
