"""The whole account on the deployed stack: one command sweeps it, the next one proves it."""

import json
from collections.abc import Iterator

import pytest

from local.deployment import STACK_NAME
from local.stack import LocalStack
from operate.cli import main
from tests.bigin import Simulator
from tests.deployed import Deployed


@pytest.fixture
def account(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    """A stack of its own, whose bucket holds nothing yet; the commands find it as they find any stack."""
    with LocalStack(tmp_path_factory.mktemp("account")) as stack:
        made = Deployed(stack, Simulator(stack.description["bigin_api_url"]))
        made.connect()
        for name, value in {
            "AWS_ENDPOINT_URL": stack.description["aws_endpoint_url"],
            "AWS_CA_BUNDLE": stack.description["ca_bundle"],
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": stack.description["region"],
        }.items():
            monkeypatch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        yield made


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
