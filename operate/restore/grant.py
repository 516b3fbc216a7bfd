"""The right to write to Bigin: kept in memory for one run, and revoked at its end, however it ends.

Each exchange of a code makes a refresh token. A user has at most 20 of them, and one more would end the oldest, which
may be the one of the stack (Zoho CRM API, "Token validity"). So a grant is noted before it is asked for, and the note
is removed only after Zoho has said that the grant has ended.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import FrameType

import click

from bigin_archive.errors import ArchiveError, BiginTokenRejectedError
from bigin_archive.network.transport import Session
from bigin_archive.settings import DataCenter
from bigin_archive.token import oauth
from bigin_archive.token.access_token import AccessToken
from bigin_archive.token.oauth import Grant, GrantError
from operate.connect.prompts import Prompts
from operate.connect.zoho import CLIENT_ID, CLIENT_SECRET, CODE, CONSOLES, explain
from operate.errors import OperateError
from operate.restore.notes import RestoreNotes
from operate.stack.stack import Stack
from operate.terminal import complain

NOTHING_SENT = "Nothing was sent."
_MARGIN = timedelta(minutes=2)  # before a token expires: an upload may take this long until Bigin looks at its token
_REVOKING_WAITS_S = (2, 5)
_HOW = {
    CLIENT_ID: "with --client-id or BIGIN_CLIENT_ID, or as the next line of stdin",
    CLIENT_SECRET: "with BIGIN_CLIENT_SECRET, or as the next line of stdin",
    CODE: "with BIGIN_GRANT_CODE, or as the next line of stdin",
}
# After these answers Zoho has certainly granted nothing.
_CERTAIN = ("invalid_code", "invalid_client", "invalid_client_secret", "Access Denied", "wrong_data_center")
LEFT_REMEDY = (
    "Each counts towards the 20 that a Bigin user may have. Remove them at Zoho (accounts.zoho.com, or that of your "
    "data centre: Sessions, Connected Apps), then: bigin-archive restore --forget-grants"
)


def scope_line(modules: tuple[str, ...]) -> str:
    """The line to paste into Zoho's API console: READ and CREATE, nothing else."""
    names = ["ZohoBigin.modules.attachments", *(f"ZohoBigin.modules.{module.lower()}" for module in modules)]
    return ",".join(f"{name}.{right}" for name in names for right in ("READ", "CREATE"))


def asked_for(stack: Stack, modules: tuple[str, ...], client_id: str | None) -> dict[str, str]:
    """Client id, client secret and code, from options, the environment or the terminal. Raises OperateError."""
    given = {
        CLIENT_ID: client_id,
        CLIENT_SECRET: os.environ.get("BIGIN_CLIENT_SECRET"),
        CODE: os.environ.get("BIGIN_GRANT_CODE"),
    }
    prompts = Prompts(given)
    centre = stack.data_center
    where = (
        f"{CONSOLES[centre]} (data centre {centre}): Self Client, Generate Code, 10 minutes"
        if centre
        else ("the simulator's control interface takes codes, each with its scope")
    )
    # To stderr, because a program may read stdout.
    click.echo(
        f"A separate code is needed. {where[0].upper()}{where[1:]}. This is the line of scopes:\n"
        f"{scope_line(modules)}\n"
        "It allows reading and adding, nothing else. It is revoked at the end of this run.",
        err=True,
    )
    return {name: prompts.value(name, hidden=name != CLIENT_ID, how=how) for name, how in _HOW.items()}


