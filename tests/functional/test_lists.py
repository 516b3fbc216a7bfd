"""What a sweep believes of Bigin's lists, and until when its verdict holds."""

import json
from typing import Any

import pytest

from bigin_archive.sweep.sweep import SweepRequest
from tests.account import Account, at, ledger, many
from tests.aws import Aws
from tests.bigin import Simulator

NIGHTLY = SweepRequest(nightly=True)
BEFORE = "2026-01-05T10:00:00+00:00"


def report(aws: Aws) -> dict[str, Any]:
    """The last audit's."""
    found: dict[str, Any] = json.loads(
        aws.s3.get_object(Bucket=aws.bucket, Key="bigin/_audit/latest.json")["Body"].read()
    )
    return found


def test_the_verdict_says_until_when_the_lists_were_whole(aws: Aws, bigin: Simulator) -> None:
    """A nightly sweep of changes proves no more than the last sweep of everything, and names what it cannot see."""
    many(bigin, 3)
    account = Account(aws, bigin)
    first = account.sweep(NIGHTLY)
    account.clock.now_s += 86400
    bigin.add(b"unseen", record_id="5001", attachment_id="777")
    bigin.control("PATCH", "records", {"module": "Contacts", "record_ids": ["5001"], "modified_time": BEFORE})

    second = account.sweep(NIGHTLY)
    told = report(aws)
    account.clock.now_s += 8 * 86400
    third = account.sweep(NIGHTLY)

    assert first.complete_as_of == first.started_at
    assert ("complete", first.started_at, first.started_at) == (
        second.result,
        second.complete_as_of,
        told["complete_as_of"],
    )
    assert any("without any change of its record" in limit for limit in told["limits"])
    assert ("complete", third.started_at) == (third.result, third.complete_as_of)
    assert "777" in ledger(aws)


def test_a_list_that_is_not_whole_has_no_time(aws: Aws, bigin: Simulator) -> None:
    """Where a module was refused the report names no time; the sweep keeps the last one, so that its age shows."""
    many(bigin, 2)
    account = Account(aws, bigin)
    first = account.sweep(NIGHTLY)
    account.clock.now_s += 8 * 86400
    refusal = {"code": "NO_PERMISSION", "status": "error", "message": "m", "details": {}}
    bigin.answer(403, refusal, call="records", skip=1, times=1)

    second = account.sweep(NIGHTLY)

    assert ("partial", None, first.started_at) == (
        second.result,
        report(aws)["complete_as_of"],
        second.complete_as_of,
    )


@pytest.mark.parametrize("behind_s", [120, 14 * 60])
def test_a_clock_of_bigin_that_is_behind_hides_nothing(aws: Aws, bigin: Simulator, behind_s: int) -> None:
    """What is attached a minute after the full sweep began is found by the nightly one, whatever Bigin's clock says."""
    many(bigin, 3)
    account = Account(aws, bigin)
    attached_at = at(account, 60 - behind_s)
    account.sweep(NIGHTLY)
    bigin.add(b"new", record_id="5001", attachment_id="777", created_time=attached_at)
    bigin.control("PATCH", "records", {"module": "Contacts", "record_ids": ["5001"], "modified_time": attached_at})
    account.clock.now_s += 86400

    state = account.sweep(NIGHTLY)

    assert (False, True) == (state.is_full, "777" in ledger(aws))
