"""Why a message lies in the dead-letter queue, in words, and what to do before it is sent back."""

from dataclasses import dataclass

GAVE_UP = "gave_up"  # moved by SQS itself, which gives no reason


@dataclass(frozen=True, slots=True)
class Reason:
    """What happened, and what to do."""

    meaning: str
    remedy: str


# The worker parks what no retry can help; every other failure is retried.
_REASONS = {
    "invalid_request": Reason(
        "The message is no well-formed archive request.",
        "Sending it back cannot help: mend whatever sends such messages, and send a well-formed one.",
    ),
    "attachment_too_large": Reason(
        "The attachment is larger than the limit.",
        "Deploy with a larger MaxFileSizeMiB (at most 5120), then send it back.",
    ),
    "transfer_too_slow": Reason(
        "No run of the queue's function was long enough for this attachment: five used nearly all of their time.",
        "Send it back when Bigin is faster, or archive it by POST /attachments from a place that is.",
    ),
    "content_conflict": Reason(
        "Other bytes are archived already for this attachment; they were not touched.",
        "Compare the object in S3 with the file in Bigin. If Bigin's is right, delete the object (its version stays), "
        "then send it back.",
    ),
    "bigin_refused": Reason(
        "Bigin refuses this record or module to the connected user.",
        "Have the right granted in Bigin, or the module shown, then send it back.",
    ),
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
