"""Sweeps of a simulated account, on a clock that a test moves by hand; a test can kill them at any call."""

import time
from datetime import UTC, datetime
from typing import Any

from botocore.config import Config

from bigin_archive.archive_request import MODULES
from bigin_archive.aws import clients
from bigin_archive.deadline import Deadline
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.ledger.ledger_entry import LedgerEntry
from bigin_archive.sweep.cursor import SweepState
from bigin_archive.sweep.sweep import Sweep, SweepRequest
from bigin_archive.token.access_token import AccessToken
from bigin_archive.wiring.archive_queued import worker
from bigin_archive.wiring.sweep_account import sweep
from tests.aws import Aws
from tests.bigin import TOKEN, Simulator

SLICE_S = 15 * 60  # the template's schedule


class Killed(BaseException):
    """Raised where the process is killed: nothing after it runs."""


class Tokens:
    """A token that never expires."""

    def current(self) -> AccessToken:
        return AccessToken(TOKEN)

    def after_refusal(self, refused: AccessToken) -> AccessToken:
        return refused


class Clock:
    """Simulated time, in seconds since 1970."""

    def __init__(self) -> None:
        self.now_s = time.time()

    def __call__(self) -> float:
        return self.now_s


class Executioner:
    """Kills at the n-th call to AWS, of which there is one before and after each call to Bigin; lets no later pass."""

    def __init__(self) -> None:
        self.calls_left: int | None = None
        self.calls = 0

    def __call__(self, **_: Any) -> None:
        self.calls += 1
        if self.calls_left is not None:
            self.calls_left -= 1
            if self.calls_left < 0:
                raise Killed


def warm_session() -> clients.Session:
    """A session that makes each client once, for all slices: to make one takes as long as most of them."""
    session = clients.session()
    make, made = session.client, {}

    def client(service: str, config: Config | None = None) -> Any:
        key = f"{service} {vars(config) if config else None}"
        if key not in made:
            made[key] = make(service, config=config)
        return made[key]

    session.client = client
    return session


class Account:
    """The sweep function and the workers of one account."""

    def __init__(self, aws: Aws, bigin: Simulator, daily_credits: int = 50_000) -> None:
        self.aws, self.bigin, self.clock, self.executioner = aws, bigin, Clock(), Executioner()
        self.daily_credits = daily_credits
        self._worker = worker(aws.environment, self.clock)
        self._session = warm_session()
        self._session.events.register_first("before-call", self.executioner)
        self.used_at: list[tuple[float, int]] = []  # simulated time, credits that the simulator has counted

    def slice(self, order: SweepRequest | None = None, kill_at: int | None = None) -> SweepState | None:
        """One run of the sweep function, killed at its ``kill_at``-th call."""
        self.executioner.calls_left = kill_at
        try:
            state = self._made_sweep().work(order, Deadline(840))
        finally:
            self.executioner.calls_left = None
            self._note()
        return state

    def drain(self) -> int:
        """Work on all messages in the queue; return their number."""
        count = 0
        while messages := self.aws.receive():
            staying = self._worker.work(messages, Deadline(250))
            done = [found for found in messages if found.message_id not in staying]
            for message in done:
                self.aws.sqs.delete_message(QueueUrl=self.aws.queue_url, ReceiptHandle=message.receipt_handle)
            count += len(messages)
        self._note()
        return count

    def sweep(self, order: SweepRequest | None = None, every_s: int = SLICE_S, most_slices: int = 1000) -> SweepState:
        """A whole sweep, a slice every ``every_s`` seconds, the queue worked on in between."""
        state = self.slice(order or SweepRequest())
        for _ in range(most_slices):
            self.drain()
            if state and state.is_done:
                return state
            self.clock.now_s += every_s
            state = self.slice()
        raise AssertionError(f"not finished: {state}")

    def most_in_a_day(self) -> int:
        """The most credits that the simulator counted in any 24 simulated hours."""
        most = 0
        for number, (end_s, used) in enumerate(self.used_at):
            before = [earlier for at_s, earlier in self.used_at[:number] if at_s <= end_s - 24 * 3600]
            most = max(most, used - (before[-1] if before else 0))
        return most

    def _note(self) -> None:
        self.used_at.append((self.clock.now_s, self.bigin.calls()["credits_used"]))

    def _made_sweep(self) -> Sweep:
        environment = {**self.aws.environment, "DAILY_CREDITS": str(self.daily_credits)}
        made, _ = sweep(environment, self._session, self.clock)
        return made


def at(account: Account, seconds: int) -> str:
    """So many seconds from now, as Bigin writes times."""
    return datetime.fromtimestamp(account.clock.now_s + seconds, UTC).isoformat(timespec="seconds")


def listed_by(bigin: Simulator, way: str) -> None:
    bigin.control("PATCH", "settings", {"module_attachments": "on" if way == "all" else "off"})


def ledger(aws: Aws) -> dict[str, LedgerEntry]:
    found = Ledger(aws.dynamodb, aws.ledger_table).entries()
    return {entry.attachment_id: entry for entry in found}


def archived(aws: Aws) -> set[str]:
    """The keys of all objects but index and reports, each of one version."""
    return {key for key in aws.stored_keys() if not key.startswith(("bigin/_index/", "bigin/_audit/"))}


def attachments(bigin: Simulator) -> dict[str, dict[str, Any]]:
    return {found["attachment_id"]: found for found in bigin.attachments()}


def many(bigin: Simulator, records: int, attachments_each: int = 1, module: str = "Contacts") -> None:
    """An account of so many records with small files, and nothing else."""
    for name in MODULES:
        if ids := bigin.record_ids(name):
            bigin.control("DELETE", "records", {"module": name, "record_ids": ids})
    for number in range(records):
        for each in range(attachments_each):
            bigin.add(b"%d" % each, record_id=f"{5000 + number}", module=module, attachment_id=f"{number}00{each}7")
    bigin.control("DELETE", "calls")
