"""`authorize`: leads a person through connecting a stack to Bigin.

Nothing is stored before Zoho has granted a token and Bigin has accepted it, so a failure never makes things worse.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from bigin_archive.errors import ArchiveError
from bigin_archive.network.transport import Session, session
from bigin_archive.token.oauth import Grant, GrantError, request_grant
from operate.connect import scopes
from operate.connect.prompts import Prompts
from operate.connect.secrets import StackSecrets
from operate.connect.token_probe import Access, Probe
from operate.connect.zoho import CLIENT_ID, CLIENT_SECRET, CODE, CONSOLES, Explanation, explain
from operate.errors import OperateError
from operate.stack.stack import Stack
from operate.terminal import complain, duration, good, moment, say, step, working

ATTEMPTS = 8  # Zoho accepts ten codes of a client in ten minutes (Zoho CRM API, "Token validity")
ACCESS_TOKEN = "access token"  # noqa: S105 - what it is called, not what it is
NOTHING_STORED = "Nothing was stored; what was stored before is untouched."

_HOW = {
    CLIENT_ID: "with --client-id or BIGIN_CLIENT_ID, or as the next line of stdin",
    CLIENT_SECRET: "with BIGIN_CLIENT_SECRET, or as the next line of stdin",
    CODE: "with BIGIN_GRANT_CODE, or as the next line of stdin",
    ACCESS_TOKEN: "with BIGIN_ACCESS_TOKEN, or as the next line of stdin",
}


class Authorization:
    """One conversation about one stack."""

    def __init__(
        self,
        stack: Stack,
        connection: StackSecrets,
        session: Session,
        answers: Prompts,
        modules: Sequence[str],
        *,
        notifications: bool = False,
    ) -> None:
        self._stack = stack
        self._connection = connection
        self._session = session
        self._answers = answers
        self._modules = modules
        self._notifications = notifications or bool(stack.watched)
        self._values: dict[str, str] = {}

    def connect(self) -> None:
        """From the instructions to a stored connection. Raises OperateError."""
        self._instruct()
        grant = self._grant()
        expires_at = self._store(grant)
        good(f"The stack {self._stack.name} is connected to Bigin.")
        until = moment(datetime.fromisoformat(expires_at))
        say(f"  The access token lives until {until}; the stack renews it by itself.")
        say(f"  See what it can do: bigin-archive authorize --stack {self._stack.name} --check", whole=True)

    def connect_bare_token(self) -> None:
        """Store an access token without credentials. Raises OperateError."""
        say("An access token alone works until it expires, usually within an hour. Nothing renews it.")
        token = self._answers.value(ACCESS_TOKEN, hidden=True, how=_HOW[ACCESS_TOKEN])
        access = self._access(token)
        self._check_complete(access, None)
        self._connection.write_bare_token(token, access.expires_at)
        good(f"The stack {self._stack.name} uses this access token.")
        if access.expires_at:
            left = duration(access.expires_at - datetime.now(UTC))
            say(f"  It expires at {moment(access.expires_at)}, in {left}; nothing renews it.")
        else:
            say("  Bigin does not say when it expires; nothing renews it.")
        if self._connection.is_renewable():
            complain(
                "The stack holds credentials as well: its next renewal replaces this token, within 30 minutes.",
                "To stop that, connect with the credentials that you want instead.",
            )

    def _instruct(self) -> None:
        centre = self._stack.data_center
        say(f"Connecting the stack {self._stack.name} ({self._stack.region}) to Bigin", "bold")
        if self._connection.is_renewable():
            say("It is connected already. The stored connection is replaced once the new one works.", "yellow")
        say()
        if centre is None:
            say(f"This stack uses a simulator at {self._stack.hosts.accounts_url}: there is no console to open.")
            say("It takes test as client id and secret, and the codes that its control interface was given.")
        else:
            step(
                1,
                f"Open {CONSOLES[centre]} (data centre {centre}) and sign in as a Bigin user who can see everything "
                "that you want to archive. The archive gets the rights of this user.",
            )
            step(
                2,
                "Choose Self Client (Get Started, or Add Client) and create it. Its tab Client Secret shows the "
                "client id and the client secret.",
            )
            more = "reading and notifications" if self._notifications else "reading, nothing else"
            step(3, f"In its tab Generate Code, paste this line as scope. It allows {more}:")
        say()
        say(scopes.line(self._modules, notifications=self._notifications), "cyan", whole=True)
        say()
        if centre is not None:
            step(
                4,
                "Time duration: 10 minutes. Description: anything. Then Create; if you are asked, choose Bigin and "
                "your organisation. Copy the code that appears: it works once.",
            )
            say()

    def _grant(self) -> Grant:
        for _ in range(ATTEMPTS):
            for name in (CLIENT_ID, CLIENT_SECRET, CODE):
                if name not in self._values:
                    self._values[name] = self._answers.value(name, hidden=name != CLIENT_ID, how=_HOW[name])
            try:
                grant = self._exchange()
            except GrantError as error:
                self._give_up_or_forget(explain(error, self._values))
                continue
            access = self._access(grant.access_token)
            try:
                self._check_complete(access, grant.scope)
            except OperateError as error:
                if not self._answers.interactive:
                    raise
                complain(error.problem, error.remedy)
                usable = any(module.fine for module in access.modules)
                if usable and self._answers.agrees("Connect anyway, without the missing parts?"):
                    return grant
                self._values.pop(CODE)
                say("Generate a new code. Ctrl-C stops; nothing was stored.")
                continue
            return grant
        raise OperateError(f"It failed {ATTEMPTS} times. {NOTHING_STORED}", "Wait ten minutes, then start again.")

    def _exchange(self) -> Grant:
        hosts = self._stack.hosts
        form = {
            "client_id": self._values[CLIENT_ID],
            "client_secret": self._values[CLIENT_SECRET],
            "code": self._values[CODE],
            "grant_type": "authorization_code",
        }
        with working("Exchanging the code"):
            grant = request_grant(self._session, hosts.accounts_url, hosts.api_url, form)
        if grant.refresh_token is None:
            raise GrantError("no_refresh_token", "no refresh token")
        return grant

    def _give_up_or_forget(self, why: Explanation) -> None:
        if why.ask_again is None or not self._answers.interactive:
            raise OperateError(f"{why.problem} {NOTHING_STORED}", why.remedy)
        complain(why.problem, why.remedy)
        say()
        for name in why.ask_again:
            self._values.pop(name, None)
        if not why.ask_again and not self._answers.agrees("Try again with the same values?", default=True):
            raise OperateError(NOTHING_STORED, "Fix the cause, then start again.")

    def _access(self, token: str) -> Access:
        """Try what the token can do. A code works only once, so a temporary failure is retried with the same token."""
        probe = Probe(session(1), self._stack.hosts.api_url, token)
        for _ in range(ATTEMPTS):
            try:
                with working("Trying the token"):
                    return probe.access(self._modules)
            except ArchiveError as error:
                problem = _VERDICTS.get(error.code, error.detail)
                remedy = "Wait a few minutes." if error.code in _PASSING else "Check the data centre and the token."
                failure = OperateError(f"{problem} {NOTHING_STORED}", f"{remedy} Then authorize again.")
                if error.code not in _PASSING or not self._answers.interactive:
                    raise failure from None
                complain(problem, remedy)
                if not self._answers.agrees("Try again with the same token?", default=True):
                    raise failure from None
        raise OperateError(f"Bigin does not answer as it should. {NOTHING_STORED}", "Try again later.")

    def _check_complete(self, access: Access, granted: str | None) -> None:
        missing = list(access.missing())
        if granted and not access.attachments_were_tried and not scopes.may_list_attachments(granted):
            missing.append(f"the scope {scopes.ATTACHMENTS} is missing")
        if granted and self._notifications and not scopes.may_watch(granted):
            missing.append(f"the scope {scopes.NOTIFICATIONS} is missing, which WatchModules needs")
        if missing:
            raise OperateError(
                f"The token cannot read everything: {'; '.join(missing)}. {NOTHING_STORED}",
                "Generate the code with the whole scope line (authorize --scopes prints it). If your Bigin lacks a "
                "module, or this user may not see it, name the modules that you want with --module.",
            )

    def _store(self, grant: Grant) -> str:
        for _ in range(ATTEMPTS):
            try:
                return self._connection.write(self._values[CLIENT_ID], self._values[CLIENT_SECRET], grant)
            except OperateError as error:
                if not self._answers.interactive:
                    raise
                complain(error.problem, error.remedy)
                say(
                    "The code is used up, but this command still holds the connection. Fix the cause in another "
                    "window first."
                )
                if not self._answers.agrees("Try to store it again?", default=True):
                    break
        raise OperateError("The connection could not be stored.", "Fix the cause, then run authorize with a new code.")


_VERDICTS = {
    "bigin_token_rejected": "Bigin refuses the token.",
    "bigin_rate_limited": "Bigin's API limit is reached (calls at once, or credits of 24 hours).",
}
_PASSING = ("bigin_rate_limited", "bigin_unavailable")
