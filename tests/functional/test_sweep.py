"""The sweep against simulator and emulator: what it finds, what it costs, and how it is interrupted."""

import itertools
from typing import Any

import pytest

from bigin_archive.ledger import Ledger, LedgerEntry
from bigin_archive.sweep import Order
from tests.account import Account, Killed
from tests.aws import Aws
from tests.bigin import Simulator

WAYS = pytest.mark.parametrize("way", ["records", "all"])


def listed_by(bigin: Simulator, way: str) -> None:
    bigin.control("PATCH", "settings", {"module_attachments": "on" if way == "all" else "off"})


def ledger(aws: Aws) -> dict[str, LedgerEntry]:
    found = Ledger(aws.dynamodb, aws.ledger_table).entries()
    return {entry.attachment_id: entry for entry in found}


def archived(aws: Aws) -> set[str]:
    """The keys of all objects but index and reports, each of one version."""
    return {key for key in aws.objects() if not key.startswith(("bigin/_index/", "bigin/_audit/"))}


def attachments(bigin: Simulator) -> dict[str, dict[str, Any]]:
    return {found["attachment_id"]: found for found in bigin.attachments()}


@WAYS
def test_a_sweep_archives_the_whole_account(aws: Aws, bigin: Simulator, way: str) -> None:
    """Every file and every link that Bigin lists stands in S3, and in the ledger."""
    listed_by(bigin, way)

    state = Account(aws, bigin).sweep()

    entries, expected = ledger(aws), attachments(bigin)
    assert way == state.way
    assert set(expected) == set(entries)
    states = {"file": "archived", "link": "link", "gone": "gone"}
    assert {key: states[found["kind"]] for key, found in expected.items()} == {
        key: entry.state for key, entry in entries.items()
    }
    files = {key: found for key, found in expected.items() if found["kind"] == "file"}
    assert {(found["sha256"], found["size_bytes"]) for found in files.values()} == {
        (entries[key].sha256, entries[key].size_bytes) for key in files
    }
    assert {entry.key for entry in entries.values() if entry.is_stored} == archived(aws)


def many(bigin: Simulator, records: int, attachments_each: int = 1, module: str = "Contacts") -> None:
    """An account of so many records with small files, and nothing else."""
    for module_name in {found["module"] for found in bigin.attachments()}:
        ids = sorted({found["record_id"] for found in bigin.attachments() if found["module"] == module_name})
        bigin.control("DELETE", "records", {"module": module_name, "record_ids": ids})
    for number in range(records):
        for each in range(attachments_each):
            bigin.add(b"%d" % each, record_id=f"{5000 + number}", module=module, attachment_id=f"{number}00{each}7")
    bigin.control("DELETE", "calls")


@WAYS
def test_a_second_sweep_downloads_nothing(aws: Aws, bigin: Simulator, way: str) -> None:
    """What the ledger knows as Bigin lists it is not queued again."""
    listed_by(bigin, way)
    account = Account(aws, bigin)
    account.sweep()
    downloads = bigin.calls()["by_call"]["download"]

    second = account.sweep()

    assert (0, downloads) == (second.queued, bigin.calls()["by_call"]["download"])
    assert second.known == second.listed > 0


@WAYS
def test_a_sweep_survives_a_kill_at_any_call(aws: Aws, bigin: Simulator, way: str) -> None:
    """Killed at every thirteenth of its calls to AWS and resumed, a sweep archives everything, and nothing twice."""
    listed_by(bigin, way)
    many(bigin, 23, 2)
    account = Account(aws, bigin)
    kills, state = 0, None

    for kill_at in itertools.count(1, 13):
        try:
            state = account.slice(Order(), kill_at)
        except Killed:
            kills += 1
            account.clock.now_s += 16 * 60  # the lease of the dead has to end
            account.drain()
            continue
        if kills > 3 and (state is None or state.phase in ("draining", "closing", "done")):
            break
    account.drain()
    while state is None or not state.is_done:
        account.clock.now_s += 16 * 60
        state = account.slice()

    assert kills > 3
    assert 46 == len(archived(aws))
    assert {1} == set(bigin.calls()["downloads"].values())
    assert {"archived"} == {entry.state for entry in ledger(aws).values()}
    assert "complete" == state.result
