"""A size that is not the one that Bigin lists: an old listing, an incomplete download, or a conflict. Pure."""

from bigin_archive.errors import ArchiveError, ContentConflictError, DownloadIncompleteError


class OtherSizeError(Exception):
    """A file or its object does not have the listed size; ``error`` is what that means if the size is still listed."""

    def __init__(self, error: ArchiveError) -> None:
        super().__init__(error)
        self.error = error


def compare(size_bytes: int, listed_bytes: int | None) -> None:
    """Raises OtherSizeError unless they are equal, or none is listed."""
    if listed_bytes is not None and size_bytes != listed_bytes:
        raise OtherSizeError(incomplete(size_bytes, listed_bytes))


def incomplete(size_bytes: int, listed_bytes: int) -> DownloadIncompleteError:
    """The error for a download of another size."""
    return DownloadIncompleteError(
        f"Bigin lists {listed_bytes} bytes for this file and sends {size_bytes}. Nothing was stored. Try again later."
    )


def conflict(difference: str) -> ContentConflictError:
    """The error for an object that has other content than the file, with how they differ."""
    return ContentConflictError(
        f"An object {difference} is already archived for this attachment. It was not touched. Compare the two. If the "
        "file in Bigin is right, remove or rename the object in S3, then send the request again."
    )
