"""What an archived attachment looks like in S3: key, metadata and headers. Pure.

Limits: keys 1,024 bytes, user metadata 2 KB, request headers 8 KB (S3 User Guide, "Naming Amazon S3 objects" and
"Working with object metadata").
"""

import base64
import mimetypes
import re
from dataclasses import dataclass
from urllib.parse import quote

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.storage import file_names

MAX_KEY_BYTES = 1024
MAX_METADATA_BYTES = 2048  # names and values
_MAX_PLAIN_NAME_BYTES = 1500  # a longer name is sent as an encoded word, which is shorter for most scripts
# The three ids and all metadata names take at most 168 of S3's 2,048 bytes.
_MAX_ENCODED_NAME_BYTES = 1400  # as base64 1,868 bytes, with the brackets of the encoded word 1,880
_ATTR_CHARS = "!#$&+-.^_`|~"  # RFC 8187, attr-char, besides letters and digits
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,100}/[A-Za-z0-9!#$&^_.+-]{1,100}")
_DEFAULT_TYPE = "application/octet-stream"
_OFFICE = "application/vnd.openxmlformats-officedocument"
# IANA media types that Python's own table lacks, or has otherwise, in some versions from 3.11 to 3.14.
_TYPES = {
    ".docx": f"{_OFFICE}.wordprocessingml.document",
    ".xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    ".pptx": f"{_OFFICE}.presentationml.presentation",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odp": "application/vnd.oasis.opendocument.presentation",
    ".odg": "application/vnd.oasis.opendocument.graphics",
    ".msg": "application/vnd.ms-outlook",
    ".eml": "message/rfc822",
    ".md": "text/markdown",
    ".webp": "image/webp",
    ".heic": "image/heic",
    ".gz": "application/gzip",
    ".tgz": "application/gzip",
    ".7z": "application/x-7z-compressed",
    ".rtf": "application/rtf",
    ".rar": "application/vnd.rar",
    ".ics": "text/calendar",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".sql": "application/sql",
    ".epub": "application/epub+zip",
    ".ogg": "audio/ogg",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".mkv": "video/matroska",
    ".psd": "image/vnd.adobe.photoshop",
    ".dwg": "image/vnd.dwg",
    ".dxf": "image/vnd.dxf",
}

# Python's own table: with /etc/mime.types the result would depend on the machine.
_BY_EXTENSION = mimetypes.MimeTypes(filenames=())


@dataclass(frozen=True, slots=True)
class ObjectAttributes:
    """The key of an attachment in S3, and the headers of its object."""

    key: str
    file_name: str
    content_type: str
    content_disposition: str
    metadata: dict[str, str]


def folder(prefix: str, request: ArchiveRequest) -> str:
    """All keys of one attachment begin with this."""
    return f"{prefix}{request.place}/"


def describe(
    prefix: str, request: ArchiveRequest, disposition: str | None, content_type: str | None
) -> ObjectAttributes:
    """Key and headers for the attachment that ``request`` names, from the headers of Bigin's answer."""
    original = file_names.from_content_disposition(disposition)
    parent = folder(prefix, request)
    name = file_names.safe(original, MAX_KEY_BYTES - len(parent.encode()))
    metadata = {
        "bigin-module": request.module,
        "bigin-record-id": request.record_id,
        "bigin-attachment-id": str(request.attachment_id),
    }
    if original:
        metadata["file-name"] = _header_text(original)
    return ObjectAttributes(
        key=parent + name,
        file_name=name,
        content_type=_media_type(content_type, name),
        content_disposition=_disposition(name),
        metadata=metadata,
    )


def _header_text(name: str) -> str:
    plain = quote(name, safe=_ATTR_CHARS)
    if len(plain) <= _MAX_PLAIN_NAME_BYTES:
        return plain
    fitting = file_names.shortened(name, _MAX_ENCODED_NAME_BYTES)
    return f"=?UTF-8?B?{base64.b64encode(fitting.encode()).decode()}?="


def _disposition(name: str) -> str:
    # Some browsers decode a percent sign in the plain form.
    if re.fullmatch(r"[ !#$&-\[\]-~]+", name):
        return f'attachment; filename="{name}"'
    return f"attachment; filename*=UTF-8''{quote(name, safe=_ATTR_CHARS)}"


def _media_type(header: str | None, name: str) -> str:
    """Bigin's type, without the charset that it adds to binary types; else the type of the extension."""
    # A header that was sent twice arrives joined by a comma. With two types, none counts.
    types = set(re.split(r"\s*,\s*(?=[!-+.-:<-~]+/)", (header or "").strip()))
    media, *parameters = (types.pop() if len(types) == 1 else "").split(";")
    if _MEDIA_TYPE.fullmatch(media.rstrip()):
        if not media.lower().startswith("text/"):
            parameters = [p for p in parameters if not p.strip().lower().startswith("charset")]
        kept = [p for p in parameters if re.fullmatch(r" ?[!-~]{1,100}=[ -~]{1,100}", p)]
        return ";".join([media.rstrip(), *kept[:3]])
    _, dot, extension = name.rpartition(".")
    suffix = f".{extension.lower()}" if dot else ""
    return _TYPES.get(suffix) or _BY_EXTENSION.types_map[True].get(suffix) or _DEFAULT_TYPE
