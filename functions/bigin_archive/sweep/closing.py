"""The end of a sweep: index and audit, against what the sweep has seen."""

from bigin_archive.audit.auditor import Auditor, Listing
from bigin_archive.deadline import Deadline
from bigin_archive.sweep.cursor import SweepState
from bigin_archive.sweep.discovery import changed


class Closing:
    """Closes sweeps of one stack."""

    def __init__(self, auditor: Auditor) -> None:
        self._auditor = auditor

    def close(self, state: SweepState, deadline: Deadline) -> str:
        """Write index and audit; return the audit's verdict.

        A sweep of what was changed leaves Bigin's list as the last full one found it, with the changes; where those
        are not all since then, nobody knows what came between. Raises StorageUnavailableError, StorageRefusedError.
        """
        unlisted = {what.partition("/")[0]: "Bigin did not list all of its records" for what in state.refused}
        began_at = state.full_since if state.since else state.started_at
        if not began_at or (state.since and not changed([began_at], state.since)):
            unlisted |= dict.fromkeys(state.modules, f"only what was changed since {state.since} was listed")
        listing = Listing(
            began_at or state.started_at,
            unlisted=unlisted,
            unsupported_modules=dict(state.uncovered),
            is_of_all=state.strategy == "all",
        )
        return self._auditor.audit(listing, modules=state.modules, deadline=deadline).verdict
