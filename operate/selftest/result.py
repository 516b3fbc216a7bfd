"""What a check found, beside what AWS's documentation says."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from botocore.exceptions import BotoCoreError, ClientError

from bigin_archive.aws.error_codes import code_of
from bigin_archive.errors import ArchiveError

# The answers of services and emulators that lack an operation.
_NOT_THERE = ("NotImplemented", "NotImplementedException", "InvalidAction", "UnknownOperationException", "501", "405")
_NOT_ALLOWED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AllAccessDisabled")


class Verdict(StrEnum):
    """The value is printed."""

    EXPECTED = "as expected"
    DIFFERENT = "different"
    UNSUPPORTED = "not supported here"


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table. ``seen`` holds no name, id or address, so the report may be shown to anybody."""

    name: str
    verdict: Verdict
    seen: str
    meaning: str = ""


class NotToldError(Exception):
    """The check cannot decide here; the text says why."""


@dataclass(frozen=True, slots=True)
class Check:
    """``look`` says what is there. If it is not ``expected``, ``meaning`` explains the difference."""

    name: str
    look: Callable[[], str]
    expected: str
    meaning: str

    def run(self) -> Result:
        """Run the check. A failure is shown by its code alone."""
        try:
            seen = self.look()
        except NotToldError as error:
            return Result(self.name, Verdict.UNSUPPORTED, str(error))
        except (ArchiveError, ClientError, BotoCoreError) as error:
            code = error.code if isinstance(error, ArchiveError) else code_of(error)
            if code in _NOT_THERE:
                return Result(self.name, Verdict.UNSUPPORTED, code)
            if code in _NOT_ALLOWED:
                return Result(self.name, Verdict.UNSUPPORTED, "your own rights do not allow this look")
            seen = f"refused ({code})"
        if seen == self.expected:
            return Result(self.name, Verdict.EXPECTED, seen)
        return Result(self.name, Verdict.DIFFERENT, seen, self.meaning)
