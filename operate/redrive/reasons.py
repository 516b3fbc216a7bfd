"""Why a message lies in the dead-letter queue, in words, and what to do before it is sent back."""

from dataclasses import dataclass

from bigin_archive.errors import PermanentError, UnauthorizedError

GAVE_UP = "gave_up"  # moved by SQS itself, which gives no reason


@dataclass(frozen=True, slots=True)
class Reason:
    """What happened, and what to do."""

    meaning: str
    remedy: str


# The worker parks what no retry can help; every other failure is retried, and parked after the last try.
_REASONS = {
    error.code: Reason(error.meaning, error.remedy)
    for error in PermanentError.__subclasses__()
    if error is not UnauthorizedError  # told to the caller, never queued
}


# What is retried for days ends here as well: the last try is parked with what it failed of.
_MENDED = {
    "bigin_unavailable": "authorize --check tells whether Bigin can be reached. Send it back once it can.",
    "bigin_rate_limited": "Other programs use up the account's credits or calls: spare Bigin, then send it back.",
    "bigin_token_rejected": "Connect again (authorize), then send it back.",
    "bigin_scope_missing": "Connect again with all scopes (authorize), then send it back.",
    "download_incomplete": "Open the file in Bigin. If it opens, send it back; if not, ask Zoho.",
    "storage_unavailable": "Look at the AWS Health Dashboard, then send it back.",
    "storage_refused": "Mend what the detail names (role, bucket policy, KMS key), then send it back.",
    "internal_error": "Report the detail as a bug of Bigin Archive; send it back with the next version.",
}


def reason_text(code: str, tries: int | None) -> Reason:
    """The words for an ``error_code``, or for GAVE_UP after so many tries."""
    if code == GAVE_UP:
        times = f"{tries} tries" if tries else "many tries"
        return Reason(
            f"Gave up after {times}, over days; SQS keeps no reason.",
            "authorize --check tells whether Bigin can be reached, the worker's log what failed. Mend it, then send "
            "it back.",
        )
    if code in _MENDED:
        times = f"{tries} tries" if tries else "many tries"
        return Reason(f"Gave up after {times}, over days; this is what the last one failed of.", _MENDED[code])
    return _REASONS.get(
        code, Reason("This version of Bigin Archive does not know this reason.", "The detail may tell what to do.")
    )