class GrantedTokens:
    """The access token of one grant, renewed in memory. It has no repr: it must not be logged."""

    def __init__(
        self,
        session: Session,
        hosts: DataCenter,
        client: Mapping[str, str],
        grant: Grant,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._session = session
        self._hosts = hosts
        self._client = client
        self._refresh_token = grant.refresh_token or ""
        self._now = now
        self._token = self._of(grant)

    def current(self) -> AccessToken:
        """The token, renewed shortly before its end. Raises BiginTokenRejectedError."""
        expires_at = self._token.expires_at
        if expires_at and self._now() + _MARGIN >= expires_at:
            self._token = self._renewed()
        return self._token

    def after_refusal(self, refused: AccessToken) -> AccessToken:
        """A new token. Raises BiginTokenRejectedError."""
        if self._token.value == refused.value:
            self._token = self._renewed()
        return self._token

    def revoke(self) -> bool:
        """End the grant at Zoho; return whether it has ended.

        This also ends its access tokens (Zoho CRM API, "Revoking refresh token"). In case one does not end with it, the
        access token is revoked by itself as well, whatever Zoho answers.
        """
        ended = oauth.revoke(self._session, self._hosts.accounts_url, self._refresh_token)
        if ended:
            oauth.revoke(self._session, self._hosts.accounts_url, self._token.value)
        return ended

    def _renewed(self) -> AccessToken:
        form = {**self._client, "refresh_token": self._refresh_token, "grant_type": "refresh_token"}
        try:
            return self._of(oauth.request_grant(self._session, self._hosts.accounts_url, self._hosts.api_url, form))
        except GrantError as error:
            raise BiginTokenRejectedError(
                f"Bigin refuses the token, and Zoho gives no other ({error.code}). Run the command again with a new "
                "code: what was sent is not sent again."
            ) from None

    def _of(self, grant: Grant) -> AccessToken:
        return AccessToken(grant.access_token, self._now() + timedelta(seconds=grant.lifetime_s))


@contextmanager
def granted(
    session: Session,
    hosts: DataCenter,
    values: Mapping[str, str],
    modules: tuple[str, ...],
    notes: RestoreNotes,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[GrantedTokens]:
    """Exchange the code in ``values`` and, at the end of the block, revoke what it gave.

    A signal that would end the process becomes a KeyboardInterrupt. Raises OperateError, StorageUnavailableError.
    """
    with _interruptible():
        number = notes.open_grant()
        client = {"client_id": values[CLIENT_ID], "client_secret": values[CLIENT_SECRET]}
        form = {**client, "code": values[CODE], "grant_type": "authorization_code"}
        try:
            grant = oauth.request_grant(session, hosts.accounts_url, hosts.api_url, form)
        except GrantError as error:
            if error.code in _CERTAIN:
                notes.close_grant(number)
            why = explain(error, values)
            raise OperateError(f"{why.problem} {NOTHING_SENT}", why.remedy) from None
        tokens = GrantedTokens(session, hosts, client, grant)
        try:
            _check_scope(grant.scope, modules)
            yield tokens
        finally:
            with _undisturbed():
                _end(tokens, grant, notes, number, sleep)


def _check_scope(granted_scope: str | None, modules: tuple[str, ...]) -> None:
    if granted_scope is None:
        return
    held = {name.lower() for name in granted_scope.replace(",", " ").split()}
    missing = []
    for name in scope_line(modules).split(","):
        area, _, right = name.lower().rpartition(".")
        same = {f"{area}.{right}", f"{area}.all"} | ({f"{area}.write"} if right == "create" else set())
        if not area.endswith(".attachments"):
            same.add("zohobigin.modules.all")
        if not held & same:
            missing.append(name)
    if missing:
        raise OperateError(
            f"The grant lacks {', '.join(missing)}. {NOTHING_SENT}",
            "Generate the code with the whole scope line as it is printed.",
        )


def _end(tokens: GrantedTokens, grant: Grant, notes: RestoreNotes, number: str, sleep: Callable[[float], None]) -> None:
    ended = grant.refresh_token is None  # an access token alone ends by itself within the hour
    for wait_s in (*_REVOKING_WAITS_S, 0):
        if ended := ended or tokens.revoke():
            break
        sleep(wait_s)
    if not ended:
        complain("Zoho did not say that the grant has ended.", LEFT_REMEDY)
        return
    try:
        notes.close_grant(number)
    except ArchiveError as error:
        complain("The grant has ended; its note could not be removed.", error.detail)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Inside the block, SIGTERM and SIGHUP act like Ctrl-C, so that cleaning up still happens."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _signals(dict.fromkeys(("SIGTERM", "SIGHUP"), interrupt)):
        yield


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Inside the block Ctrl-C does nothing: an impatient second one must not leave a grant alive."""
    with _signals(dict.fromkeys(("SIGINT", "SIGTERM", "SIGHUP"), signal.SIG_IGN)):
        yield


@contextmanager
def _signals(handlers: Mapping[str, Callable[[int, FrameType | None], None] | signal.Handlers]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may have handlers
        return
    known = {getattr(signal, name): handler for name, handler in handlers.items() if hasattr(signal, name)}
    before = {number: signal.signal(number, handler) for number, handler in known.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
