"""Checks of the connection: data centre, credentials, token, scopes and the webhook."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import requests

from bigin_archive.api import webhook_request
from bigin_archive.archive_request import MODULES
from bigin_archive.aws.secret_value import read_secret
from bigin_archive.network.transport import session
from operate.connect import check
from operate.connect.secrets import StackSecrets
from operate.findings import Check, Finding, ok, problem, unknown
from operate.stack.aws import Account, aws_errors
from operate.stack.stack import Stack
from operate.terminal import duration

OLD = timedelta(minutes=50)  # the token is renewed at 30 minutes and dies at 60
TIMEOUT_S = 30  # API Gateway gives up after 29
LEAST_SECRET = 16  # characters; the stack generates 40


class BiginDoctor:
    """Checks one stack's connection. It asks Bigin once, with at most two calls for each module."""

    def __init__(self, account: Account, stack: Stack, webhook_secret_id: str) -> None:
        self._stack = stack
        self._webhook_secret_id = webhook_secret_id
        self._secrets = account.client("secretsmanager")
        self._connect = f"Connect it: bigin-archive authorize --stack {stack.name}"
        self._renew = f"bigin-archive authorize --stack {stack.name} --check --renew"

    def checks(self) -> Iterator[Check]:
        """From the data centre to the webhook."""
        yield "Data centre", self._data_center
        yield "Credentials", self._credentials
        yield "Token age", self._token_age
        yield "Token", self._token
        yield "Scopes", self._scopes
        yield "Webhook secret", self._webhook_secret
        yield "Webhook", self._webhook

    @cached_property
    def _report(self) -> check.Report:
        connection = StackSecrets(self._secrets, self._stack)
        return check.check(self._stack, connection, session(1), MODULES)

    def _data_center(self) -> Finding:
        hosts, name = self._stack.hosts, self._stack.data_center
        places = f"{urlsplit(hosts.api_url).netloc} and {urlsplit(hosts.accounts_url).netloc}"
        if name is None:
            return ok("Data centre", f"a simulator: {places}")
        return ok("Data centre", f"{name}: {places}. The address of your Bigin must have the same ending")

    def _credentials(self) -> Finding:
        renewable = self._report.renewable
        if renewable:
            return ok("Credentials", "stored: the stack renews its token by itself")
        if renewable is None:
            return unknown("Credentials", "You may not read that secret.", "Use a profile that may read it.")
        return problem("Credentials", "None are stored, so nothing renews the token.", self._connect)

    def _token_age(self) -> Finding:
        stored = self._report.stored
        if stored.token is None or stored.written_at is None:
            return problem("Token age", stored.problem or "No token is stored.", self._connect)
        age = datetime.now(UTC) - stored.written_at
        if age > OLD:
            return problem(
                "Token age",
                f"The token was written {duration(age)} ago: it is not renewed every 30 minutes.",
                f"Renew it now, and see why if that fails: {self._renew}",
            )
        return ok("Token age", f"written {duration(age)} ago")

    def _token(self) -> Finding:
        report = self._report
        if report.stored.token is None:
            return problem("Token", report.stored.problem, self._connect)
        if report.refusal is None:
            return ok("Token", "Bigin accepts it")
        if report.refusal.code == "bigin_token_rejected":
            remedy = f"Renew it now: {self._renew}. If that fails, connect again."
            return problem("Token", report.refusal.detail, remedy)
        return unknown("Token", report.refusal.detail, "Try again in a few minutes. status.zoho.com shows outages.")

    def _scopes(self) -> Finding:
        access = self._report.access
        if access is None:
            return unknown("Scopes", "Not known without a token that Bigin accepts.", "")
        missing = list(access.missing())
        if missing:
            return problem(
                "Scopes",
                "; ".join(missing),
                f"{self._connect}, with the whole scope line that it prints. A missing right has to be granted in "
                "Bigin.",
            )
        return ok("Scopes", f"records of {len(access.modules)} modules and their attachments can be read")

    @cached_property
    def _secret(self) -> str:
        with aws_errors("read the webhook secret"):
            stored = read_secret(self._secrets, self._webhook_secret_id)
        return webhook_request.secret_in(stored.text)

    def _webhook_secret(self) -> Finding:
        if len(self._secret) >= LEAST_SECRET:
            return ok("Webhook secret", f"set, {len(self._secret)} characters")
        return problem(
            "Webhook secret",
            "It is too short." if self._secret else "None is set: every webhook is refused.",
            "Store one as docs/runbooks.md#suspected-leak shows, and write it into Bigin's workflow rules.",
        )

    def _webhook(self) -> Finding:
        """A wrong secret is 401; the right one with nothing in it is 400. Neither queues anything."""
        wrong, right = self._post("wrong"), self._post(self._secret) if self._secret else None
        if wrong is None or (right is None and self._secret):
            return problem(
                "Webhook",
                "Its address cannot be reached from here.",
                "If Bigin can reach it, this network blocks it. Otherwise deploy the stack again.",
            )
        if wrong != 401 or right not in (400, None):
            return problem(
                "Webhook",
                f"It answers {wrong} to a wrong secret and {right} to the right one, not 401 and 400.",
                "Look at the log of the function ReceiveWebhook. It learns a new secret within a minute.",
            )
        if right is None:
            return problem(
                "Webhook", "It refuses all calls, because no secret is set.", "See the webhook secret above."
            )
        return ok("Webhook", f"{self._stack.webhook_url} asks for the secret and accepts it")

    def _post(self, secret: str) -> int | None:
        verify: Any = os.environ.get("AWS_CA_BUNDLE") or True
        try:
            return requests.post(
                self._stack.webhook_url, headers={"X-Webhook-Secret": secret}, timeout=TIMEOUT_S, verify=verify
            ).status_code
        except requests.RequestException:
            return None
