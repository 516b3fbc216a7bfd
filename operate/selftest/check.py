"""A check of the selftest or the probe: what is there, beside what the documentation says."""

from collections.abc import Callable
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from bigin_archive.aws.error_codes import code_of
from bigin_archive.errors import ArchiveError
from operate.findings import Finding, ok, problem, unknown

# The answers of services and emulators that lack an operation.
_NOT_THERE = ("NotImplemented", "NotImplementedException", "InvalidAction", "UnknownOperationException", "501", "405")
_NOT_ALLOWED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AllAccessDisabled")


class NotDecidedError(Exception):
    """The check cannot decide here; the text says why."""


@dataclass(frozen=True, slots=True)
class Check:
    """``look`` says what is there. If it is not ``expected``, ``meaning`` explains the difference.

    No text that ``look`` returns holds a name, an id or an address, so the report may be shown to anybody.
    """

    name: str
    look: Callable[[], str]
    expected: str
    meaning: str

    def run(self) -> Finding:
        """Run the check. A failure is shown by its code alone."""
        try:
            seen = self.look()
        except NotDecidedError as error:
            return unknown(self.name, str(error))
        except (ArchiveError, ClientError, BotoCoreError) as error:
            code = error.code if isinstance(error, ArchiveError) else code_of(error)
            if code in _NOT_THERE:
                return unknown(self.name, code)
            if code in _NOT_ALLOWED:
                return unknown(self.name, "your own rights do not allow this look")
            seen = f"refused ({code})"
        return ok(self.name, seen) if seen == self.expected else problem(self.name, seen, self.meaning)
