"""Checks the way back: the last restore drill, and grants that killed runs left at Zoho."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bigin_archive import clock
from operate.findings import Check, Finding, ok, problem, unknown
from operate.restore.grant import LEFT_REMEDY
from operate.restore.notes import RestoreNotes
from operate.restore.outcome import RESTORED
from operate.stack.archive import Archive, translate_errors
from operate.terminal import duration

DRILL_EVERY = timedelta(days=366)
# No run takes longer, so an older grant is from a run that was killed.
_RUN = timedelta(hours=12)
_DRILL_REMEDY = "Once a year: bigin-archive restore --drill MODULE/ID --yes (docs/restore.md)."


class RestoreDoctor:
    """Looks at one stack's notes."""

    def __init__(self, archive: Archive) -> None:
        self._notes = RestoreNotes(archive)

    def checks(self) -> Iterator[Check]:
        """The drill, the grants."""
        yield "Restore drill", self._drill
        yield "Restore grants", self._grants

    def _drill(self) -> Finding:
        with translate_errors("look up the last drill"):
            drill = self._notes.last_drill()
        at = clock.parse(drill.at) if drill else None
        if drill is None or at is None:
            return unknown("Restore drill", "Nobody has tried to send a file back yet.", _DRILL_REMEDY)
        age = datetime.now(UTC) - at
        last = f"{duration(age)} ago: {drill.outcome}"
        if drill.outcome != RESTORED:
            return problem("Restore drill", f"The last one failed, {last}.", _DRILL_REMEDY)
        if age > DRILL_EVERY:
            return unknown("Restore drill", f"{last}, which is long ago", _DRILL_REMEDY)
        return ok("Restore drill", last)

    def _grants(self) -> Finding:
        with translate_errors("look up the grants of restores"):
            begun = [clock.parse(began) for began in self._notes.open_grants()]
        if not begun:
            return ok("Restore grants", "none is left")
        old = [at for at in begun if at is None or datetime.now(UTC) - at > _RUN]
        if not old:
            return unknown("Restore grants", f"{len(begun)} in use, or left by a killed run", LEFT_REMEDY)
        return problem("Restore grants", f"{len(old)} were left by killed runs.", LEFT_REMEDY)
