"""The selftest: it finds differences, leaves nothing behind, and prints no personal data."""

import json
import logging
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer  # type: ignore[import-not-found, unused-ignore]

from local.emulator import Emulator
from operate.cli import main
from operate.selftest import throw_away
from tests.meddler import Headers, meddling


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws_at(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """The shell of an operator whose AWS is at an address."""

    def set_all(url: str, **more: str) -> None:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CONFIG_FILE", "AWS_REGION", "BIGIN_ARCHIVE_STACK"):
            monkeypatch.delenv(name, raising=False)
        given = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
        for name, value in {**given, "AWS_ENDPOINT_URL": url, **more}.items():
            monkeypatch.setenv(name, value)

    return set_all


def selftest(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Exit status, and the checks by name."""
    capsys.readouterr()
    status = main(["selftest", "--yes", "--json", "--stack", f"none-{uuid.uuid4().hex[:8]}", *options])
    printed = capsys.readouterr().out
    assert throw_away.PREFIX not in printed
    return status, {found["check"]: found for found in json.loads(printed)["checks"]}


def different(found: dict[str, dict[str, Any]]) -> set[str]:
    assert all(one["meaning"] for one in found.values() if one["verdict"] == "different")
    return {name for name, one in found.items() if one["verdict"] == "different"}


def test_the_emulator_of_the_local_stack_is_as_expected(
    emulator: Emulator, aws_at: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Storage under Object Lock and without, and the template's change set; nothing is left."""
    aws_at(emulator.url, AWS_CA_BUNDLE=str(emulator.ca_bundle))

    status, found = selftest(capsys)

    assert (0, set()) == (status, different(found))
    assert "would be created" == found["template: change set"]["seen"]
    assert "FULL_OBJECT, SHA-256" == found["Object Lock: the checksum of the streamed file"]["seen"]
    assert [] == throw_away.leftovers(boto3.session.Session().client("s3"))


def test_the_second_emulator_is_as_expected(
    moto: str, aws_at: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """It refuses what names no checksum under Object Lock, and does not see the template: neither is a difference."""
    aws_at(moto)

    status, found = selftest(capsys)

    assert (0, set()) == (status, different(found))
    assert "refused" in found["Object Lock: without x-amz-sdk-checksum-algorithm"]["seen"]
    assert "not supported here" == found["template: change set"]["verdict"]


def test_without_the_template_it_says_where_to_find_it(
    moto: str,
    aws_at: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """An installed command runs in any folder: what needs no template is tried all the same."""
    aws_at(moto)
    template = Path("template.yaml").absolute()
    monkeypatch.chdir(tmp_path)

    status, found = selftest(capsys)

    assert (0, set()) == (status, different(found))
    assert "bucket: a small file" in found
    assert "--template" in found["template: change set"]["meaning"]
    assert 2 == main(["selftest", "--yes", "--template", "nowhere.yaml"])
    assert "nowhere.yaml" in capsys.readouterr().err
    assert "--template" not in str(selftest(capsys, "--template", str(template))[1]["template: change set"]["meaning"])


def no_condition(method: str, path: str, headers: Headers) -> None:
    headers.pop("if-none-match", None)


def no_checksum(method: str, path: str, headers: Headers) -> None:
    headers.pop("x-amz-checksum-sha256", None)


def decoded_names(method: str, path: str, headers: Headers) -> None:
    if "x-amz-meta-file-name" in headers:
        headers["x-amz-meta-file-name"] = "decoded.txt"


@pytest.mark.parametrize(
    ("request_", "answer", "names"),
    [
        (no_condition, None, {"a second write"}),
        (None, no_checksum, {"a large file, streamed", "the checksum of the streamed file"}),
        (None, decoded_names, {"names in the metadata"}),
    ],
    ids=["overwrites", "no-checksum", "names"],
)
def test_a_difference_is_found(
    moto: str,
    aws_at: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    request_: Callable[..., None] | None,
    answer: Callable[..., None] | None,
    names: set[str],
) -> None:
    """A server that ignores the condition, keeps no checksum, or changes names is found."""
    changes = {"request": request_, "answer": answer}
    with meddling(moto, **{name: change for name, change in changes.items() if change}) as url:
        aws_at(url)
        status, found = selftest(capsys)

    assert 1 == status
    assert {f"{kind}: {name}" for kind in ("bucket", "Object Lock") for name in names} == different(found)


def test_nothing_is_left_behind(moto: str, aws_at: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    """Neither Ctrl-C nor an earlier run that was killed leaves anything. Buckets of others are never touched."""
    aws_at(moto)
    s3 = boto3.session.Session().client("s3")
    # moto serves other tests as well.
    others = {found["Name"] for found in s3.list_buckets()["Buckets"]}

    def interrupted() -> None:
        with throw_away.bucket(s3, "us-east-1", locked=True) as name:
            s3.put_object(Bucket=name, Key="a", Body=b"a", ChecksumAlgorithm="SHA256")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [] == throw_away.leftovers(s3)

    s3.create_bucket(Bucket=f"{throw_away.PREFIX}killed")
    s3.create_bucket(Bucket="somebody-else")
    selftest(capsys)
    assert others | {"somebody-else"} == {found["Name"] for found in s3.list_buckets()["Buckets"]}
    with pytest.raises(ValueError, match="no bucket of the selftest"):
        throw_away.remove(s3, "somebody-else")


def test_it_asks_before_it_makes_anything(
    moto: str, aws_at: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a yes nothing is created, and what it would cost is told."""
    aws_at(moto)

    assert 0 != main(["selftest"])

    assert "less than a cent" in capsys.readouterr().out
    assert [] == throw_away.leftovers(boto3.session.Session().client("s3"))
