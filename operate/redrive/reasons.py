"""Why a message is in the dead-letter queue, and what to do before it is sent back."""

from dataclasses import dataclass

from bigin_archive.errors import PermanentError, TransientError, UnauthorizedError, kinds

GAVE_UP = "gave_up"  # moved by SQS itself, which gives no reason


@dataclass(frozen=True, slots=True)
class Reason:
    """What happened, and what to do."""

    meaning: str
    remedy: str


# No retry helps these: the worker parks them at their first try. An unauthorized caller is told; nothing is queued.
_PARKED = {
    error.code: Reason(error.meaning, error.remedy)
    for error in PermanentError.__subclasses__()
    if error is not UnauthorizedError
}


# These are retried for days; the worker parks them after the last try, with the error of that try.
_RETRIED = {error.code: error.remedy for error in kinds(TransientError)}


def reason_text(code: str, tries: int | None) -> Reason:
    """The words for an ``error_code``, or for GAVE_UP after so many tries."""
    times = f"{tries} tries" if tries else "many tries"
    if code == GAVE_UP:
        return Reason(
            f"Gave up after {times}, over days; SQS keeps no reason.",
            "See whether Bigin can be reached (bigin-archive authorize --check) and what the worker's log says. Fix "
            "the cause, then send it back.",
        )
    if code in _RETRIED:
        return Reason(f"Gave up after {times}, over days; this is the error of the last one.", _RETRIED[code])
    return _PARKED.get(
        code, Reason("This version of Bigin Archive does not know this reason.", "The detail may tell what to do.")
    )
