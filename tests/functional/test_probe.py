"""The probe of a Bigin account: it finds how Bigin answers, only reads, and prints no personal data."""

import json
from typing import Any

import pytest

from bigin_archive.bigin.probed_answers import ProbedAnswers
from tests.account import Account, archived, listed_by, many
from tests.aws import Aws
from tests.bigin import TOKEN, Simulator
from tests.functional.test_operate_stack import deploy, run

pytestmark = pytest.mark.in_memory


def probe(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, dict[str, dict[str, Any]]]:
    """Exit status, and the checks by name."""
    capsys.readouterr()
    status = run(monkeypatch, "probe", "--stack", deploy(aws), "--json")
    printed = capsys.readouterr().out
    assert TOKEN not in printed
    return status, {found["check"]: found for found in json.loads(printed)["checks"]}


def different(found: dict[str, dict[str, Any]]) -> set[str]:
    assert all(one["meaning"] for one in found.values() if one["verdict"] == "different")
    return {name for name, one in found.items() if one["verdict"] == "different"}


def test_the_simulator_is_as_expected(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The probe makes some twenty calls that only read. Its result lies beside the archive and names nobody."""
    status, found = probe(aws, monkeypatch, capsys)

    assert set() == different(found) - {"fields that hold files"}, found
    assert "Size, as text" == found["sizes"]["seen"]
    assert bigin.calls()["total"] <= 30
    (kept,) = aws.objects().values()
    assert {"version", "where", "at", "checks"} == set(json.loads(kept))
    assert "@" not in kept.decode()
    assert status in (0, 1)


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"fields_refused": True}, {"a list with fields"}),
        ({"size_key": "$size", "size_as_string": False}, {"sizes"}),
        ({"module_attachments": "on"}, {"list of the whole account"}),
        ({"no_bigin": "html"}, {"records"}),
    ],
    ids=["fields", "size", "whole", "no-bigin"],
)
def test_a_difference_is_found(
    aws: Aws,
    bigin: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    settings: dict[str, Any],
    names: set[str],
) -> None:
    """An account that answers as only some clients have seen it shows as different."""
    bigin.control("PATCH", "settings", settings)

    status, found = probe(aws, monkeypatch, capsys)

    assert 1 == status
    assert names <= different(found)


DAY_S = 24 * 3600


def account_calls(bigin: Simulator) -> int:
    """Calls for the list of the whole account."""
    return sum(call["path"].endswith("/v2/Attachments") for call in bigin.calls()["log"])


def test_a_sweep_tries_no_list_that_the_probe_did_not_find(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For 90 days a sweep goes by the probe. Without a result, or with an older one, it asks for itself."""
    listed_by(bigin, "record")
    account = Account(aws, bigin)
    for probed, age_days, tries in ((False, 0, True), (True, 0, False), (True, 91, True)):
        if probed and not age_days:
            probe(aws, monkeypatch, capsys)
        account.clock.now_s += age_days * DAY_S
        bigin.control("DELETE", "calls")
        account.sweep()
        assert tries is bool(account_calls(bigin)), (probed, age_days)


def test_a_sweep_and_its_audit_compare_no_sizes_that_the_probe_found_wrong(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where lists tell other sizes, files are archived whole, and the report says what was not compared."""
    for found in bigin.attachments():
        bigin.control("DELETE", f"attachments/{found['attachment_id']}")
    bigin.add(b"eleven byte", listed={"Size": "12"})
    status, found = probe(aws, monkeypatch, capsys)
    assert (1, {"listed size of a file"}) == (status, different(found) & {"listed size of a file"})

    bigin.control("DELETE", "calls")
    account = Account(aws, bigin)
    state = account.sweep()

    assert ("complete", False) == (state.result, state.compares_sizes)
    assert 1 == bigin.calls()["by_call"]["download"]
    assert [b"eleven byte"] == [aws.objects()[key] for key in archived(aws)]
    report = json.loads(aws.objects()["bigin/_audit/latest.json"])
    assert any("Sizes were not compared" in limit for limit in report["limits"])


def test_a_dry_run_counts_as_the_sweep_does(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It tries no list that the probe did not find, and takes no file for a new one whose size was always wrong."""
    listed_by(bigin, "record")
    many(bigin, 0)
    bigin.add(b"eleven byte", listed={"Size": "12"})
    probe(aws, monkeypatch, capsys)
    Account(aws, bigin).sweep()
    bigin.control("DELETE", "calls")
    capsys.readouterr()

    assert 0 == run(monkeypatch, "sweep", "--stack", deploy(aws), "--dry-run", "--json")

    assert (0, 0) == (json.loads(capsys.readouterr().out)["unknown"], account_calls(bigin))


@pytest.mark.parametrize(
    "kept",
    [
        None,
        b"",
        b"[]",
        b"null",
        b'{"checks": []}',
        b'{"at": "soon", "checks": []}',
        b'{"at": 5, "checks": []}',
        b'{"at": "2026-01-31T00:00:00Z"}',
        b'{"at": "2026-01-31T00:00:00Z", "checks": [{"check": []}]}',
        b'{"at": "2026-01-31T00:00:00Z", "checks": ["list of the whole account"]}',
        b"[" * 100_000,
    ],
)
def test_what_cannot_be_read_counts_as_no_answer(kept: bytes | None) -> None:
    """A result that cannot be read counts as none, and stops no sweep."""
    assert ProbedAnswers() == ProbedAnswers.read(kept, 1769817600.0)  # 2026-01-31


def test_a_stack_that_is_not_connected_is_told(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing can be asked without a token."""
    aws.put_secret(aws.token_secret_id, "{}")

    assert 1 == run(monkeypatch, "probe", "--stack", deploy(aws))

    assert "authorize" in capsys.readouterr().err
