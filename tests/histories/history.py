"""One history: takes its steps one after the other, judges each report, and at its end lets everything come to rest."""

import json
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from bigin_archive.archive_request import MODULES
from bigin_archive.audit.comparison import EXIT_STATUS
from bigin_archive.sweep.sweep import SweepRequest
from tests.histories import clients, oracle, report
from tests.histories.clients import Clients
from tests.histories.interrupts import Plan
from tests.histories.operator import GaveUpWaitingError, Operator
from tests.histories.oracle import Oracle
from tests.histories.steps import Step
from tests.histories.stranger import Stranger
from tests.histories.world import Setup, World

COMPLETE, PARTIAL = EXIT_STATUS["complete"], EXIT_STATUS["partial"]
_SLICE_S = 15 * 60  # the template's schedule
_MOST_SLICES = 60
_DAY_S = 24 * 3600
_MOST_ROUNDS = 5  # of a sweep and a repair, until all is at rest
_SWEEPS_ALONE = 1  # of these rounds; what a sweep has to find needs no repair
_SWEPT = {"not_archived", "gone_but_listed"}
_MESSAGE_LIFE_S = 14 * _DAY_S  # as long as a sweep may wait for a message that is lost
_STEP_S = 5  # between two steps, so that no two things happen at the same moment


class ViolationError(AssertionError):
    """Something happened that must never happen. The text says what, and after which step."""


