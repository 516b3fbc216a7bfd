"""Link attachments as Internet shortcuts: small files that a desktop opens in the browser. Pure.

A link is never followed and never downloaded: its target is not in Bigin.
"""

import re
from urllib.parse import quote

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.bigin.listing import Link
from bigin_archive.storage import file_names, object_attributes
from bigin_archive.storage.archived_object import KIND, LINK_KIND, SHORTCUT_TYPE
from bigin_archive.storage.object_attributes import ObjectAttributes

_MAX_METADATA_URL_BYTES = 400
_MAX_TITLE_BYTES = 1100  # more than Bigin's 255 characters take, and beside the ids S3's metadata have room for it
# A shortcut to another scheme (file:, javascript:) would act with the rights of the person who opens it.
_OPENED = re.compile(r"https?://", re.IGNORECASE)
_URL_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"  # RFC 3986: reserved characters, and the percent sign of encoded ones


def shortcut(prefix: str, request: ArchiveRequest, link: Link) -> tuple[ObjectAttributes, bytes]:
    """The object for a link: ``{title}.url``, whose text holds the address.

    An address that is neither http nor https is kept as text that no desktop opens.
    """
    url = quote(link.url, safe=_URL_CHARACTERS)  # no line break can add a line to the file
    line = f"URL={url}" if _OPENED.match(url) else f"; not opened: {url}"
    title = file_names.shortened(link.title or "link", _MAX_TITLE_BYTES)
    name = quote(f"{title}.url", safe="")
    attributes = object_attributes.describe(prefix, request, f"attachment; filename*=UTF-8''{name}", SHORTCUT_TYPE)
    taken = sum(len(key) + len(text) for key, text in attributes.metadata.items())
    room = object_attributes.MAX_METADATA_BYTES - taken - len("link-url")
    if len(url) <= min(room, _MAX_METADATA_URL_BYTES):
        attributes.metadata["link-url"] = url
    else:
        attributes.metadata[KIND] = LINK_KIND
    return attributes, f"[InternetShortcut]\r\n{line}\r\n".encode()
