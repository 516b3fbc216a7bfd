"""What happens to records in any order: files are attached and deleted, and events come early, late, twice, or for a
deletion.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.faults.bench import Bench, Request
from tests.faults.event_source import EventSource
from tests.faults.lab import Lab
from tests.faults.runtime import WorkerProcess
from tests.faults.tally import Row
from tests.lambdas import api_event

HISTORIES = 1000
STEPS = 6
IDS_IN_A_WEBHOOK = 100
SECRET = "h" * 40
EPOCH_MS = 1_790_000_000_000
SPAN_MS = 61_000  # each event comes in another minute: the record queue drops a second one of the same
CHANGES = ("attach", "attach", "link", "delete", "edit", "edit", "repeat", "deletion", "name", "early")


@dataclass(slots=True)
class _Record:
    """One history: what the record holds, and what has been reported since anybody looked."""

    record_id: str
    attached: dict[str, Request] = field(default_factory=dict)
    named: list[str] = field(default_factory=list)
    early: list[str] = field(default_factory=list)
    is_told: bool = False


def any_order(lab: Lab) -> Iterator[Row]:
    """Whatever a record holds when its event is worked on is archived, and nothing is taken away again."""
    with lab.bench() as bench:
        bench.aws.put_secret(bench.aws.webhook_secret_id, {"webhook_secret": SECRET})
        bigin = _Bigin(bench, lab.random("histories"))
        records = [_Record(str(30_000 + number)) for number in range(lab.scaled(HISTORIES, least=25))]
        hand_on = WorkerProcess(bench.env, bench.functions, bench.log, "queue_records")
        try:
            for step in range(STEPS):
                for record in records:
                    bigin.change(record)
                bigin.tell()
                if step % 2:
                    bench.is_drained &= _work(bench, records, hand_on)
        finally:
            hand_on.stop()
            bigin.stop()
        bench.injected(lambda: bigin.events)
        yield bench.row("events in any order, late or repeated", f"{len(records):,} histories of {STEPS} changes")


class _Bigin:
    """Changes records at random, and sends what Bigin would send about them, and some of what it should not."""

    def __init__(self, bench: Bench, randomness: random.Random) -> None:
        self._bench = bench
        self._random = randomness
        self._receiver = WorkerProcess(bench.env, bench.functions, bench.log, "receive_webhook")
        self._told: list[tuple[str, dict[str, Any]]] = []
        self._new_id = 10**15
        self._minutes = 0
        self.events = 0

    def change(self, record: _Record) -> None:
        kind = self._random.choice(CHANGES)
        if kind in ("attach", "link"):
            self._attach(record, is_link=kind == "link")
        elif kind == "delete" and record.attached:
            gone = self._random.choice(list(record.attached))
            del record.attached[gone]
            self._bench.bigin.control("DELETE", f"attachments/{gone}")
        elif kind in ("edit", "repeat"):
            record.is_told = True
            self._told += [("edit", {"id": record.record_id})] * (2 if kind == "repeat" else 1)
        elif kind == "deletion":
            self._told.append(("delete", {"id": record.record_id}))
        elif kind == "name" and record.attached:
            self._name(record, self._random.choice(list(record.attached)))
        elif kind == "early":
            self._new_id += 1
            record.early.append(str(self._new_id))
            self._name(record, record.early[-1])

    def _attach(self, record: _Record, *, is_link: bool) -> None:
        self._new_id += 1
        attachment_id = str(self._new_id)
        where = {"record_id": record.record_id}
        if is_link:
            request = self._bench.link(f"https://example.com/{attachment_id}", "Quarterly figures", **where)
        else:
            # An event may have told of it before it was there.
            attachment_id = record.early.pop() if record.early else attachment_id
            content = self._random.randbytes(self._random.randint(0, 300))
            request = self._bench.file(content=content, attachment_id=attachment_id, **where)
            self._bench.expect(request, content)  # also after it is deleted
        self._bench.expected_outcomes[request["attachment_id"]] = "settled"  # as long as no event tells of it
        record.attached[request["attachment_id"]] = request

    def _name(self, record: _Record, attachment_id: str) -> None:
        record.named.append(attachment_id)
        self._told.append(("edit", {"id": record.record_id, "attachment_id": attachment_id}))

    def tell(self) -> None:
        """Send everything that is to be reported, shuffled: single events, and lists of records."""
        self._random.shuffle(self._told)
        records_told = [event["id"] for operation, event in self._told if operation == "edit" and len(event) == 1]
        for start in range(0, len(records_told), IDS_IN_A_WEBHOOK):
            self._post({"operation": "edit", "ids": records_told[start : start + IDS_IN_A_WEBHOOK]})
        for operation, event in self._told:
            if operation == "delete" or len(event) > 1:
                self._post({"operation": operation, **event})
        self.events += len(self._told)
        self._told.clear()

    def _post(self, fields: dict[str, Any]) -> None:
        self._minutes += 1
        event = api_event({"module": "Contacts", "token": SECRET, **fields})
        event["requestContext"]["requestTimeEpoch"] = EPOCH_MS + self._minutes * SPAN_MS
        status = self._receiver.invoke(event, 20)["statusCode"]
        if status != 202:
            self._bench.remark(f"a webhook was answered with {status}")

    def stop(self) -> None:
        self._receiver.stop()


def _work(bench: Bench, records: list[_Record], hand_on: WorkerProcess) -> bool:
    """Let the queues run empty. From now on the archive must hold what was reported."""
    for record in records:
        told = set(record.attached) if record.is_told else set(record.named) & set(record.attached)
        bench.expected_outcomes.update(dict.fromkeys(told, "archived"))
        record.named.clear()
        record.is_told = False
    are_handed_on = EventSource(bench.aws.sqs, bench.aws.record_queue_url).drain(hand_on.invoke, 60)
    return bench.drain() and are_handed_on
