"""What a slice of a sweep tells: the fields of its log line, and the metrics that the alarms stand on. Pure."""

from bigin_archive.archive_request import MODULES
from bigin_archive.sweep.cursor import SweepState

OLDEST_S = 8 * 24 * 60 * 60  # of a list that a verdict relies on: all is listed once a week, which may take a day


def fields(state: SweepState) -> dict[str, object]:
    """Ids of records and figures alone; names are in the lists, which no line repeats."""
    told = {name: value for name, value in state.as_dict().items() if name != "position"}
    return {**told, "correlation_id": state.correlation_id}


def metrics(state: SweepState | None, used: int, share: int, complete_age_s: float | None) -> dict[str, float]:
    """Credits of the last 24 hours, slices that failed in a row, and the audit's result where all was swept.

    AuditIncomplete is 0 after an audit that was complete, 1 after another, and 2 with each slice once the time up to
    which Bigin's lists were whole is ``complete_age_s`` old and that is more than eight days.
    """
    samples: dict[str, float] = {
        "CreditsUsed": used,
        "CreditsOfShare": 100 * used / max(1, share),
        "SweepFailures": state.failures if state else 0,
    }
    if complete_age_s is not None and complete_age_s > OLDEST_S:
        samples["AuditIncomplete"] = 2
    elif state and state.is_done and state.result and set(state.modules) == set(MODULES):
        samples["AuditIncomplete"] = int(state.result != "complete")
    return samples
