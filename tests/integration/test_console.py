"""The deployed console: invited by mail, signed in at Cognito, searched, downloaded; and who is refused."""

import base64
import hashlib
import json
import re
import secrets
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect, sync_playwright

from bigin_archive.audit.auditor import Auditor, Listing
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.storage.inventory import Inventory
from local.stack import LocalStack
from operate.console.users import Users
from tests.browser.chromium import OPTIONS, executable
from tests.deployed import Deployed

PASSWORD = "Correct horse 9 battery!"  # whatever policy a user pool may have
SCOPE = "archive/read"


class Cognito:
    """The user pool of the running stack, as its administrator and its users see it."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self.pools = stack.client("cognito-idp")
        self.pool: str = stack.outputs["ConsoleUserPoolId"]
        self.url = stack.description["console_url"]
        self.login = stack.description["aws_endpoint_url"]
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = stack.description["ca_bundle"]

    @property
    def client(self) -> str:
        """The id of the page's client, as the page itself tells it."""
        found = re.search(r'data-client="([^"]+)"', self.http.get(self.url, timeout=30).text)
        assert found
        return found[1]

    def invite(self, pool: str | None = None) -> tuple[str, str]:
        """Invite a new user with the code of the command; return the address and the temporary password from the
        mail.
        """
        email = f"anna-{secrets.token_hex(4)}@example.com"
        assert Users(self.pools, pool or self.pool).invite(email)
        mails = self.http.get(f"{self.login}/_ministack/ses/messages", timeout=30).json()["messages"]
        (mail,) = [one for all_ in mails.values() for one in all_ if email in one["To"]]
        password = re.search(r"password(?: is)? (\S+)", mail["BodyText"])
        assert password
        return email, password[1].rstrip(".")

    def token(self, client: str | None = None, scope: str = SCOPE, pool: str | None = None) -> dict[str, str]:
        """The token of a new user who signs in at the hosted page, with code and PKCE."""
        client = client or self.client
        email, password = self.invite(pool)
        verifier = secrets.token_urlsafe(32)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": client,
            "redirect_uri": self.url,
            "scope": scope,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        page = self.http.get(f"{self.login}/oauth2/authorize", params=asked, timeout=30).text
        page = self._submit(page, username=email, password=password).text
        answer = self._submit(page, new_password=PASSWORD, confirm_password=PASSWORD)
        code = re.search(r"[?&]code=([^&]+)", answer.headers["Location"])
        assert code
        given = {
            "grant_type": "authorization_code",
            "client_id": client,
            "redirect_uri": self.url,
            "code": code[1],
            "code_verifier": verifier,
        }
        tokens: dict[str, str] = self.http.post(f"{self.login}/oauth2/token", data=given, timeout=30).json()
        return tokens

    def new_client(self, pool: str, scopes: list[str]) -> str:
        """Another client, as an administrator might make one."""
        made = self.pools.create_user_pool_client(
            UserPoolId=pool,
            ClientName="another",
            AllowedOAuthFlowsUserPoolClient=True,
            AllowedOAuthFlows=["code"],
            AllowedOAuthScopes=scopes,
            CallbackURLs=[self.url],
            SupportedIdentityProviders=["COGNITO"],
        )
        return str(made["UserPoolClient"]["ClientId"])

    def ask(self, path: str, token: str | None, method: str = "GET", **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return self.http.request(method, self.url + path, headers=headers, timeout=30, **more)

    def _submit(self, page: str, **fields: str) -> requests.Response:
        hidden = re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page)
        form = {**{name: unescape(value) for name, value in hidden}, **fields}
        return self.http.post(f"{self.login}/login", data=form, allow_redirects=False, timeout=30)


@pytest.fixture(scope="module")
def cognito(running: LocalStack) -> Cognito:
    return Cognito(running)


@pytest.fixture(scope="module")
def token(cognito: Cognito) -> str:
    """An access token of an invited user."""
    return cognito.token()["access_token"]


@pytest.fixture
def archived(deployed: Deployed) -> dict[str, Any]:
    """A file of a name and a record that no other test knows, archived by the API; the search index tells of it."""
    own = secrets.token_hex(6)
    request = deployed.bigin.add(own.encode(), file_name=f"offer-{own}.txt", record_id=str(int(own, 16)))
    answer = deployed.post(request).json()
    ledger = Ledger(deployed.stack.client("dynamodb"), deployed.description["ledger_table"])
    inventory = Inventory(deployed.s3, deployed.bucket, deployed.description["prefix"])
    Auditor(ledger, inventory).audit(Listing("2026-01-01T00:00:00+00:00"))
    return {**request, "sha256": answer["sha256"], "file_name": answer["file_name"]}


