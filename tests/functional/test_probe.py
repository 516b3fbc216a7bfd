"""The probe of a Bigin account: finds how it answers, reads alone, tells nothing personal."""

import json
from typing import Any

import pytest

from tests.aws import Aws
from tests.bigin import TOKEN, Simulator
from tests.functional.test_operate_stack import deploy, run


def probe(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, dict[str, dict[str, Any]]]:
    """Exit status, and the checks by name."""
    capsys.readouterr()
    status = run(monkeypatch, "probe", "--stack", deploy(aws), "--json")
    told = capsys.readouterr().out
    assert TOKEN not in told
    return status, {found["check"]: found for found in json.loads(told)["checks"]}


def different(found: dict[str, dict[str, Any]]) -> set[str]:
    assert all(one["meaning"] for one in found.values() if one["verdict"] == "different")
    return {name for name, one in found.items() if one["verdict"] == "different"}


def test_the_simulator_is_as_expected(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reads alone, some twenty; what it saw lies beside the archive, and names nobody."""
    status, found = probe(aws, monkeypatch, capsys)

    assert set() == different(found) - {"fields that hold files"}, found
    assert "Size, as text" == found["sizes"]["seen"]
    assert bigin.calls()["total"] <= 30
    (kept,) = aws.objects().values()
    assert {"version", "where", "checks"} == set(json.loads(kept))
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
    """An account that answers as only some clients have seen it."""
    bigin.control("PATCH", "settings", settings)

    status, found = probe(aws, monkeypatch, capsys)

    assert 1 == status
    assert names <= different(found)


def test_a_stack_that_is_not_connected_is_told(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing can be asked without a token."""
    aws.put_secret(aws.token_secret_id, "{}")

    assert 1 == run(monkeypatch, "probe", "--stack", deploy(aws))

    assert "authorize" in capsys.readouterr().err
