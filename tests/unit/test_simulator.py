"""The Bigin simulator, tested over real sockets against its own process."""

import base64
import contextlib
import gzip
import hashlib
import io
import json
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter

ROOT = Path(__file__).parents[2]
TOKEN = "simulator-access-token"
FIELDS = "id,File_Name,Size,Created_Time,$type,$file_id,$link_url"
CONTACT, PIPELINE, TASK = (f"5570213000000{n}00001" for n in (1, 2, 5))
TIMEOUT_S = 20


def seeded(number: int) -> str:
    return f"55702130000009{number:05d}"


def start(*options: str) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "local.bigin", "--port", "0", *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())["url"]


def stop(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGTERM)
    with process:
        try:
            return process.wait(TIMEOUT_S)
        finally:
            process.kill()


class Client:
    """Speaks to the simulator: `get` as an API client, `control` as a test."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.mount("http://", HTTPAdapter(pool_maxsize=20))
        self.session.trust_env = False

    def get(self, path: str, token: str = TOKEN, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Zoho-oauthtoken {token}"} | options.pop("headers", {})
        address = f"{self.url}/bigin/v2/{path}"
        options = {"timeout": TIMEOUT_S, "allow_redirects": False} | options
        return self.session.request(options.pop("method", "GET"), address, headers=headers, **options)

    def download(self, attachment_id: str, **options: Any) -> requests.Response:
        found = {item["attachment_id"]: item for item in self.control("GET", "attachments")}
        item = found.get(attachment_id, {"module": "Contacts", "record_id": CONTACT})
        path = f"{item['module']}/{item['record_id']}/Attachments/{attachment_id}"
        return self.get(path, **options)

    def list(self, module: str = "Contacts", record_id: str = CONTACT, **query: Any) -> Any:
        return self.get(f"{module}/{record_id}/Attachments", params={"fields": FIELDS} | query)

    def token(self, **parameters: str) -> requests.Response:
        known = {"client_id": "test", "client_secret": "test", "refresh_token": "test"}
        data = known | {"grant_type": "refresh_token"} | parameters
        return self.session.post(f"{self.url}/oauth/v2/token", data=data, timeout=TIMEOUT_S)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        address = f"{self.url}/_simulator/{path}"
        response = self.session.request(method, address, json=body, timeout=TIMEOUT_S)
        response.raise_for_status()
        return response.json()

    def fault(self, fault: dict[str, Any], **conditions: Any) -> None:
        self.control("POST", "faults", {"call": "download", "fault": fault, **conditions})

    def add(self, content: bytes, name: str = "a.bin", **more: Any) -> str:
        packed = base64.b64encode(content).decode()
        where = {"module": "Contacts", "record_id": CONTACT, "file_name": name}
        body = where | {"content_base64": packed} | more
        return str(self.control("POST", "attachments", body)["attachment_id"])

    def raw(self, attachment_id: str) -> tuple[bytes, bytes, str]:
        """Return head and body as they came over the socket, and how the connection ended."""
        with self.connect(attachment_id) as connection:
            received, end = b"", "close"
            try:
                while piece := connection.recv(65536):
                    received += piece
            except ConnectionResetError:
                end = "reset"
        head, _, body = received.partition(b"\r\n\r\n")
        return head, body, end

    def connect(self, attachment_id: str) -> socket.socket:
        address = urlsplit(self.url)
        connection = socket.create_connection((address.hostname, address.port), TIMEOUT_S)
        path = f"/bigin/v2/Contacts/{CONTACT}/Attachments/{attachment_id}"
        lines = (f"GET {path} HTTP/1.1", "Host: x", f"Authorization: Zoho-oauthtoken {TOKEN}")
        connection.sendall("\r\n".join((*lines, "", "")).encode())
        return connection


def until_silence(connection: socket.socket) -> bytes:
    """Return what arrives until nothing does for 0.3 s; an end instead of silence is a failure."""
    connection.settimeout(0.3)
    received = b""
    with contextlib.suppress(TimeoutError):
        while piece := connection.recv(65536):
            received += piece
        pytest.fail("the connection ended")
    return received


@pytest.fixture(scope="module", name="running")
def _running() -> Iterator[Client]:
    process, url = start()
    client = Client(url)
    yield client
    client.session.close()
    stop(process)


@pytest.fixture(name="bigin")
def _bigin(running: Client) -> Client:
    running.control("POST", "reset")
    return running


# Starting and stopping


def test_announces_its_address(tmp_path: Path) -> None:
    """The ready file holds the same line as standard output, and SIGTERM ends the process."""
    ready = tmp_path / "ready.json"
    process, url = start("--ready-file", str(ready))
    status = stop(process)

    assert (json.loads(ready.read_text())["url"], status) == (url, 0)


def test_ends_at_once_while_a_call_is_stalled(tmp_path: Path) -> None:
    """SIGTERM ends the process although an answer is still being held back."""
    process, url = start()
    client = Client(url)
    client.fault({"kind": "stall", "phase": "after-headers", "seconds": 600})
    with client.connect(seeded(1)) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
        assert stop(process) == 0
    client.session.close()


def test_fixed_token_ends_with_its_lifetime() -> None:
    """A lifetime on the command line also ends the fixed access token."""
    process, url = start("--token-lifetime-s", "0", "--access-token", "mine")
    client = Client(url)
    status = client.get("org", token="mine").status_code
    client.session.close()
    stop(process)

    assert status == 401


# Authorisation


@pytest.mark.parametrize("authorization", [None, f"Bearer {TOKEN}"])
def test_wrong_scheme(bigin: Client, authorization: str | None) -> None:
    """A missing or Bearer Authorization is a wrong request, not a wrong token."""
    response = bigin.get("org", headers={"Authorization": authorization})

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")


def test_unknown_token(bigin: Client) -> None:
    """An unknown access token is answered with 401 and the four keys of every error."""
    response = bigin.get("org", token="unknown")

    assert response.status_code == 401
    assert response.json() == {
        "code": "INVALID_TOKEN",
        "details": {},
        "message": "invalid oauth token",
        "status": "error",
    }


@pytest.mark.parametrize("place", ["data", "params", "files"])
def test_refresh(bigin: Client, place: str) -> None:
    """A refresh works by form, query and multipart and gives a usable token of one hour."""
    parameters = {
        "client_id": "test",
        "client_secret": "test",
        "refresh_token": "test",
        "grant_type": "refresh_token",
    }
    sent = {k: (None, v) for k, v in parameters.items()} if place == "files" else parameters
    address = f"{bigin.url}/oauth/v2/token"
    options: dict[str, Any] = {place: sent}
    answer = bigin.session.post(address, timeout=TIMEOUT_S, **options).json()

    assert set(answer) == {"access_token", "scope", "api_domain", "token_type", "expires_in"}
    assert (answer["expires_in"], answer["api_domain"]) == (3600, bigin.url)
    assert bigin.get("org", token=answer["access_token"]).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "error"),
    [({"refresh_token": "x"}, "invalid_code"), ({"client_secret": "x"}, "invalid_client")],
)
def test_refused_refresh(bigin: Client, wrong: dict[str, str], error: str) -> None:
    """A wrong credential is answered with status 200 and an error key."""
    response = bigin.token(**wrong)

    assert (response.status_code, response.json()) == (200, {"error": error})


def test_mint_limit(bigin: Client) -> None:
    """The eleventh access token within ten minutes is denied with status 400."""
    statuses = [bigin.token().status_code for _ in range(11)]

    assert statuses == [200] * 10 + [400]
    assert bigin.token().json()["error"] == "Access Denied"


def test_sixteenth_token_ends_the_first(bigin: Client) -> None:
    """Of sixteen active access tokens the oldest no longer works."""
    bigin.control("PATCH", "settings", {"mint_limit": None})
    minted = [bigin.token().json()["access_token"] for _ in range(16)]

    statuses = [bigin.get("org", token=token).status_code for token in minted[:2]]

    assert statuses == [401, 200]


def test_grant_code_works_once(bigin: Client) -> None:
    """A grant code is exchanged for a refresh token once, and not after its time."""
    bigin.control("POST", "codes", {"code": "c1"})
    bigin.control("POST", "codes", {"code": "c2", "lifetime_s": 0})
    exchange = {"grant_type": "authorization_code"}
    first, again, late = (bigin.token(code=c, **exchange).json() for c in ("c1", "c1", "c2"))

    assert again == late == {"error": "invalid_code"}
    assert "access_token" in bigin.token(refresh_token=first["refresh_token"]).json()


def test_expiry(bigin: Client) -> None:
    """Tokens end with their lifetime or all at once, and a new one then works."""
    bigin.control("PATCH", "settings", {"token_lifetime_s": 0})
    short = bigin.token().json()["access_token"]
    bigin.control("PATCH", "settings", {"token_lifetime_s": 60})
    expired = bigin.get("org", token=short).status_code
    bigin.control("DELETE", "tokens")
    ended = bigin.get("org").status_code

    assert (expired, ended) == (401, 401)
    assert bigin.get("org", token=bigin.token().json()["access_token"]).status_code == 200


def test_revoked_refresh_token(bigin: Client) -> None:
    """Revoking a refresh token also ends the access tokens made with it."""
    token = bigin.token().json()["access_token"]
    address = f"{bigin.url}/oauth/v2/token/revoke"
    bigin.session.post(address, params={"token": "test"}, timeout=TIMEOUT_S)

    assert bigin.get("org", token=token).status_code == 401
    assert bigin.token().json() == {"error": "invalid_code"}


def test_api_domain_can_differ(bigin: Client) -> None:
    """The accounts server can name another API domain than its own address."""
    bigin.control("PATCH", "settings", {"api_domain": "https://www.zohoapis.ca"})

    assert bigin.token().json()["api_domain"] == "https://www.zohoapis.ca"


# Lists


def test_recorded_headers(bigin: Client) -> None:
    """A JSON answer carries the recorded headers, odd cookies and token expiry included."""
    response = bigin.list()

    assert response.headers["content-type"] == "application/json;charset=UTF-8"
    assert response.headers["content-disposition"] == "attachment; filename=response.json"
    assert response.headers["server"] == "ZGS"
    assert response.headers["x-accesstoken-reset"].endswith("+03:00")
    assert "BIGINCROSSCDNID =0000" in response.headers["set-cookie"]
    assert response.headers["transfer-encoding"] == "chunked"


def test_pages(bigin: Client) -> None:
    """Following page tokens gives every attachment once, newest first, at most 200 a page."""
    ids: list[str] = []
    query: dict[str, Any] = {"per_page": 2}
    while query:
        body = bigin.list(**query).json()
        ids += [row["id"] for row in body["data"]]
        token = body["info"]["next_page_token"]
        query = {"per_page": 2, "page_token": token} if token else {}

    assert ids == [seeded(n) for n in (5, 4, 3, 2, 1)]
    assert bigin.list(per_page=201).status_code == 400


def test_page_token_belongs_to_its_page_size(bigin: Client) -> None:
    """A page token sent with another page size is ignored, and an old one is refused."""
    token = bigin.list(per_page=2).json()["info"]["next_page_token"]
    other = bigin.list(per_page=3, page_token=token).json()["data"]
    bigin.control("PATCH", "settings", {"page_token_lifetime_s": 0})
    old = bigin.list(per_page=2).json()["info"]["next_page_token"]

    assert [row["id"] for row in other] == [seeded(n) for n in (5, 4, 3)]
    assert bigin.list(per_page=2, page_token=old).json()["code"] == "EXPIRED_VALUE"


def test_pages_reach_two_thousand_records(bigin: Client) -> None:
    """Page numbers end at 2,000 records; a page token goes on to the last one."""
    bigin.control("POST", "records", {"module": "Products", "count": 2_100})
    query = {"fields": "id", "per_page": 200}
    tenth = bigin.get("Products", params=query | {"page": 10}).json()
    eleventh = bigin.get("Products", params=query | {"page": 11})
    beyond = {"page_token": tenth["info"]["next_page_token"]}
    rest = bigin.get("Products", params=query | beyond).json()

    assert eleventh.json()["code"] == "DISCRETE_PAGINATION_LIMIT_EXCEEDED"
    assert (rest["info"]["count"], rest["info"]["more_records"]) == (101, False)
    assert rest["data"][-1]["id"] == "5570213000000400001"


@pytest.mark.parametrize(("behind", "second"), [("entry", 1), ("place", 2)])
def test_what_a_page_begins_behind(bigin: Client, behind: str, second: int) -> None:
    """An entry, whatever was deleted above it; or a place, to which others have moved."""
    bigin.control("PATCH", "settings", {"pages_begin_behind": behind})
    ids = [each["id"] for each in bigin.list(per_page=200).json()["data"]]
    first = bigin.list(per_page=1).json()
    bigin.control("DELETE", f"attachments/{ids[0]}")

    token = first["info"]["next_page_token"]
    following = bigin.list(per_page=1, page_token=token).json()["data"][0]["id"]

    assert [ids[0], ids[second]] == [first["data"][0]["id"], following]


def test_fields(bigin: Client) -> None:
    """`fields` is required, and names with a dollar sign come only when asked for."""
    path = f"Contacts/{CONTACT}/Attachments"
    missing = bigin.get(path)
    few = bigin.get(path, params={"fields": "File_Name"}).json()["data"][0]
    bigin.control("PATCH", "settings", {"fields_required": False})
    every = bigin.get(path).json()["data"][0]

    assert (missing.status_code, missing.json()["code"]) == (400, "REQUIRED_PARAM_MISSING")
    assert missing.json()["details"] == {"param_name": "fields"}
    assert set(few) == {"id", "File_Name"}
    assert "Owner" in every
    assert not [name for name in every if name.startswith("$")]


def test_size_as_string_or_number(bigin: Client) -> None:
    """`Size` is a string of digits or a number, as set."""
    text = bigin.list().json()["data"][0]["Size"]
    bigin.control("PATCH", "settings", {"size_as_string": False})

    assert (text, bigin.list().json()["data"][0]["Size"]) == ("122", 122)


def test_empty_list(bigin: Client) -> None:
    """A record without attachments is answered with 204, or with no data, as set."""
    bare = "5570213000000100002"
    nothing = bigin.list(record_id=bare)
    bigin.control("PATCH", "settings", {"empty_list": "data"})

    assert (nothing.status_code, nothing.content) == (204, b"")
    assert bigin.list(record_id=bare).json()["data"] == []


def test_listing_framings(bigin: Client) -> None:
    """Lists come with a length and compressed when that is set and accepted."""
    bigin.control("PATCH", "settings", {"listing_framing": "content-length"})
    plain = bigin.list()
    bigin.control("PATCH", "settings", {"gzip_lists": True})
    packed = bigin.list()

    assert int(plain.headers["content-length"]) == len(plain.content)
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json()["data"] == plain.json()["data"]


def test_listed_fields_can_be_strange(bigin: Client) -> None:
    """An attachment can be listed with a wrong size, an unseen type and no name."""
    strange = {"$type": "Something New", "File_Name": None}
    bigin.add(b"1234", size_listed=9, listed=strange)
    row = bigin.list().json()["data"][0]

    assert (row["Size"], row["$type"], row["File_Name"]) == ("9", "Something New", None)


def test_link_is_listed_with_its_address(bigin: Client) -> None:
    """A link is listed without file id and size."""
    rows = bigin.list("Pipelines", PIPELINE).json()["data"]
    row = next(row for row in rows if row["id"] == seeded(9))

    assert (row["$type"], row["Size"], row["$file_id"]) == ("Link URL", "0", None)
    assert row["$link_url"].startswith("https://example.com/")


def test_records_of_all_modules(bigin: Client) -> None:
    """Every module lists its records, newest first, and Calls is empty."""
    query = {"fields": "id,Modified_Time"}
    first = bigin.get("Contacts", params=query).json()["data"]

    assert [row["id"] for row in first] == ["5570213000000100002", CONTACT]
    for module in ("Pipelines", "Accounts", "Products", "Tasks", "Events", "Notes"):
        assert len(bigin.get(module, params=query).json()["data"]) == 1
    assert bigin.get("Calls", params=query).status_code == 204


def test_modules(bigin: Client) -> None:
    """The modules carry their recorded flags."""
    modules = {m["api_name"]: m for m in bigin.get("settings/modules").json()["modules"]}

    assert modules["Accounts"]["plural_label"] == "Companies"
    assert modules["Attachments"]["filter_supported"] is False
    assert modules["Social"]["api_supported"] is False


def test_attachments_of_all_records(bigin: Client) -> None:
    """The undocumented list of all attachments is off, or complete, or empty, as set."""
    query = {"fields": "id,Parent_Id,$se_module"}
    off = bigin.get("Attachments", params=query).json()["code"]
    bigin.control("PATCH", "settings", {"module_attachments": "on"})
    rows = bigin.get("Attachments", params=query).json()["data"]
    bigin.control("PATCH", "settings", {"module_attachments": "204"})

    assert off == "INVALID_MODULE"
    assert (len(rows), rows[0]["$se_module"]) == (24, "Notes")
    assert bigin.get("Attachments", params=query).status_code == 204


# Downloads


def test_every_seeded_file_arrives_whole(bigin: Client) -> None:
    """Every file, the 100 MB one included, has the size and digest that are announced."""
    for item in bigin.control("GET", "attachments"):
        if item["kind"] != "file":
            continue
        digest, size_bytes = hashlib.sha256(), 0
        with bigin.download(item["attachment_id"], stream=True) as response:
            for block in response.iter_content(1 << 20):
                digest.update(block)
                size_bytes += len(block)

        assert (size_bytes, digest.hexdigest()) == (item["size_bytes"], item["sha256"])
        assert response.headers["content-type"] == item["content_type"]


def test_seeded_account_has_its_extremes(bigin: Client) -> None:
    """The account holds 24 attachments, from 0 bytes to 100 MB, on all seven modules."""
    items = bigin.control("GET", "attachments")

    assert len(items) == 24
    assert len({item["module"] for item in items}) == 7
    assert {0, 100 * 1024 * 1024} <= {item["size_bytes"] for item in items}


@pytest.mark.parametrize(
    ("number", "start"),
    [
        (3, b"%PDF-"),
        (1, b"\x89PNG"),
        (12, b"\xff\xd8\xff"),
        (2, b"PK"),
        (21, b"RIFF"),
        (24, b"GIF8"),
    ],
)
def test_documents_are_real(bigin: Client, number: int, start: bytes) -> None:
    """The sample documents begin as their formats do."""
    assert bigin.download(seeded(number)).content.startswith(start)


def test_archives_open(bigin: Client) -> None:
    """The ZIP-based sample documents are intact."""
    for number in (2, 6, 13):
        with zipfile.ZipFile(io.BytesIO(bigin.download(seeded(number)).content)) as archive:
            assert archive.testzip() is None


def test_dispositions(bigin: Client) -> None:
    """The file name comes in the usual form, raw, or not at all."""
    usual, missing = (bigin.download(seeded(n)).headers.get("content-disposition") for n in (1, 13))
    bigin.fault({"kind": "cut", "after": 0})
    cut, _, _ = bigin.raw(bigin.add(b"x", disposition="attachment; filename=名.csv"))
    with bigin.connect(bigin.add(b"x", disposition="attachment; filename=名.csv")) as connection:
        whole = connection.recv(65536)

    assert usual == "attachment;filename*=UTF-8''image %282%29.png"
    assert missing is None
    assert "filename=名.csv\r\n".encode() in cut
    assert "filename=名.csv\r\n".encode() in whole


def test_gone_link_and_unknown(bigin: Client) -> None:
    """An attachment whose bytes are gone, or that is unknown, is 204; a link cannot be downloaded."""
    bigin.control("PATCH", f"attachments/{seeded(20)}", {"kind": "gone"})
    gone, unknown, link = (bigin.download(i) for i in (seeded(20), "1", seeded(9)))

    assert (gone.status_code, unknown.status_code) == (204, 204)
    assert (link.status_code, link.json()["code"]) == (400, "DOWNLOAD_NOT_ALLOWED")
    assert link.json()["message"] == "As it is a linked attachment, you can not download it"


@pytest.mark.parametrize(
    ("path", "status", "code", "text"),
    [
        ("Wrong/1/Attachments/1", 400, "INVALID_MODULE", "The module name given seems to be"),
        ("Documents/1/Attachments/1", 400, "INVALID_MODULE", "The given module is not supported"),
        ("Contacts/abc/Attachments/1", 400, "INVALID_DATA", "the related id given seems to be"),
        ("Contacts/99/Attachments", 400, "INVALID_DATA", "the related id given seems to be"),
        ("Contacts/1/2/3/4/5", 404, "INVALID_URL_PATTERN", "Please check if the URL trying"),
    ],
)
def test_wrong_addresses(bigin: Client, path: str, status: int, code: str, text: str) -> None:
    """Wrong modules, ids and paths are answered with their documented errors."""
    response = bigin.get(path, params={"fields": "id"})

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.json()["message"].startswith(text)


def test_wrong_method(bigin: Client) -> None:
    """A wrong verb is answered with 400, not with 405."""
    response = bigin.get(f"Contacts/{CONTACT}/Attachments/{seeded(1)}", method="PUT")

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST_METHOD")


@pytest.mark.parametrize("status", [401, 403])
def test_scope_mismatch(bigin: Client, status: int) -> None:
    """A missing scope is answered with either of the two documented statuses."""
    bigin.control("PATCH", "settings", {"scope_mismatch_status": status})
    response = bigin.download(seeded(1))

    assert (response.status_code, response.json()["code"]) == (status, "OAUTH_SCOPE_MISMATCH")


# Limits


def test_concurrency_limit(bigin: Client) -> None:
    """The call over the limit is refused at once, without saying when to come back."""
    bigin.fault({"kind": "stall", "phase": "after-headers", "seconds": 600}, times=None)
    held = [bigin.connect(seeded(1)) for _ in range(10)]
    begun = [connection.recv(12) for connection in held]
    refused = bigin.get("org")
    high = bigin.control("GET", "calls")["max_concurrent"]
    for connection in held:
        connection.close()

    assert begun == [b"HTTP/1.1 200"] * 10
    assert (refused.status_code, refused.json()["code"]) == (429, "TOO_MANY_REQUESTS")
    assert "retry-after" not in refused.headers
    assert high == 11


def test_slot_is_free_when_the_client_has_gone(bigin: Client) -> None:
    """A client that hangs up frees its place among the simultaneous calls."""
    bigin.control("PATCH", "settings", {"concurrency_limit": 1})
    bigin.fault({"kind": "stall", "phase": "after-headers", "seconds": 600})
    with bigin.connect(seeded(1)) as connection:
        connection.recv(12)
        held = bigin.get("org").status_code
    # The simulator sees the end of the connection in its own time, so ask until it has.
    freed = next(s for _ in range(1000) if (s := bigin.get("org").status_code) == 200)

    assert (held, freed) == (429, 200)


def test_sequential_calls_never_overlap(bigin: Client) -> None:
    """A client that calls again as soon as it has an answer counts as one call at a time."""
    bigin.control("PATCH", "settings", {"concurrency_limit": 1})
    large = f"Pipelines/{PIPELINE}/Attachments/{seeded(8)}"
    # A connection each: on one that is kept, the server itself puts them one behind the other.
    own = {"Connection": "close"}
    statuses = [bigin.get(path, headers=own).status_code for path in (large, "org") * 3]

    assert set(statuses) == {200}
    assert bigin.control("GET", "calls")["max_concurrent"] == 1


def test_daily_credits(bigin: Client) -> None:
    """Used-up credits refuse every further call; the rest is shown from one half on."""
    settings = {"daily_credits": 4, "rate_limit_code": "RATE_LIMIT_EXCEEDED"}
    bigin.control("PATCH", "settings", settings)
    answers = [bigin.get("org") for _ in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 4 + [429] * 2
    shown = [answer.headers.get("X-API-CREDITS-REMAINING") for answer in answers]
    assert shown == [None, "2", "1", "0", None, None]
    assert answers[-1].json()["code"] == "RATE_LIMIT_EXCEEDED"


# Faults


def test_canned_answers(bigin: Client) -> None:
    """Any status, headers and body can be ordered, for a number of calls after a number."""
    order = {"kind": "answer", "status": 503, "headers": {"Retry-After": "7"}, "body": "<p>no</p>"}
    bigin.fault(order, times=2, skip=1)
    answers = [bigin.download(seeded(1)) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 503, 503, 200]
    assert answers[1].headers["retry-after"] == "7"
    assert answers[1].headers["content-type"] == "text/html"
    assert answers[1].text == "<p>no</p>"


def test_canned_json(bigin: Client) -> None:
    """A JSON object as body comes with the headers of a JSON answer."""
    body = {"code": "INTERNAL_ERROR", "details": {}, "message": "m", "status": "error"}
    bigin.fault({"kind": "answer", "status": 200, "body": body})
    response = bigin.download(seeded(1))

    assert response.json() == body
    assert response.headers["content-disposition"] == "attachment; filename=response.json"


def test_fault_on_one_attachment(bigin: Client) -> None:
    """A fault for one attachment leaves the others alone, and its hits are counted."""
    fault = {"kind": "answer", "status": 500, "body": {}}
    bigin.fault(fault, attachment_id=seeded(2), times=None)
    statuses = [bigin.download(seeded(n)).status_code for n in (1, 2, 2)]

    assert statuses == [200, 500, 500]
    assert bigin.control("GET", "faults")[0]["fired"] == 2
    bigin.control("DELETE", "faults")
    assert bigin.download(seeded(2)).status_code == 200


def test_fault_on_lists_and_tokens(bigin: Client) -> None:
    """Faults also strike lists, records and the accounts server."""
    for call in ("list", "records", "token"):
        bigin.fault({"kind": "answer", "status": 502, "body": "<html>"}, call=call)

    assert bigin.list().status_code == 502
    assert bigin.get("Contacts", params={"fields": "id"}).status_code == 502
    assert bigin.token().status_code == 502
    assert bigin.download(seeded(1)).status_code == 200


def test_fraction_depends_on_the_seed_alone(bigin: Client) -> None:
    """A fraction of calls fails, the same ones for the same seed."""
    drawn = []
    for seed in (1, 1, 2):
        bigin.control("DELETE", "faults")
        fault = {"kind": "answer", "status": 500, "body": {}}
        bigin.fault(fault, call="any", times=None, fraction=0.2, seed=seed)
        drawn.append([bigin.get("org").status_code for _ in range(100)])

    assert drawn[0] == drawn[1] != drawn[2]
    assert 10 <= drawn[0].count(500) <= 30


BODY = bytes(range(256)) * 4


@pytest.mark.parametrize(("after", "size"), [("half", 512), ("last-byte", 1023), (10, 10)])
def test_cut_with_content_length(bigin: Client, after: int | str, size: int) -> None:
    """A cut body is shorter than its Content-Length, then the connection ends."""
    bigin.fault({"kind": "cut", "after": after, "framing": "content-length"})
    head, body, end = bigin.raw(bigin.add(BODY))

    assert b"Content-Length: 1024" in head
    assert (body, end) == (BODY[:size], "close")


def test_cut_chunked(bigin: Client) -> None:
    """A cut chunked body has neither the rest of its chunk nor the last chunk."""
    bigin.fault({"kind": "cut", "after": "half", "framing": "chunked"})
    head, body, _ = bigin.raw(bigin.add(BODY))

    assert b"Transfer-Encoding: chunked" in head
    assert b"Content-Length" not in head
    assert body == b"400\r\n" + BODY[:512]


def test_cut_close_framed(bigin: Client) -> None:
    """A cut body without length looks like a shorter file."""
    bigin.fault({"kind": "cut", "after": "last-byte", "framing": "close"})
    attachment_id = bigin.add(BODY)
    head, body, _ = bigin.raw(attachment_id)

    assert b"Connection: close" in head
    assert b"Content-Length" not in head
    assert body == BODY[:-1]


def test_cut_gzip(bigin: Client) -> None:
    """A cut compressed body is a whole HTTP message around half a stream."""
    bigin.fault({"kind": "cut", "after": "half", "framing": "gzip"})
    head, body, _ = bigin.raw(bigin.add(BODY))

    assert b"Content-Encoding: gzip" in head
    assert f"Content-Length: {len(body)}".encode() in head
    with pytest.raises(EOFError):
        gzip.decompress(body)


@pytest.mark.parametrize("framing", ["content-length", "chunked", "close", "gzip"])
def test_whole_body_in_every_framing(bigin: Client, framing: str) -> None:
    """The whole body arrives in each legal framing, a large one too."""
    for attachment_id in (bigin.add(BODY), bigin.add(b""), seeded(21)):
        whole = bigin.download(attachment_id).content
        bigin.fault({"kind": "framing", "framing": framing})

        assert bigin.download(attachment_id).content == whole
    assert [rule["fired"] for rule in bigin.control("GET", "faults")] == [1, 1, 1]


def test_longer_and_declared(bigin: Client) -> None:
    """A body can be longer than its Content-Length, and the length can be a lie."""
    attachment_id = bigin.add(BODY)
    bigin.fault({"kind": "longer", "extra": 3})
    head, body, _ = bigin.raw(attachment_id)
    bigin.fault({"kind": "declared", "size": 2000})
    lying_head, lying_body, _ = bigin.raw(attachment_id)

    assert b"Content-Length: 1024" in head
    assert body == BODY + b"+++"
    assert b"Content-Length: 2000" in lying_head
    assert lying_body == BODY


@pytest.mark.parametrize(("after", "size"), [(0, 0), (100, 100), ("last-byte", 1023)])
def test_reset(bigin: Client, after: int | str, size: int) -> None:
    """A reset comes after exactly the given bytes, as RST and not as an end."""
    bigin.fault({"kind": "reset", "after": after})
    _, body, end = bigin.raw(bigin.add(BODY))

    assert (body, end) == (BODY[:size], "reset")


def test_reset_of_a_large_body(bigin: Client) -> None:
    """A reset in the middle of 3 MB also comes after exactly the given bytes."""
    attachment_id = bigin.add(BODY * 3000)
    bigin.fault({"kind": "reset", "after": "half"})
    _, body, end = bigin.raw(attachment_id)

    assert (len(body), end) == (512 * 3000, "reset")


def test_reset_before_headers(bigin: Client) -> None:
    """A connection can be reset without any answer, which is logged without a status."""
    bigin.fault({"kind": "reset-before-headers"})
    head, _, end = bigin.raw(seeded(1))

    assert (head, end) == (b"", "reset")
    assert bigin.control("GET", "calls")["log"][-1]["status"] is None


@pytest.mark.parametrize(("phase", "received"), [("before-headers", None), ("after-headers", 0), ("mid-body", 512)])
def test_stall(bigin: Client, phase: str, received: int | None) -> None:
    """A stall comes before the headers, after them, or in the middle of the body."""
    bigin.fault({"kind": "stall", "phase": phase, "seconds": 600})
    with bigin.connect(bigin.add(BODY)) as connection:
        got = until_silence(connection)

    head, separator, body = got.partition(b"\r\n\r\n")
    assert (len(body) if separator else None) == received
    assert head.startswith(b"HTTP/1.1 200") is (received is not None)


def test_stall_goes_on(bigin: Client) -> None:
    """After a stall the body is complete."""
    for phase in ("before-headers", "after-headers", "mid-body"):
        bigin.fault({"kind": "stall", "phase": phase, "seconds": 0.01})

        assert bigin.download(bigin.add(BODY)).content == BODY


def test_drip_and_delay(bigin: Client) -> None:
    """A dripping or delayed answer is complete and takes the time it was given."""
    attachment_id = bigin.add(BODY)
    bigin.fault({"kind": "drip", "bytes_per_second": 4096})
    begun_s = time.monotonic()
    dripped = bigin.download(attachment_id)
    dripped_s = time.monotonic() - begun_s
    bigin.fault({"kind": "delay", "seconds": 0.2})
    delayed = bigin.download(attachment_id)
    bigin.control("PATCH", "settings", {"bytes_per_second": 4096, "latency_s": 0.1})
    slow = bigin.download(attachment_id)

    assert (dripped.content, delayed.content, slow.content) == (BODY, BODY, BODY)
    assert dripped_s >= 0.25
    assert delayed.elapsed.total_seconds() >= 0.2
    assert slow.elapsed.total_seconds() >= 0.1


@pytest.mark.parametrize(
    "body",
    [
        {"fault": {"kind": "unknown"}},
        {"fault": {"kind": "cut", "after": -1}},
        {"fault": {"kind": "answer"}},
        {"fault": {"kind": "delay", "seconds": 1}, "call": "delete"},
        {"fault": {"kind": "delay", "seconds": 1}, "time": 1},
        {},
    ],
)
def test_wrong_faults_are_refused(bigin: Client, body: dict[str, Any]) -> None:
    """A fault that is misspelt or impossible is refused with a reason."""
    address = f"{bigin.url}/_simulator/faults"
    response = bigin.session.post(address, json=body, timeout=TIMEOUT_S)

    assert response.status_code == 400
    assert response.json()["error"]


# Control


def test_added_attachment(bigin: Client) -> None:
    """An attachment on a new record is listed and downloadable until it is deleted."""
    added = bigin.add(b"hello", "héllo.txt", module="Tasks", record_id="77")
    row = bigin.list("Tasks", "77").json()["data"][0]
    response = bigin.download(added)
    bigin.control("DELETE", f"attachments/{added}")

    assert (row["id"], row["File_Name"], row["Size"]) == (added, "héllo.txt", "5")
    assert response.content == b"hello"
    assert response.headers["content-type"] == "text/plain;charset=UTF-8"
    assert bigin.list("Tasks", "77").status_code == 204
    assert bigin.get(f"Tasks/77/Attachments/{added}").status_code == 204


def test_generated_attachments(bigin: Client) -> None:
    """Bytes made from a size and a seed are the same for the same seed only."""
    where = {"module": "Tasks", "record_id": TASK, "file_name": "x", "size_bytes": 700_001}
    ids = [bigin.control("POST", "attachments", where | {"seed": seed})["attachment_id"] for seed in (1, 1, 2)]
    one, same, other = (bigin.download(attachment_id).content for attachment_id in ids)

    assert len(one) == 700_001
    assert one == same != other


def test_settings_are_checked(bigin: Client) -> None:
    """An unknown or impossible setting is refused and changes nothing."""
    before = bigin.control("GET", "settings")
    address = f"{bigin.url}/_simulator/settings"
    wrong: Any
    for wrong in ({"unknown": 1}, {"latency_s": 1, "empty_list": "205"}, {"mint_limit": True}):
        response = bigin.session.patch(address, json=wrong, timeout=TIMEOUT_S)

        assert response.status_code == 400
    assert bigin.control("GET", "settings") == before


def test_calls_are_counted(bigin: Client) -> None:
    """Calls, downloads and credits are counted; tokens appear as digests only."""
    token = bigin.token().json()["access_token"]
    bigin.download(seeded(1), token=token)
    bigin.download(seeded(1))
    bigin.get("org", token="unknown-token")
    calls = bigin.control("GET", "calls")

    assert calls["by_call"] == {"token": 1, "download": 2, "other": 1}
    assert calls["downloads"] == {seeded(1): 2}
    assert (calls["total"], calls["credits_used"], calls["max_concurrent_downloads"]) == (4, 2, 1)
    assert [entry["status"] for entry in calls["log"]] == [200, 200, 200, 401]
    assert len(calls["by_token"]) == 3
    for secret in (token, TOKEN, "unknown-token"):
        assert secret not in json.dumps(calls)
    bigin.control("DELETE", "calls")
    assert bigin.control("GET", "calls")["total"] == 0


def test_reset_restores_everything(bigin: Client) -> None:
    """A reset brings back deleted attachments, tokens, settings and an empty journal."""
    before = bigin.control("GET", "attachments")
    bigin.control("DELETE", f"attachments/{seeded(1)}")
    bigin.control("DELETE", "tokens")
    bigin.control("PATCH", "settings", {"concurrency_limit": 1})
    bigin.fault({"kind": "reset-before-headers"}, call="any", times=None)
    bigin.control("POST", "reset")

    assert bigin.control("GET", "calls")["total"] == 0
    assert bigin.control("GET", "attachments") == before
    assert bigin.control("GET", "settings")["concurrency_limit"] == 10
    assert bigin.download(seeded(1)).status_code == 200


# Notifications


def watch(bigin: Client, *items: dict[str, Any]) -> requests.Response:
    return bigin.get("actions/watch", method="POST", json={"watch": list(items)})


CHANNEL = {
    "channel_id": "90210",
    "events": ["Contacts.create"],
    "notify_url": "https://example.com/webhook",
    "token": "t",
}


def test_watch(bigin: Client) -> None:
    """A channel is subscribed, listed and ended with the recorded shapes."""
    none_yet = bigin.get("actions/watch").status_code
    made = watch(bigin, CHANNEL)
    listed = bigin.get("actions/watch").json()
    ended = bigin.get("actions/watch", method="DELETE", params={"channel_ids": "90210"})

    assert (none_yet, made.status_code, ended.status_code) == (204, 201, 200)
    event = made.json()["watch"][0]["details"]["events"][0]
    assert event["resource_uri"] == "https://www.zohoapis.com/bigin/v1/Contacts"
    assert listed["watch"][0] == {
        "notify_on_related_action": False,
        "channel_expiry": event["channel_expiry"],
        "return_affected_field_values": False,
        "resource_uri": "https://www.zohoapis.com/bigin/v1/Contacts",
        "resource_id": "7618134000000002179",
        "notify_url": "https://example.com/webhook",
        "resource_name": "Contacts",
        "fields": None,
        "channel_id": "90210",
        "events": ["Contacts.create"],
        "token": "t",
    }
    assert ended.json()["watch"][0]["message"] == "Successfully un-subscribed from actions-watch"
    assert bigin.get("actions/watch").status_code == 204


@pytest.mark.parametrize(
    "wrong",
    [
        {"events": ["Notes.create"]},
        {"channel_expiry": "2099-01-01T00:00:00+00:00"},
        {"channel_expiry": "2001-01-01T00:00:00+00:00"},
        {"channel_id": "abc"},
        {"notify_url": ""},
        {"token": "t" * 51},
    ],
)
def test_refused_watch(bigin: Client, wrong: dict[str, Any]) -> None:
    """A wrong channel is refused beside an accepted one, with status 207."""
    both = watch(bigin, CHANNEL, CHANNEL | {"channel_id": "90211"} | wrong)
    alone = watch(bigin, CHANNEL | wrong)

    assert (both.status_code, alone.status_code) == (207, 400)
    assert [item["status"] for item in both.json()["watch"]] == ["success", "error"]
