"""What a check has seen, beside what AWS's documentation says."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from botocore.exceptions import BotoCoreError, ClientError

from bigin_archive.aws.error_codes import code_of
from bigin_archive.errors import ArchiveError

# What services and emulators answer for what they do not have.
_NOT_THERE = ("NotImplemented", "NotImplementedException", "InvalidAction", "UnknownOperationException", "501", "405")
_NOT_ALLOWED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AllAccessDisabled")


class Verdict(StrEnum):
    """The value is what is printed."""

    EXPECTED = "as expected"
    DIFFERENT = "different"
    UNSUPPORTED = "not supported here"


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table. ``seen`` holds no name, no id and no address: the report may be shown to anybody."""

    name: str
    verdict: Verdict
    seen: str
    meaning: str = ""


class NotToldError(Exception):
    """What is here does not tell; its text says what."""


@dataclass(frozen=True, slots=True)
class Check:
    """``look`` tells what is there; anything but ``expected`` is different, which ``meaning`` explains."""

    name: str
    look: Callable[[], str]
    expected: str
    meaning: str

    def run(self) -> Result:
        """Look; what fails is told by its code alone."""
        try:
            seen = self.look()
        except NotToldError as error:
            return Result(self.name, Verdict.UNSUPPORTED, str(error))
        except (ArchiveError, ClientError, BotoCoreError) as error:
            code = error.code if isinstance(error, ArchiveError) else code_of(error)
            if code in _NOT_THERE:
                return Result(self.name, Verdict.UNSUPPORTED, code)
            if code in _NOT_ALLOWED:
                return Result(self.name, Verdict.UNSUPPORTED, "your own rights do not allow to look")
            seen = f"refused ({code})"
        if seen == self.expected:
            return Result(self.name, Verdict.EXPECTED, seen)
        return Result(self.name, Verdict.DIFFERENT, seen, self.meaning)