class History:
    """Takes steps in a world of its own. Methods raise ViolationError."""

    def __init__(self, aws: Clients, setup: Setup) -> None:
        random.seed(0)  # the delays' jitter
        self.setup, self.world = setup, World(aws, setup)
        self.stranger, self.operator = Stranger(self.world), Operator(self.world)
        self.world.interrupts.change = self._change
        self.taken = 0
        self.verdicts: list[str] = []
        self._sweep_began = (0, 0)  # faults and changes when the sweep under way began
        self._last_sweep: str | None = None
        # What stood at the end of the last slice of an audit that goes on, and what has changed since the audit began.
        self._before_audit: dict[str, Any] | None = None
        self._moved_since: set[str] = set()
        self._full_disturbed = False  # whether anything happened during the last sweep of everything

    def run(self, steps: Sequence[Step], *, to_rest: bool = True) -> None:
        """Take all steps, then go on until nothing waits any more."""
        for number, (name, arguments) in enumerate(steps):
            self.taken = number
            self.take(name, arguments)
        if to_rest:
            self.taken = len(steps)
            self.come_to_rest()
            self._check(self.world.journal.overspent(self.setup.daily_credits // 2))

    def take(self, name: str, arguments: dict[str, Any]) -> None:
        """Take one step."""
        self.world.clock.now_s += _STEP_S
        given = dict(arguments)
        plan: Plan = given.pop("plan", {})
        method = name.replace(" ", "_")
        if hasattr(self, f"_{method}"):
            getattr(self, f"_{method}")(plan, **given)
        else:
            self._change([name, given])
        self._check()

    # ---- Steps ----

    def _change(self, step: Step, path: str = "") -> None:
        """Change something while ``path`` is asked for: in Bigin, or by the stranger."""
        name, given = step
        truth, stranger = self.world.truth, self.stranger
        match name:
            case "work beside" | "event beside" | "slice beside" | "rebuild beside" | "redrive beside":
                with self.world.beside():
                    getattr(self, f"_{name.partition(' ')[0]}_beside")(**given)
            case "new record":
                truth.new_record(**given)
            case "attach":
                truth.attach(**given)
            case "attach link":
                truth.attach(size=0, link=True, **given)
            case "remove from list" | "add to list":
                getattr(truth, name.replace(" ", "_"))(path, **given)
            case "delete object":
                stranger.delete(**given)
            case "overwrite object":
                stranger.overwrite(**given)
            case "mend object":
                stranger.restore_version(**given)
            case _:
                method = name.replace(" ", "_")
                getattr(truth if hasattr(truth, method) else stranger, method)(**given)

    def _wait(self, _: Plan, minutes: int) -> None:
        self.world.clock.now_s += minutes * 60

    def _work_beside(self) -> None:
        self.world.drain(1)

    def _event_beside(self, number: int) -> None:
        self._event({}, number)

    def _slice_beside(self) -> None:
        self._sliced(None, {})

    def _rebuild_beside(self) -> None:
        self.operator.rebuild({})

    def _redrive_beside(self) -> None:
        self.operator.redrive({})

    def _slice(self, plan: Plan, order: str | None = None) -> Any:
        began = self._marks()
        self.world.moved.clear()
        state = self._sliced(order, plan)
        if state and state.is_done and state.finished_at and state.finished_at >= _iso(began[2]):
            first = self._sweep_began if state.started_at == self._last_sweep else began
            # The list of a record is not believed that an hour's credits never read in one go.
            is_disturbed = self._marks()[:2] != first[:2] or self.world.journal.has_few_credits
            modules = tuple(state.modules)
            if state.is_full and modules == MODULES:
                self._full_disturbed = is_disturbed
            if state.result != "failed":
                # A sweep of what changed relies on the last one of everything.
                self._judge(self._rows(), modules, may_be_partial=is_disturbed or self._full_disturbed)
        return state

    def _sliced(self, order: str | None, plan: Plan) -> Any:
        """Run a slice; note what stood when its sweep and its audit began."""
        began = self._marks()
        state = self.world.slice(_ordered(order), plan)
        if self._before_audit:
            # It was compared in slices, between which other things happened.
            self.world.note_moved(self._before_audit)
            self.world.moved |= self._moved_since
        left = self._stored_sweep()  # that of a killed slice, too
        goes_on = bool(left.get("audit"))
        self._before_audit = self.world.standing() if goes_on else None
        self._moved_since = set(self.world.moved) if goes_on else set()
        if left and left["phase"] != "done" and left["started_at"] != self._last_sweep:
            self._last_sweep, self._sweep_began = left["started_at"], began
        return state

    def _stored_sweep(self) -> dict[str, Any]:
        item = self.world.tables.items[clients.LEDGER].get(("#sweep", "state"), {})
        stored: dict[str, Any] = json.loads(item.get("sweep", {}).get("S", "{}"))
        return stored

    def _work(self, plan: Plan, batches: int) -> None:
        self.world.drain(batches, plan)

    def _event(self, plan: Plan, number: int, *, named: bool = False) -> None:
        records = [each for found in self.world.bigin.account.records.values() for each in found.values()]
        if records:
            record = records[number % len(records)]
            attachments = sorted(record.attachments) if named else []
            name = attachments[number % len(attachments)] if attachments else None
            self.world.webhook(record.module, record.id, plan, name)
        self.world.clock.now_s += 100
        self.world.hand_on(plan)

    def _refresh(self, plan: Plan) -> None:
        self.world.refresh(plan)

    def _revoke(self, _: Plan) -> None:
        self.world.revoke()

    def _deliver_twice(self, _: Plan, number: int) -> None:
        messages = list(self.world.queues.queues[clients.QUEUE].messages.values())
        if messages:
            self.world.queues.repeat(clients.QUEUE, messages[number % len(messages)])

    def _many_tries(self, _: Plan, number: int, tries: int) -> None:
        """Let a message have failed for days, so that it has few tries left."""
        messages = list(self.world.queues.queues[clients.QUEUE].messages.values())
        if messages:
            messages[number % len(messages)].receives = tries

    def _sweep(self, plan: Plan, order: str | None) -> bool:
        """Run a whole sweep, or the rest of a running one: a slice each quarter of an hour, and work on the queue."""
        state = self._slice(plan, order)
        for _ in range(_MOST_SLICES):
            if state and state.is_done:
                return True
            self.world.drain(5)
            self.world.clock.now_s += _SLICE_S
            state = self._slice({})
        return False

    def _audit(self, plan: Plan, **how: Any) -> None:
        began, rows = self._marks(), self._rows()
        self.world.moved.clear()
        if how.get("as_of_sweep") and not self._stored_sweep().get("full_since"):
            return
        try:
            status = self.operator.audit(plan, **how)
        except GaveUpWaitingError:
            return
        if status in (COMPLETE, PARTIAL):
            modules = tuple(how.get("modules") or MODULES)
            self._judge(rows, modules, may_be_partial=bool(how.get("as_of_sweep")) or self._marks()[:2] != began[:2])

    def _rebuild(self, plan: Plan) -> None:
        self.operator.rebuild(plan)

    def _redrive(self, plan: Plan) -> None:
        self.operator.redrive(plan)

    def _dry_run(self, plan: Plan, *, by_record: bool) -> None:
        self.operator.dry_run(plan, by_record=by_record)

    def _get(self, _: Plan, number: int) -> None:
        places = sorted(self.world.truth.past)
        if not places:
            return
        name = places[number % len(places)].rpartition("/")[2]
        status, files = self.operator.get([name], {})
        bodies = [body for place in places if place.endswith(f"/{name}") for body in self.world.truth.bodies(place)]
        was_link = any(
            held.body is None for place in places if place.endswith(f"/{name}") for held in self.world.truth.past[place]
        )
        is_right = [body in bodies or (was_link and body.startswith(b"[InternetShortcut]")) for body in files]
        if status == 0 and not all(is_right):
            self._fail(f"{name}: get ends with 0, and the bytes are not those that were archived")

    # ---- Judgement ----

    def come_to_rest(self) -> None:
        """End all failures, mend what was done in S3, and let time pass. Then everything is archived, or reported."""
        world, journal = self.world, self.world.journal
        world.refresh()
        while self.stranger.restore_version(0):
            pass
        self._sweep({}, None)  # the one under way began before
        self.operator.redrive({})  # before the dead letters are too old
        self._until_empty()
        world.clock.now_s += _MESSAGE_LIFE_S
        for number in range(_MOST_ROUNDS):
            world.clock.now_s += _DAY_S
            self._until_empty()
            if not self._sweep({}, "full"):
                self._fail("a sweep does not come to its end")
            self._until_empty()
            if not (left := self._left()):
                break
            if number < _SWEEPS_ALONE:
                continue
            if number == _SWEEPS_ALONE and (waits := [one for one in left.items() if one[1] & _SWEPT]):
                self._fail(f"no sweep archives it: {waits[0]}")
            self.operator.audit({}, mend=True)
            # Before the redrive, which empties the queue.
            lost = [place for place, kinds in left.items() if "parked" in kinds and not self._has_dead_letter(place)]
            self.operator.redrive({})
            if lost:
                self.operator.request(lost)
        self._check()
        if left:
            self._fail(f"at rest, and the last report says {left}")
        waiting = [each.body for each in world.queues.queues[clients.QUEUE].messages.values()]
        if waiting:
            self._fail(f"waits for ever: {waiting[0]}")
        for place, attachment in world.truth.places().items():
            if not journal.own_keys(place) and not self._needs_a_person(place):
                self._fail(f"{place}: never archived ({attachment.kind})")

    def _left(self) -> Any:
        """What the last report still finds wrong, without what only a person can decide."""
        last = report.read(self.world)
        told = {place: kinds - set(report.TOLD_ONLY) for place, kinds in last.differences.items()}
        for place in told.keys() & self.stranger.undeleted:
            told[place].discard("second_object")
        grave = {place: kinds for place, kinds in told.items() if kinds and not self._needs_a_person(place)}
        return grave or {what: set[str]() for what in [*last.not_covered, last.failure] if what}

    def _until_empty(self) -> None:
        """Hand events on and work on the queue until both are empty, for two weeks at most."""
        for _ in range(14 * 24):
            self.world.hand_on()
            self.world.drain(20)
            if not any(self.world.queues.queues[name].messages for name in (clients.QUEUE, clients.RECORDS)):
                return
            self.world.clock.now_s += 3600

    def _has_dead_letter(self, place: str) -> bool:
        """Whether there is one to send back. After 14 days SQS deletes it; then the report's remedy is `request`."""
        bodies = [json.loads(each.body) for each in self.world.queues.queues[clients.DEAD_LETTERS].messages.values()]
        return place in {f"{each['module']}/{each['record_id']}/{each.get('attachment_id')}" for each in bodies}

    def _needs_a_person(self, place: str) -> bool:
        """Whether the file was replaced in Bigin: what is archived stays, and a person decides."""
        return len(set(self.world.truth.bodies(place))) > 1

    def _judge(self, rows: oracle.Rows, modules: tuple[str, ...], *, may_be_partial: bool) -> None:
        told = report.read(self.world, modules)
        judge = Oracle(self.world, self.stranger, rows, told, modules)
        self.verdicts.append(told.verdict)
        self._check(judge.violations(may_be_partial=may_be_partial))

    def _check(self, violations: Iterable[str] = ()) -> None:
        for violation in [*self.world.journal.violations, *violations]:
            raise ViolationError(violation)

    def _rows(self) -> oracle.Rows:
        return dict(self.world.tables.items[clients.LEDGER])

    def _marks(self) -> tuple[int, int, float]:
        return len(self.world.journal.fault_times), self.world.truth.changes, self.world.clock()

    def _fail(self, what: str) -> None:
        raise ViolationError(what)


def _ordered(order: str | None) -> SweepRequest | None:
    if order is None:
        return None
    _, _, module = order.partition(" of ")
    modules = (module,) if module else MODULES
    return SweepRequest(modules, by_record="by record" in order, nightly=order.startswith("nightly"))


def _iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds")
