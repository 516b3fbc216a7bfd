"""What Bigin accepts as an attachment, and what its refusals mean. Pure.

Bigin API v2, "Upload an attachment", names no limit. A public client of Bigin keeps to 20 MB and refuses .exe, as
"Upload files" says. The lengths of names are those of the Zoho CRM OpenAPI (the same platform), attachments.
"""

from dataclasses import dataclass

MIB = 1024 * 1024
UPLOAD_LIMIT_MIB = 20
_EXTENSIONS = (".exe",)
_LONGEST_NAME, _LONGEST_TITLE, _LONGEST_URL = 250, 255, 3000  # characters

TOO_LARGE, BAD_TYPE, BAD_NAME = "FILE_SIZE_MORE_THAN_ALLOWED_SIZE", "INVALID_FILE_EXTENSION", "INVALID_FILE_NAME"
BAD_LINK = "INVALID_URL_PATTERN"

_BY_HAND = "Fetch it with bigin-archive get"
_REMEDIES = {
    TOO_LARGE: f"{_BY_HAND} and attach it as a link to where people can reach it; or make a smaller file.",
    BAD_TYPE: f"{_BY_HAND}, pack it into a ZIP file, and attach that by hand.",
    BAD_NAME: f"{_BY_HAND}, rename it, and attach it by hand.",
    BAD_LINK: f"Bigin does not accept this address: {_BY_HAND.lower()} shows it. Put it into a note.",
    "EMPTY_FILE_NOT_ALLOWED": "The file is empty: only its name is lost.",
    "UNMATCHED_FILE_CONTENT_TYPE": f"Its content is not what its extension says: {_BY_HAND.lower()} and look at it.",
    "VIRUS_DETECTED": f"Bigin takes it for a virus. {_BY_HAND} only on a machine with a virus scanner.",
    "NO_PERMISSION": "Let an administrator of Bigin give the user of the code the right to attach files there.",
    "RECORD_LOCKED": "Unlock the record in Bigin, then run the command again.",
    "API_NOT_SUPPORTED": "Generate the code as a user of Bigin, not of a portal.",
    "INVALID_MODULE": "The module is hidden from the user of the code, or closed to the API.",
}
_SAME_AS = {
    "BODY_SIZE_REACHED": TOO_LARGE,
    "AUTHORIZATION_FAILED": "NO_PERMISSION",
    "FAILURE_IN_ATTACHMENT_HANDLING": "EMPTY_FILE_NOT_ALLOWED",
}
_STORAGE = (
    "The file storage of the Bigin account seems to be used up: delete files there (and empty the recycle bin), or buy "
    "more storage; then run the command again."
)
_UNKNOWN = f"Look the code up in Bigin's API documentation. {_BY_HAND} and attach it by hand, if that works."


@dataclass(frozen=True, slots=True)
class Refusal:
    """Bigin's own code, and what to do."""

    code: str

    @property
    def remedy(self) -> str:
        """What to do."""
        code = self.code.upper()
        if "STORAGE" in code or "QUOTA" in code or code == "LIMIT_EXCEEDED":
            return _STORAGE
        return _REMEDIES.get(_SAME_AS.get(code, code), _UNKNOWN)


def file_refusal(name: str, size_bytes: int, limit_mib: int = UPLOAD_LIMIT_MIB) -> Refusal | None:
    """How Bigin would refuse a file of this name and size, as far as is known; None if it would accept it."""
    if size_bytes > limit_mib * MIB:
        return Refusal(TOO_LARGE)
    if name.lower().endswith(_EXTENSIONS):
        return Refusal(BAD_TYPE)
    if len(name) > _LONGEST_NAME or any(ord(character) < 0x20 or ord(character) == 0x7F for character in name):
        return Refusal(BAD_NAME)
    return None


def link_refusal(title: str, url: str) -> Refusal | None:
    """How Bigin would refuse a link; None if it would accept it."""
    if not url or len(url) > _LONGEST_URL:
        return Refusal(BAD_LINK)
    return Refusal(BAD_NAME) if len(title) > _LONGEST_TITLE else None
