"""The whole account on the deployed stack: one command sweeps it, the next one proves it."""

import json

import pytest

from local.deployment import STACK_NAME
from local.stack import LocalStack
from operate.cli import main
from tests.bigin import Simulator
from tests.deployed import Deployed


@pytest.fixture
def account(watching: LocalStack, monkeypatch: pytest.MonkeyPatch) -> Deployed:
    """A stack with an empty bucket, which the commands find like any other stack."""
    made = Deployed(watching, Simulator(watching.description["bigin_api_url"]))
    assert not made.s3.list_objects_v2(Bucket=made.bucket).get("Contents"), "a test before this one archived something"
    made.connect()
    for name, value in {
        "AWS_ENDPOINT_URL": watching.description["aws_endpoint_url"],
        "AWS_CA_BUNDLE": watching.description["ca_bundle"],
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": watching.description["region"],
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return made


def test_one_command_sweeps_the_account(account: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    """``sweep --watch`` archives every file and link of the simulator's account, and tells the audit's result."""
    expected = account.bigin.attachments()

    code = main(["sweep", "--stack", STACK_NAME, "--watch", "--json"])

    printed = capsys.readouterr()
    assert printed.out, printed.err
    status = json.loads(printed.out)
    links = sum(found["kind"] == "link" for found in expected)
    assert (0, "complete") == (code, status["sweep"]["result"])
    assert {"archived": len(expected) - links, "link": links} == status["attachments"]
    assert all(len(account.objects(found)) == 1 for found in expected)
