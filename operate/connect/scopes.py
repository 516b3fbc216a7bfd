"""The OAuth scopes that the archive needs: one table for the terminal and for docs/connect.md.

Bigin API v2, "Download an attachment": READ of the module and READ of attachments. Other pages write the module of a
scope in lower case. Companies are ``accounts``.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bigin_archive.archive_request import MODULES

ATTACHMENTS = "ZohoBigin.modules.attachments.READ"
# Only a stack with WatchModules needs it, to enable and to list its channels (Bigin API v2, "Enable notifications").
NOTIFICATIONS = "ZohoBigin.notifications.ALL"


@dataclass(frozen=True, slots=True)
class Scope:
    """One scope and its purpose; ``module`` is None for the one that every module needs."""

    name: str
    module: str | None
    purpose: str


def module_scope(module: str) -> str:
    """The scope that reads one module."""
    return f"ZohoBigin.modules.{module.lower()}.READ"


SCOPES: tuple[Scope, ...] = (
    Scope(ATTACHMENTS, None, "list and download attachments, of every module below"),
    *(
        Scope(module_scope(module), module, f"read {'companies' if module == 'Accounts' else module.lower()}")
        for module in MODULES
    ),
)


def needed(modules: Iterable[str] = MODULES) -> tuple[str, ...]:
    """The scopes for these modules."""
    chosen = set(modules)
    return tuple(scope.name for scope in SCOPES if scope.module is None or scope.module in chosen)


def line(modules: Iterable[str] = MODULES, *, notifications: bool = False) -> str:
    """The line to paste into Zoho's API console: scopes with commas and without blanks."""
    return ",".join([*needed(modules), *([NOTIFICATIONS] if notifications else [])])


def may_list_attachments(granted: str) -> bool:
    """Whether the granted scopes (separated by blanks or commas) include one for attachments."""
    names = {name.lower() for name in granted.replace(",", " ").split()}
    return not names.isdisjoint({ATTACHMENTS.lower(), "zohobigin.modules.attachments.all"})


def may_watch(granted: str) -> bool:
    """Whether the granted scopes include the one for notification channels."""
    return NOTIFICATIONS.lower() in granted.lower().replace(",", " ").split()


def markdown_table() -> str:
    """The table of docs/connect.md."""
    rows = [f"| `{scope.name}` | {scope.purpose} |" for scope in SCOPES]
    return "\n".join(["| Scope | Needed to |", "|---|---|", *rows]) + "\n"
