"""What operate says stands in tables; these are whole, and fit the rest of the project."""

from typing import Any

import pytest

from bigin_archive.archive_request import MODULES
from bigin_archive.errors import PermanentError, UnauthorizedError
from bigin_archive.settings import DATA_CENTERS
from bigin_archive.token.oauth import GrantError
from operate.connect import scopes
from operate.connect.zoho import CONSOLES, explain
from operate.redrive.reasons import GAVE_UP, reason_text
from tests.vectors import load


def test_the_scope_line_is_one_line_with_every_module() -> None:
    """What is pasted into the console has commas and no blanks."""
    line = scopes.line()

    assert "ZohoBigin.modules.attachments.READ" == line.split(",")[0]
    assert {f"ZohoBigin.modules.{module.lower()}.READ" for module in MODULES} <= set(line.split(","))
    assert not set(" \n") & set(line)


def test_the_scopes_of_some_modules() -> None:
    """A choice of modules needs their scopes and that of attachments."""
    assert ("ZohoBigin.modules.attachments.READ", "ZohoBigin.modules.notes.READ") == scopes.needed(["Notes"])


def test_the_table_names_every_scope() -> None:
    """The table of the docs comes from the same rows as the line of scopes."""
    table = scopes.markdown_table()

    assert all(f"| `{name}` |" in table for name in scopes.needed())
    assert len(scopes.needed()) + 2 == len(table.splitlines())


@pytest.mark.parametrize(
    ("granted", "enough"),
    [
        ("ZohoBigin.modules.ALL ZohoBigin.modules.attachments.READ", True),
        ("zohobigin.modules.attachments.all,ZohoBigin.modules.ALL", True),
        ("ZohoBigin.modules.ALL", False),
        ("ZohoBigin.modules.attachments.CREATE", False),
    ],
)
def test_scopes_that_zoho_names_are_read(granted: str, enough: bool) -> None:
    """Blanks or commas, any case; modules.ALL does not contain the attachments."""
    assert enough == scopes.may_list_attachments(granted)


@pytest.mark.parametrize(
    ("granted", "enough"),
    [
        ("ZohoBigin.modules.ALL ZohoBigin.notifications.ALL", True),
        ("zohobigin.notifications.all,x", True),
        ("ZohoBigin.modules.ALL", False),
        ("ZohoBigin.notifications.READ", False),
    ],
)
def test_the_scope_of_channels_is_found(granted: str, enough: bool) -> None:
    """Scopes for reading alone do not include that of channels."""
    assert enough == scopes.may_watch(granted)


def test_every_data_centre_has_a_console_beside_its_accounts_server() -> None:
    """The console's domain is that of the accounts server."""
    assert {name: hosts.accounts_url.replace("accounts.", "api-console.") for name, hosts in DATA_CENTERS.items()} == (
        CONSOLES
    )


def test_every_reason_to_park_has_its_words() -> None:
    """Every reason for which the worker parks a message has its sentence, and so has an unknown reason."""
    unknown = reason_text("new", None)
    for error in set(PermanentError.__subclasses__()) - {UnauthorizedError}:
        assert unknown != reason_text(error.code, None), error.code

    assert "100 tries" in reason_text(GAVE_UP, 100).meaning


@pytest.mark.parametrize("code", ["invalid_code", "invalid_client", "Access Denied", "unreachable", "anything"])
def test_every_refusal_has_problem_and_remedy(code: str) -> None:
    """Known or not, Zoho's word becomes sentences."""
    explained = explain(GrantError(code, "d"), {})

    assert explained.problem.endswith(".")
    assert explained.remedy.endswith(".")


@pytest.mark.parametrize("vector", load("errors", where=lambda vector: vector["message"] in ("parked", "retried")))
def test_every_reason_of_a_dead_letter_has_its_words(vector: dict[str, Any]) -> None:
    """Every reason of a dead letter has its words, whether no retry could help or the last one failed."""
    assert "does not know this reason" not in reason_text(vector["name"], 100).meaning
