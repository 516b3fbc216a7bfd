"""The error codes: public interface of the HTTP API and of dead letters."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bigin_archive import http_errors
from bigin_archive.api import gateway
from bigin_archive.errors import ArchiveError, NothingToArchiveError, OutOfTimeError, PermanentError, TransientError
from tests.vectors import load

OUTCOMES: dict[str, type[ArchiveError]] = {
    "done": NothingToArchiveError,
    "parked": PermanentError,
    "retried": TransientError,
}
EVENT = {"requestContext": {"requestId": "id-1"}}


def concrete(base: type[ArchiveError] = ArchiveError) -> Iterator[type[ArchiveError]]:
    assert issubclass(http_errors.ForbiddenError, ArchiveError)  # loaded: part of the interface, too
    if "code" in base.__dict__:
        yield base
    for kind in base.__subclasses__():
        yield from concrete(kind)


KINDS = {kind.code: kind for kind in concrete()}


def test_codes_are_those_of_the_interface() -> None:
    """There is one class for each code of the interface, and no other."""
    expected = [one.values[0]["name"] for one in load("errors")]

    assert sorted(expected) == sorted(kind.code for kind in concrete())


@pytest.mark.parametrize("vector", load("errors"))
def test_status(vector: dict[str, Any]) -> None:
    """Every code has the HTTP status of the interface."""
    assert vector["status"] == KINDS[vector["name"]].status


@pytest.mark.parametrize("vector", load("errors", where=lambda vector: vector["message"]))
def test_fate_of_the_message(vector: dict[str, Any]) -> None:
    """Every code has exactly one outcome in the queue."""
    outcomes = [outcome for outcome, kind in OUTCOMES.items() if issubclass(KINDS[vector["name"]], kind)]

    assert [vector["message"]] == outcomes


@pytest.mark.parametrize("vector", load("errors"))
def test_problem_document(vector: dict[str, Any]) -> None:
    """An error is answered as a problem document (RFC 9457) with code, request id, and Retry-After where it helps."""
    answer = gateway.problem(KINDS[vector["name"]]("What to do."), EVENT)
    document = json.loads(answer["body"])

    assert vector["status"] == answer["statusCode"]
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert vector["retry_after"] == ("Retry-After" in answer["headers"])
    assert {"type", "title", "status", "detail", "code", "request_id"} == set(document)
    assert vector["status"] == document["status"]
    assert vector["name"] == document["code"]
    assert document["detail"] == "What to do."
    assert document["request_id"] == "id-1"
    assert document["type"].endswith(vector["name"])


def test_out_of_time_is_an_incomplete_download() -> None:
    """A transfer that runs out of time has the public code download_incomplete."""
    assert OutOfTimeError("x").code == "download_incomplete"
