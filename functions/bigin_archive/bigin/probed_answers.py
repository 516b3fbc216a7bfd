"""What `bigin-archive probe` has seen of the account, as far as a sweep goes by it. Pure.

A sweep is right without it. An answer that is missing, old or not to be read counts as none.
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from bigin_archive import clock

PATH = "_audit/probe.json"  # below the prefix
WHOLE_LIST, NO_WHOLE_LIST = "list of the whole account", "none"
LISTED_SIZE, OTHER_SIZE = "listed size of a file", "not the length of the file"
# Bigin may begin to offer what it did not.
GOOD_FOR = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class ProbedAnswers:
    """Whether Bigin may offer a list of all attachments, and whether the sizes that it lists are those of the files."""

    may_list_all: bool = True
    sizes_are_right: bool = True

    @classmethod
    def read(cls, report: bytes | None, now_s: float) -> Self:
        """From the stored report; what nobody has asked is believed to be as documented."""
        if report is None or not is_good(report, now_s):
            return cls()
        try:
            seen = {row["check"]: row["seen"] for row in json.loads(report)["checks"]}
        except (LookupError, TypeError):
            return cls()
        return cls(seen.get(WHOLE_LIST) != NO_WHOLE_LIST, seen.get(LISTED_SIZE) != OTHER_SIZE)


def is_good(report: bytes, now_s: float) -> bool:
    """Whether the stored report can be read, and is young enough to go by."""
    try:
        at = clock.parse(json.loads(report)["at"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return False
    return at is not None and -clock.SKEW <= timedelta(seconds=now_s - at.timestamp()) <= GOOD_FOR
