"""The end of a sweep: index and audit, against what the sweep has seen."""

from bigin_archive.auditor import Auditor, Listing
from bigin_archive.deadline import Deadline
from bigin_archive.sweep_state import SweepState


class Closing:
    """Closes sweeps of one stack."""

    def __init__(self, auditor: Auditor) -> None:
        self._auditor = auditor

    def close(self, state: SweepState, deadline: Deadline) -> str:
        """Write index and audit; return the audit's verdict.

        A sweep of what was changed leaves Bigin's list as the last full one found it, with the changes. Raises
        StorageUnavailableError, StorageRefusedError.
        """
        unlisted = {what.partition("/")[0]: "Bigin refuses some of its records" for what in state.refused}
        if not state.full_since:
            unlisted |= dict.fromkeys(state.modules, f"only what was changed since {state.since} was listed")
        for module, count in state.uncovered.items():
            unlisted[module] = f"{count} attachments of a module that this application does not archive"
        listing = Listing(state.full_since or state.started_at, unlisted=unlisted)
        return self._auditor.audit(listing, modules=state.modules, deadline=deadline).verdict
