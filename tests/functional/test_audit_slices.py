"""An audit in slices: whatever ends a slice, the report is that of an audit in one."""

import gzip
import json
import random
from typing import Any

import pytest

from bigin_archive.archive_request import MODULES
from bigin_archive.audit.auditor import WORK, Auditor
from bigin_archive.audit.bigin_side import Listing
from bigin_archive.audit.comparison import Audit
from bigin_archive.aws import page_parser
from bigin_archive.deadline import Deadline
from bigin_archive.errors import StorageUnavailableError
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.storage.inventory import Inventory
from bigin_archive.sweep.closing import close
from bigin_archive.sweep.cursor import Cursor, SweepState
from tests import planted
from tests.account import Executioner, Killed
from tests.archived import PREFIX, Archive
from tests.aws import Aws
from tests.bigin import Simulator

pytestmark = pytest.mark.in_memory

SAVING_S = 90  # that a slice keeps to save what it found
ALWAYS_OTHER = ("started_at", "finished_at", "proved_by_version")


class Slices:
    """Audits of one archive, by functions that have so many looks at the clock, and are killed at some call."""

    def __init__(self, archive: Archive) -> None:
        self.archive, self.executioner = archive, Executioner()
        self.count = 0

    def slice(self, stored: dict[str, Any] | None, looks: int, kill_at: int | None = None) -> Audit | dict[str, Any]:
        """One function. What it returns goes through JSON, as the table keeps it."""
        self.count += 1
        ticks = iter(range(10**9))
        deadline = Deadline(SAVING_S + looks, lambda: float(next(ticks)))
        clients = {name: self.archive.aws.client(name) for name in ("s3", "dynamodb")}
        for client in clients.values():
            page_parser.use(client.meta.events)
            client.meta.events.register_first("before-call", self.executioner)
        auditor = Auditor(
            Ledger(clients["dynamodb"], self.archive.aws.ledger_table),
            Inventory(clients["s3"], self.archive.aws.bucket, PREFIX, threads=2),
            batch=3,
        )
        self.executioner.calls_left = kill_at
        try:
            made = auditor.go_on(json.loads(json.dumps(stored)), self.listing(), MODULES, deadline)
        finally:
            self.executioner.calls_left = None
        return made

    @staticmethod
    def listing() -> Listing:
        """Bigin's list as a sweep in January left it in the ledger."""
        return Listing("2026-01-01T00:00:00+00:00")

    def left(self) -> dict[str, Any]:
        """Report and index as they lie in the bucket, but for what hangs on the moment."""
        report = json.loads(self.archive.read("_audit/latest.json"))
        assert report.pop("finished_at")
        told: dict[str, Any] = {name: value for name, value in report.items() if name not in ALWAYS_OTHER}
        for name in ("attachments.csv", "SHA256SUMS"):
            told[name] = self.archive.read(f"_index/{name}")
        head, *rows = gzip.decompress(self.archive.read("_index/search.tsv.gz")).splitlines()
        return told | {"search": rows, "search head": head.split(b"\t")[2:]}


@pytest.fixture
def slices(aws: Aws, bigin: Simulator) -> Slices:
    """An archive with differences of every kind, all of whose right rows are marked."""
    archive = Archive(aws, bigin)
    untouched, touched = archive.new(40), archive.new(2 * len(planted.ALL))
    archive.empty_bigin()
    archive.in_bigin([*untouched, *touched])
    made = Slices(archive)
    planted.plant(archive, touched, planted.ALL)
    archive.auditor.audit(made.listing())  # marks
    return made


def whole(slices: Slices) -> dict[str, Any]:
    """What one slice leaves."""
    assert isinstance(slices.slice(None, 10_000), Audit)
    return slices.left()


def test_slices_make_the_same_report(slices: Slices) -> None:
    """Slices of a step or two compare everything once, and lose nothing between them."""
    expected, slices.count = whole(slices), 0
    chance = random.Random(1)
    made = slices.slice(None, 1)
    while not isinstance(made, Audit):
        made = slices.slice(made, chance.randrange(1, 4))

    assert expected == slices.left()
    assert slices.count >= 8
    assert expected["compared"] == made.compared


@pytest.mark.parametrize("seed", range(3))
def test_a_function_may_die_at_any_call(slices: Slices, seed: int) -> None:
    """If a function dies at any call, its slice is done again from its beginning, by one function or by two."""
    expected, chance = whole(slices), random.Random(seed)
    stored: dict[str, Any] | None = None
    for _ in range(200):
        kill_at = chance.choice([None, chance.randrange(1, 60)])
        try:
            made = slices.slice(stored, chance.randrange(1, 12), kill_at)
        except (Killed, StorageUnavailableError):
            continue
        if isinstance(made, Audit):
            break
        if chance.random() < 0.7:  # else the slice comes twice
            stored = made

    assert isinstance(made, Audit)
    assert expected == slices.left()


@pytest.mark.parametrize("damage", ["deleted", "of another slice", "other version"])
def test_what_was_lost_between_two_slices_is_done_again(slices: Slices, damage: str) -> None:
    """If a stored file is gone, changed, or from another version, the audit begins anew."""
    expected, archive = whole(slices), slices.archive
    stored = slices.slice(slices.slice(None, 1), 9)  # type: ignore[arg-type]
    assert isinstance(stored, dict)
    assert stored["audit"]["compared"]
    key = PREFIX + stored["files"]["table-000000.gz"][0]
    assert key.startswith(PREFIX + WORK)
    if damage == "deleted":
        archive.aws.s3.delete_object(Bucket=archive.aws.bucket, Key=key)
    elif damage == "of another slice":
        archive.aws.s3.put_object(Bucket=archive.aws.bucket, Key=key, Body=b"")
    else:
        stored["version"] = "0.0.1"

    assert isinstance(slices.slice(stored, 10_000), Audit)

    assert expected == slices.left()


def test_the_end_of_a_sweep_keeps_where_its_audit_stands(slices: Slices) -> None:
    """The sweep's state in the table says where its audit stands, until the audit is written."""
    expected, archive = whole(slices), slices.archive
    auditor = Auditor(archive.ledger, archive.inventory, batch=10)
    # It began before lists were stored: what it saw stands in the rows.
    began = "2026-01-01T00:00:00+00:00"
    state = SweepState("2026-01-02T00:00:00+00:00", list(MODULES), began, strategy="records", full_since=began)
    cursor = Cursor(archive.aws.dynamodb, archive.aws.ledger_table, "", lambda: 0.0)
    made = None
    for _ in range(100):
        ticks = iter(range(10**9))
        deadline = Deadline(SAVING_S + 3, lambda ticks=ticks: float(next(ticks)))
        made = close(auditor, cursor, state, deadline)
        state = SweepState(**json.loads(json.dumps(state.as_dict())))
        if made:
            break
        assert state.audit

    assert made
    assert state.audit is None
    told = slices.left()
    assert told.pop("limits") != expected.pop("limits")  # it is a sweep's list
    assert expected == told
