"""What the local stack takes from the environment: which Bigin, which tokens, which directory."""

import io
import json
import signal
from pathlib import Path

import pytest
from rich.console import Console

from local.__main__ import main
from local.demo import Archived
from local.inventory import Attachment, Content, Inventory
from local.report import show_files
from local.settings import Bigin, SettingsError
from tests.raw_server import serving

FAKE = "http://127.0.0.1:8080"


def test_without_an_address_the_simulator_serves() -> None:
    """Without an address the simulator serves, and a token in the environment is not used."""
    assert Bigin.from_env({"BIGIN_ACCESS_TOKEN": "t"}) is None


def test_a_fake_serves_both_and_its_secrets_are_test() -> None:
    """One address names a fake for both hosts; its secrets are ``test`` unless the environment says otherwise."""
    plain = Bigin.from_env({"BIGIN_API_URL": FAKE, "BIGIN_ACCESS_TOKEN": "t"})
    told = Bigin.from_env(
        {"BIGIN_ACCOUNTS_URL": FAKE, "BIGIN_CLIENT_ID": "i", "BIGIN_CLIENT_SECRET": "s", "BIGIN_REFRESH_TOKEN": "r"}
    )

    assert plain == Bigin(FAKE, FAKE, "US", "t", "test", "test", "test")
    assert told == Bigin(FAKE, FAKE, "US", "", "i", "s", "r")


def test_a_data_centre_names_its_other_host() -> None:
    """The address of a data centre decides its other host and the template's parameter."""
    chosen = Bigin.from_env({"BIGIN_API_URL": "https://www.zohoapis.eu/"})

    assert chosen
    assert (chosen.api_url, chosen.accounts_url, chosen.data_center) == (
        "https://www.zohoapis.eu",
        "https://accounts.zoho.eu",
        "EU",
    )


@pytest.mark.parametrize("name", ["BIGIN_API_URL", "BIGIN_ACCOUNTS_URL"])
@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example",
        "http://www.zohoapis.com",
        f"{FAKE}/path",
        f"{FAKE}?query",
        "http://user:secret@127.0.0.1:8080",
        "http://127.0.0.1.evil.example:8080",
        "http://127.0.0.1:0",
        "http://127.0.0.1:65536",
        "https://127.0.0.1:8080",
        "http://0.0.0.0:8080",
        "127.0.0.1:9090",
    ],
)
def test_a_token_goes_to_no_other_host(name: str, url: str) -> None:
    """A token goes only to Zoho's hosts by https or to a fake on this machine; an error does not repeat the value."""
    with pytest.raises(SettingsError) as refused:
        Bigin.from_env({name: url})

    assert name in str(refused.value)
    assert url not in str(refused.value)


@pytest.mark.parametrize(
    ("environment", "status", "told"),
    [
        ({"BIGIN_API_URL": "https://evil.example"}, 2, "BIGIN_API_URL"),
        ({"LOCAL_STACK_DIR": "{file}/below"}, 1, "LOCAL_STACK_DIR"),
        ({"LOCAL_STACK_DIR": "{file}"}, 1, "LOCAL_STACK_DIR"),
    ],
    ids=["host", "below a file", "a file"],
)
def test_a_wrong_setting_is_a_sentence(
    environment: dict[str, str],
    status: int,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A wrong setting is refused with a sentence that names its variable, before anything starts."""
    file = tmp_path / "file"
    file.write_text(json.dumps({}))
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(file=file))
    monkeypatch.setattr("sys.argv", ["local", "up"])

    before = signal.getsignal(signal.SIGTERM)
    try:
        assert main() == status
    finally:
        signal.signal(signal.SIGTERM, before)
    assert told in capsys.readouterr().err


def answered(status: int, body: object) -> list[bytes]:
    """One answer, on a connection of its own."""
    text = json.dumps(body)
    return [f"HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()]


def test_the_demo_takes_links_by_their_address_and_leaves_out_what_the_token_may_not_read() -> None:
    """Another Bigin may name no type, and a token may have the scopes of some modules only."""
    record, none = {"data": [{"id": "7"}]}, {"data": []}
    rows = {"data": [{"id": "1", "File_Name": "a", "Size": "5"}, {"id": "2", "$link_url": "https://x.example"}]}
    scripts = [answered(401, {"code": "OAUTH_SCOPE_MISMATCH"}), answered(200, record), answered(200, rows)]
    with serving(*scripts, answered(200, none)) as server:
        found = Inventory(server.url, lambda: "token").attachments(25)

    assert [("Pipelines", "7", "1", False), ("Pipelines", "7", "2", True)] == [
        (each.module, each.record_id, each.attachment_id, each.is_link) for each in found
    ]


@pytest.mark.parametrize(
    ("width", "shown"), [(80, "0123456789ab…"), (170, "0123456789abcdef" * 4)], ids=["narrow", "log"]
)
def test_the_demo_shows_whole_checksums_where_there_is_room(width: int, shown: str) -> None:
    """A log has them whole, so that they can be compared with those of other programs."""
    attachment = Attachment("Contacts", "7", "1", "a.pdf", 5, is_link=False)
    content = Content(5, "0123456789abcdef" * 4)
    text = io.StringIO()

    show_files(Console(file=text, width=width), [Archived(attachment, ["API"], [], "a.pdf", content, content, "equal")])

    assert f" {shown} " in text.getvalue()