def test_an_invited_person_finds_a_file_and_downloads_it(
    cognito: Cognito, archived: dict[str, Any], tmp_path: Path
) -> None:
    """An invited user signs in, chooses a password, searches and downloads. The token appears in no address and no
    storage.
    """
    email, password = cognito.invite()
    path = executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        page = browser.new_page(ignore_https_errors=True, locale="en-GB")
        page.set_default_timeout(30_000)
        expect.set_options(timeout=30_000)
        page.goto(f"{cognito.url}#{archived['module']}/{archived['record_id']}")
        expect(page.locator("#gate-text")).to_contain_text("Only invited people")
        page.click("#sign-in")
        _sign_in(page, email, password)
        # The address that was opened first is opened after the sign-in.
        expect(page.locator("#record-head")).to_be_visible()
        page.click("#back")
        page.fill("#q", archived["file_name"])
        with page.expect_download() as waiting:
            page.locator("tbody tr", has_text=archived["file_name"]).locator(".do button").click()
        waiting.value.save_as(tmp_path / "file")
        kept = page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie, location.href])")
        browser.close()

    assert hashlib.sha256((tmp_path / "file").read_bytes()).hexdigest() == archived["sha256"]
    assert "eyJ" not in kept  # what every token begins with
    assert "code=" not in kept


def _sign_in(page: Page, email: str, password: str) -> None:
    page.fill("#username", email)
    page.fill("#password", password)
    page.click("button[type=submit]")
    page.fill("#new_password", PASSWORD)
    page.fill("#confirm_password", PASSWORD)
    page.click("button[type=submit]")


def test_the_page_is_for_everybody_and_what_it_shows_is_not(cognito: Cognito, token: str) -> None:
    """The page and its files need no token. Everything else is 401 without one, as a problem document."""
    for path in ("", "/app.js", "/app.css"):
        assert cognito.ask(path, None).status_code == 200
    for method, path in (("GET", "/search"), ("GET", "/status"), ("GET", "/records/Tasks/1"), ("POST", "/links")):
        answer = cognito.ask(path, None, method)

        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
    assert cognito.ask("/status", token).status_code == 200


def test_other_tokens_are_refused(cognito: Cognito, token: str) -> None:
    """An ID token, one without the scope, one of another user pool, a changed one, and none at all are refused."""
    other = cognito.pools.create_user_pool(PoolName="other")["UserPool"]["Id"]
    cognito.pools.create_resource_server(
        UserPoolId=other, Identifier="archive", Name="a", Scopes=[{"ScopeName": "read", "ScopeDescription": "r"}]
    )
    own = cognito.new_client(cognito.pool, ["openid", SCOPE])
    both = cognito.token(own, f"openid {SCOPE}")
    refused = {
        "id": both["id_token"],
        "scope": cognito.token(own, "openid")["access_token"],
        "pool": cognito.token(cognito.new_client(other, [SCOPE]), pool=other)["access_token"],
        "changed": token[:-5] + ("A" if token[-5] != "A" else "B") + token[-4:],
        "garbage": "eyJ.eyJ.x",
        "empty": "",
    }

    assert cognito.ask("/status", both["access_token"]).status_code == 200
    assert {name: cognito.ask("/status", one).status_code for name, one in refused.items()} == dict.fromkeys(
        refused, 401
    )


def test_a_token_ends(cognito: Cognito, deployed: Deployed) -> None:
    """A token is refused after its time."""
    client = cognito.new_client(cognito.pool, [SCOPE])
    cognito.pools.update_user_pool_client(
        UserPoolId=cognito.pool,
        ClientId=client,
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["code"],
        AllowedOAuthScopes=[SCOPE],
        CallbackURLs=[cognito.url],
        SupportedIdentityProviders=["COGNITO"],
        AccessTokenValidity=2,
        TokenValidityUnits={"AccessToken": "seconds"},
    )
    token = cognito.token(client)["access_token"]

    deployed.until(lambda: cognito.ask("/status", token).status_code == 401)


def test_a_link_is_for_one_file_and_is_logged_without_names(
    cognito: Cognito, token: str, archived: dict[str, Any], running: LocalStack
) -> None:
    """A changed link is refused. The log has the user, the ids and the version, and neither name nor query."""
    ids = {name: archived[name] for name in ("module", "record_id", "attachment_id")}
    cognito.ask("/search", token, params={"q": "wanted-by-somebody"})
    link = cognito.ask("/links", token, "POST", json=ids).json()
    downloaded = cognito.http.get(link["url"], timeout=30)
    changed = cognito.http.get(link["url"].replace(archived["attachment_id"], "1"), timeout=30)
    running.copy_function_logs()
    log = (running.logs / "functions.log").read_text()
    lines = [json.loads(line[line.index("{") :]) for line in log.splitlines() if '"link_issued"' in line]

    assert hashlib.sha256(downloaded.content).hexdigest() == link["sha256"] == archived["sha256"]
    assert downloaded.headers["Content-Disposition"].startswith("attachment")
    assert changed.status_code == 403
    assert any(ids.items() <= line.items() and line["version_id"] and line["user"] for line in lines)
    assert "wanted-by-somebody" not in log
    assert token not in log
