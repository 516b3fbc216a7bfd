"""The console's API as its page uses it: served on this machine, over an archive on the emulator."""

import hashlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import botocore.auth
import pytest
import requests

from bigin_archive.audit.auditor import Listing
from bigin_archive.console.archive_files import ArchiveFiles
from bigin_archive.console.link_limit import (
    MANY_LINKS,
    MOST_LINKS,
    WINDOW_S,
    LocalLinkLimit,
    TableLinkLimit,
    admitted,
    links_in_week,
    week_of,
)
from bigin_archive.console.routes import Console, Door
from bigin_archive.http_errors import TooManyLinksError
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.search import search_index
from bigin_archive.search.search_row import SearchRow
from bigin_archive.storage import audit_report
from bigin_archive.wiring.console import signed_in
from operate.console.server import ConsoleServer
from tests.archived import PREFIX, Archive, content
from tests.aws import Aws
from tests.bigin import Simulator

pytestmark = pytest.mark.in_memory

DAY_S = 24 * 3600
LONG_AGO = Listing("2026-01-01T00:00:00+00:00")
FIELDS = set(SearchRow.__slots__) - {"stored_as"}


class Page:
    """The page's side: calls with the key, and what was told of them."""

    def __init__(self, server: ConsoleServer, lines: list[tuple[str, Mapping[str, object]]]) -> None:
        self.url = f"http://{server.host}/console"
        self.lines = lines
        self.key = server.key
        self.server = server
        self._http = requests.Session()
        self._http.trust_env = False

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.key}", **more.pop("headers", {})}
        return self._http.request(method, self.url + path, headers=headers, timeout=20, **more)

    def get(self, path: str, **parameters: str) -> Any:
        answer = self.ask("GET", path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def link(self, **ids: str) -> requests.Response:
        return self.ask("POST", "/links", json=ids)


@pytest.fixture
def archive(aws: Aws, bigin: Simulator) -> Archive:
    """An empty archive."""
    return Archive(aws, bigin)


@pytest.fixture
def page(archive: Archive) -> Iterator[Page]:
    """The console of that archive."""
    lines: list[tuple[str, Mapping[str, object]]] = []
    files = ArchiveFiles(archive.aws.client("s3", signature="s3v4"), archive.aws.bucket, PREFIX)
    with ConsoleServer(files, archive.ledger, 0, lambda *line: lines.append(line)) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        serving.start()
        yield Page(server, lines)
        server.shutdown()
        serving.join()


def ids(entry: Any) -> dict[str, str]:
    """What names an attachment."""
    return {"module": entry.module, "record_id": entry.record_id, "attachment_id": entry.attachment_id}


@pytest.mark.processes
def test_a_file_is_found_and_downloaded(archive: Archive, page: Page) -> None:
    """The company's name finds the file. It downloads as it was archived, under its own name, with its checksum."""
    archive.new(3)
    (wanted,) = archive.new(1, record_name="Møller ApS", file_name="Angebot ä/b.pdf", module="Accounts")
    archive.auditor.audit(LONG_AGO)

    found = page.get("/search", q="moller angebot")
    answer = page.link(**ids(wanted))
    link = answer.json()
    downloaded = requests.get(link["url"], verify=archive.aws.environment["AWS_CA_BUNDLE"], timeout=20)

    assert [wanted.attachment_id] == [one["attachment_id"] for one in found["results"]]
    assert set(found["results"][0]) == FIELDS
    assert (found["total"], found["page"], found["pages"]) == (1, 1, 1)
    assert datetime.fromisoformat(found["as_of"]).tzinfo is not None
    assert answer.status_code == 201
    assert set(link) == {"url", "expires_at", "file_name", "size_bytes", "sha256"}
    assert (link["file_name"], link["size_bytes"]) == ("Angebot ä/b.pdf", len(content(wanted)))
    assert downloaded.content == content(wanted)
    assert hashlib.sha256(downloaded.content).hexdigest() == link["sha256"]
    assert "versionId=" in link["url"]
    assert "X-Amz-Expires=60" in link["url"]
    assert "filename%2A%3DUTF-8%27%27Angebot%2520%25C3%25A4%252Fb.pdf" in link["url"]


@pytest.mark.processes
@pytest.mark.parametrize(("age_s", "status"), [(50, 200), (61, 403)])
def test_a_link_ends_after_a_minute(
    archive: Archive, page: Page, monkeypatch: pytest.MonkeyPatch, age_s: int, status: int
) -> None:
    """S3 itself refuses one that was signed 61 s ago."""
    (entry,) = archive.new(1)
    with monkeypatch.context() as earlier:
        if hasattr(botocore.auth, "get_current_datetime"):
            earlier.setattr(botocore.auth, "get_current_datetime", lambda: _utc_s_ago(age_s))
        else:  # an older botocore
            moved = type("moved", (datetime,), {"utcnow": staticmethod(lambda: _utc_s_ago(age_s))})
            earlier.setattr(botocore.auth, "datetime", SimpleNamespace(datetime=moved))
        link = page.link(**ids(entry)).json()

    answer = requests.get(link["url"], verify=archive.aws.environment["AWS_CA_BUNDLE"], timeout=20)

    assert (status, status == 200) == (answer.status_code, answer.content == content(entry))


def _utc_s_ago(seconds: int) -> datetime:
    return datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=seconds)


def test_a_link_is_logged_by_ids_and_nothing_by_names(archive: Archive, page: Page) -> None:
    """One line per link: the user, the attachment and the version. Searches are not logged."""
    (entry,) = archive.new(1, file_name="secret plan.pdf", record_name="Secret Inc")
    archive.auditor.audit(LONG_AGO)

    page.get("/search", q="secret plan")
    page.link(**ids(entry))

    ((outcome, fields),) = page.lines
    assert outcome == "link_issued"
    assert {**ids(entry), "user": "operator", "version_id": entry.version_id} == {
        name: value for name, value in fields.items() if name not in ("expires_at", "request_id", "correlation_id")
    }
    assert fields["request_id"] == fields["correlation_id"] != ""
    assert "ecret" not in str(page.lines)


def test_a_page_holds_fifty(archive: Archive, page: Page) -> None:
    """The newest first; beyond the end there is an empty list."""
    archive.new(60)
    archive.auditor.audit(LONG_AGO)

    pages = [page.get("/search", page=str(number)) for number in (1, 2, 10**20)]
    found = [one["attachment_id"] for answer in pages for one in answer["results"]]

    assert [50, 10, 0] == [len(answer["results"]) for answer in pages]
    assert {(60, 2)} == {(answer["total"], answer["pages"]) for answer in pages}
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize(
    "parameters",
    [
        {"q": "x" * 201},
        {"q": "x" * 10_000},
        {"page": "0"},
        {"page": "-1"},
        {"page": "1.5"},
        {"page": "x"},
        {"page": "٣"},
        {"since": "2026-02-30"},
        {"until": "yesterday"},
        {"since": "20260131"},
        {"since": "2026-01-31T00:00"},
        {"module": "Leads"},
        {"state": "missing"},
    ],
    ids=str,
)
def test_a_search_that_cannot_be_made_is_explained(page: Page, parameters: dict[str, str]) -> None:
    """A malformed search is answered with 400, whether there is an index or not."""
    answer = page.ask("GET", "/search", params=parameters)

    assert (400, "invalid_request") == (answer.status_code, answer.json()["code"])


def test_no_index_and_a_damaged_one_are_told(archive: Archive, page: Page) -> None:
    """Without an index, or with a damaged one, the answer is 503 with what to do; a new one is searched at once."""
    none = page.ask("GET", "/search")
    archive.aws.s3.put_object(Bucket=archive.aws.bucket, Key=PREFIX + search_index.PATH, Body=b"no index")
    damaged = page.ask("GET", "/search")
    archive.new(1)
    archive.auditor.audit(LONG_AGO)

    for answer in (none, damaged):
        assert (503, "index_unavailable") == (answer.status_code, answer.json()["code"])
        assert "bigin-archive audit" in answer.json()["detail"]
        assert "Retry-After" in answer.headers
    assert page.get("/search")["total"] == 1


@pytest.mark.processes
def test_a_new_index_is_read_and_an_old_one_kept(archive: Archive, page: Page) -> None:
    """The list that is held is searched while its ETag holds."""
    archive.new(1)
    archive.auditor.audit(LONG_AGO)
    held = page.server.console.files.index()

    assert page.server.console.files.index() is held
    archive.new(1)
    archive.auditor.audit(LONG_AGO)
    assert page.get("/search")["total"] == 2


def test_a_record_is_fresh_from_the_ledger(archive: Archive, page: Page) -> None:
    """A record's page also shows what no audit has seen yet, in any state."""
    (first,) = archive.new(1, record_id="77", module="Tasks", created_time="2026-01-01T00:00:00+00:00")
    (second,) = archive.new(1, record_id="77", module="Tasks", state="parked")
    url = "https://example.com/a?b=c"
    archive.new(1, record_id="77", module="Tasks", state="link", link_url=url, created_time="2025-01-01T00:00:00+00:00")

    view = page.get("/records/Tasks/77")

    assert (view["module"], view["record_id"], view["record_name"]) == ("Tasks", "77", second.record_name)
    assert ["parked", "archived", "link"] == [one["state"] for one in view["attachments"]]
    assert [None, None, url] == [one["link_url"] for one in view["attachments"]]
    assert all(set(one) == FIELDS for one in view["attachments"])
    assert first.file_name == view["attachments"][1]["file_name"]


@pytest.mark.parametrize("record", ["Tasks/1", "Leads/1", "Tasks/x", "Tasks/%2e%2e", "x%2Fy/1"])
def test_an_unknown_record_is_told(page: Page, record: str) -> None:
    """A record that the ledger does not know, or that cannot be one, is answered with 404."""
    answer = page.ask("GET", f"/records/{record}")

    assert (404, "unknown_record") == (answer.status_code, answer.json()["code"])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"\xff", 400),
        (b"{}", 400),
        (b'{"module": "Tasks", "record_id": "1"}', 400),
        (b'{"module": "Tasks", "record_id": 1, "attachment_id": "1"}', 400),
        (b'{"module": "Leads", "record_id": "1", "attachment_id": "1"}', 400),
        (b'{"module": "Tasks", "record_id": "1", "attachment_id": "1"}', 404),
        (b'{"module": "Tasks", "record_id": "1", "attachment_id": "' + b"1" * 70_000 + b'"}', 400),
    ],
)
def test_a_link_to_nothing_is_refused(page: Page, body: bytes, status: int) -> None:
    """Without JSON, ids or an archived file there is no link, and none is counted."""
    answer = page.ask("POST", "/links", data=body)

    assert (status, "not_archived" if status == 404 else "invalid_request") == (
        answer.status_code,
        answer.json()["code"],
    )
    assert not [outcome for outcome, _ in page.lines if outcome == "link_issued"]


@pytest.mark.processes
def test_what_waits_or_is_lost_has_no_link(archive: Archive, page: Page) -> None:
    """What is parked, or archived by the ledger alone, is answered with 404 and what to do."""
    (parked,) = archive.new(1, state="parked")
    (lost,) = archive.new(1)
    archive.aws.s3.delete_object(Bucket=archive.aws.bucket, Key=lost.key, VersionId=lost.version_id)

    assert [404, 404] == [page.link(**ids(entry)).status_code for entry in (parked, lost)]
    assert "bigin-archive audit" in page.link(**ids(lost)).json()["detail"]


def test_other_bytes_without_a_version_have_no_link(archive: Archive, page: Page) -> None:
    """Where versioning was suspended the row names no version, and the object may have been replaced."""
    kept, replaced, unproved = (archive.change_row(entry, version_id=None) for entry in archive.new(3))
    archive.overwrite(str(replaced.key), b"others")
    archive.overwrite(str(unproved.key), b"others", ChecksumAlgorithm="CRC32")

    assert [201, 404, 404] == [page.link(**ids(entry)).status_code for entry in (kept, replaced, unproved)]


def test_a_file_that_bigin_sends_otherwise_now_keeps_its_link(archive: Archive, page: Page) -> None:
    """A later request found other bytes in Bigin and was parked: the archived file is what the search shows."""
    (entry,) = archive.new(1, state="parked", reason="content_conflict")

    answer = page.link(**ids(entry))

    assert (201, entry.sha256) == (answer.status_code, answer.json()["sha256"])


def test_a_file_in_an_archive_tier_has_no_link(archive: Archive, page: Page) -> None:
    """S3 would refuse the download, so the answer says what to do, in place of a link."""
    (entry,) = archive.new(1)
    archive.overwrite(str(entry.key), content(entry), StorageClass="GLACIER")
    archive.change_row(entry, version_id=archive.aws.head(str(entry.key))["VersionId"])

    answer = page.link(**ids(entry))

    assert (500, "storage_refused") == (answer.status_code, answer.json()["code"])
    assert "archive tier" in answer.json()["detail"]


def test_the_hundred_and_first_link_waits(archive: Archive, page: Page) -> None:
    """The hundred and first link of an hour is answered with 429 and the time to wait."""
    (entry,) = archive.new(1)
    limit = page.server.console.limit
    assert isinstance(limit, LocalLinkLimit)
    for _ in range(MOST_LINKS - 1):
        limit.take("operator")

    last, refused = page.link(**ids(entry)), page.link(**ids(entry))

    assert (201, 429, "too_many_links") == (last.status_code, refused.status_code, refused.json()["code"])
    assert 0 < int(refused.headers["Retry-After"]) <= WINDOW_S
    assert [line[0] for line in page.lines[-2:]] == ["too_many_links", "console_refused"]
    assert page.lines[-2][1]["user"] == "operator"
    # One request, one id.
    assert page.lines[-2][1]["correlation_id"] == page.lines[-1][1]["correlation_id"] == refused.json()["request_id"]


def test_unusually_many_links_have_a_log_line(archive: Archive, page: Page) -> None:
    """Unusually many links make one log line a week, with the user, so that nobody has to count."""
    (entry,) = archive.new(1)
    limit = page.server.console.limit
    for _ in range(MANY_LINKS - 1):
        limit.take("operator")
        limit._times.clear()  # type: ignore[attr-defined]  # as if an hour had gone by

    for _ in range(3):
        page.link(**ids(entry))

    told = [fields for outcome, fields in page.lines if outcome == "many_links"]
    assert [("operator", MANY_LINKS + 1)] == [(fields["user"], fields["links_this_week"]) for fields in told]


def test_links_are_counted_in_any_hour() -> None:
    """The hour is a sliding window: a link is counted until it is an hour old."""
    times = list(range(0, MOST_LINKS * 10, 10))

    with pytest.raises(TooManyLinksError) as refused:
        admitted(times, WINDOW_S - 1)

    assert refused.value.retry_after_s == 1
    assert [*times[1:], WINDOW_S] == admitted(times, WINDOW_S)


def links_table(aws: Aws) -> str:
    """A table of its own; its name."""
    name = f"{aws.bucket}-links"
    aws.dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "user", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "user", "KeyType": "HASH"}],
    )
    return name


def test_links_are_counted_for_all_containers(aws: Aws) -> None:
    """A table counts the links of each user for all containers; of two at the same moment both count."""
    name = links_table(aws)
    first, second = (TableLinkLimit(aws.dynamodb, name, lambda: 1000.0) for _ in range(2))
    threads = [
        threading.Thread(target=lambda one=one: [one.take("anna") for _ in range(10)]) for one in (first, second)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(MOST_LINKS - 20):
        first.take("anna")

    with pytest.raises(TooManyLinksError):
        second.take("anna")
    second.take("bert")

    assert links_in_week(aws.dynamodb, name, week_of(1000.0)) == {"anna": MOST_LINKS, "bert": 1}


def test_links_of_a_week_are_known_in_the_next_one(aws: Aws) -> None:
    """The weekly mail gets the links that each user had in the week before; a week in between has none."""
    name = links_table(aws)
    now = [0.0]
    limit = TableLinkLimit(aws.dynamodb, name, lambda: now[0])
    for monday, links in (("2026-02-02", 3), ("2026-02-09", 1), ("2026-02-23", 2)):
        for number in range(links):
            now[0] = datetime.fromisoformat(f"{monday}T00:00:00+00:00").timestamp() + number * DAY_S
            limit.take("anna")
        weeks = [f"2026-02-{day}" for day in ("02", "09", "16", "23")]
        counts = [links_in_week(aws.dynamodb, name, week).get("anna", 0) for week in weeks]
        assert (
            counts
            == {
                "2026-02-02": [3, 0, 0, 0],
                "2026-02-09": [3, 1, 0, 0],
                "2026-02-23": [0, 0, 0, 2],
            }[monday]
        )


def test_the_status_answers_whether_everything_is_there(archive: Archive, page: Page) -> None:
    """Before the first audit the status is empty; then it has the audit's verdict and counts."""
    before = page.get("/status")
    made = archive.new(4)
    archive.auditor.audit(LONG_AGO)
    after = page.get("/status")

    fields = {"verdict", "audited_at", "complete_as_of", "archived", "size_bytes", "waiting", "parked"}
    assert set(before) == fields | {"last_archived_at", "version"}
    assert {before[name] for name in fields} == {None}
    assert ("complete", 4, 0, 0) == tuple(after[name] for name in ("verdict", "archived", "waiting", "parked"))
    assert after["size_bytes"] == sum(entry.size_bytes or 0 for entry in made)
    assert datetime.fromisoformat(after["audited_at"]) <= datetime.now(UTC)
    assert after["last_archived_at"] == made[0].archived_at


@pytest.mark.parametrize(
    ("report", "archived"),
    [
        (b"", None),
        (b"no JSON", None),
        (b'{"modules": [1], "verdict": "complete"}', None),
        (b'{"modules": {"Tasks": {"archived": 3, "links": "x"}}}', 3),
        # Longer than the function's memory might be, were it read whole.
        (b'{\n "modules": {"Tasks": {"archived": 3}},\n "differences": [' + b"[]," * 700_000 + b"[]]}", 3),
    ],
    ids=["empty", "no JSON", "a list", "odd", "endless"],
)
def test_the_status_needs_the_beginning_of_the_report_alone(
    archive: Archive, page: Page, report: bytes, archived: int | None
) -> None:
    """A report that is damaged, or as long as a lost ledger makes it, breaks nothing."""
    archive.aws.s3.put_object(Bucket=archive.aws.bucket, Key=f"{PREFIX}{audit_report.PATH}", Body=report)

    assert [archived] * 2 == [page.get("/status")["archived"] for _ in range(2)]  # the second by its ETag


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Authorization": ""}, 401, "unauthorized"),
        ({"Authorization": "Bearer wrong"}, 401, "unauthorized"),
        ({"Authorization": "Basic {key}"}, 401, "unauthorized"),
        ({"Host": "evil.example"}, 403, "forbidden"),
        ({"Host": "localhost:{port}"}, 403, "forbidden"),
        ({"Origin": "https://evil.example"}, 403, "forbidden"),
        ({"Origin": "null"}, 403, "forbidden"),
        ({"Sec-Fetch-Site": "cross-site"}, 403, "forbidden"),
        ({"Sec-Fetch-Site": "same-site"}, 403, "forbidden"),
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/search", "/status", "/records/Tasks/1", "/links"])
def test_only_its_own_page_is_answered(page: Page, path: str, headers: dict[str, str], status: int, code: str) -> None:
    """Requests without the key, with a wrong key, from another site or for another host name are refused."""
    port = page.url.split(":")[2].partition("/")[0]
    given = {name: value.format(key=page.key, port=port) for name, value in headers.items()}

    answer = page.ask("POST" if path == "/links" else "GET", path, headers=given)

    assert (status, code) == (answer.status_code, answer.json()["code"])


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods_are_refused(page: Page, method: str) -> None:
    """Other methods are answered with 405, and nothing that a preflight could use."""
    answer = page.ask(method, "/search")

    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [
        ("GET", "/links", 405, "POST"),
        ("POST", "/search", 405, "GET"),
        ("POST", "", 405, "GET"),
        ("GET", "/nothing", 404, None),
        ("GET", "/../x", 404, None),
    ],
)
def test_other_addresses_are_refused(page: Page, method: str, path: str, status: int, allowed: str | None) -> None:
    """An unknown address is 404; a wrong method is 405 and names the right one (RFC 9110, 15.5.6)."""
    answer = page.ask(method, path)

    assert (status, allowed) == (answer.status_code, answer.headers.get("Allow"))


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nothing"), ("GET", "/links"), ("POST", "/search"), ("POST", "")]
)
def test_without_the_key_nothing_is_told_of_an_address(page: Page, method: str, path: str) -> None:
    """Without the key every address is 401, whether it exists or not. Only the page and its two files need no key."""
    assert page.ask(method, path, headers={"Authorization": ""}).status_code == 401


def test_without_the_key_no_body_is_read(page: Page) -> None:
    """401 at once, however long the body would be and whether it comes or not."""
    for length in (b"200000", b"-1", b"10"):
        with socket.create_connection(page.server.server_address, timeout=20) as connection:
            head = f"POST /console/links HTTP/1.1\r\nHost: {page.server.host}\r\nContent-Length: ".encode()
            connection.sendall(head + length + b"\r\n\r\n")
            answer = http.client.HTTPResponse(connection)
            answer.begin()

        assert answer.status == 401


@pytest.mark.parametrize(
    ("request_line", "host", "status"),
    [
        ("PROPFIND /console HTTP/1.1", "{host}", 405),
        ("PROPFIND /console HTTP/1.1", "evil.example", 403),
        ("GET /console", "evil.example", 403),
        ("GET http://evil.example/console HTTP/1.1", "{host}", 403),
        ("GET http://evil.example:80/console HTTP/1.1", "evil.example:80", 403),
        ("GARBAGE", "{host}", 400),
        ("GET /console HTTP/3.0", "{host}", 400),
        (f"GET /console/search?q={'x' * 70_000} HTTP/1.1", "{host}", 400),
        ("GET /console HTTP/1.1\r\n" + "\r\n".join(f"X-{number}: 1" for number in range(120)), "{host}", 400),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_no_browser_sends_is_refused_in_the_same_form(
    page: Page, request_line: str, host: str, status: int
) -> None:
    """What no browser sends is refused with a problem document and all headers, never with the library's own page."""
    with socket.create_connection(page.server.server_address, timeout=20) as connection:
        connection.sendall(f"{request_line}\r\nHost: {host.format(host=page.server.host)}\r\n\r\n".encode())
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        document = json.loads(answer.read())

    assert (status, status) == (answer.status, document["status"])
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["", "/app.js", "/app.css", "/search", "/status", "/links", "/nothing"])
def test_every_answer_keeps_the_browser_on_a_short_lead(page: Page, path: str) -> None:
    """Every answer has the security headers: no type sniffing, no referrer, no caching of JSON, only the page's own
    scripts.
    """
    answer = page.ask("GET", path)

    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    if "json" in answer.headers["Content-Type"]:
        assert answer.headers["Cache-Control"] == "no-store"
    else:
        policy = answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "require-trusted-types-for 'script'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert page.ask("GET", path, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_the_page_needs_no_key_and_holds_no_data(archive: Archive, page: Page) -> None:
    """The page and its two files are the same for everybody, 30 KB in all."""
    archive.new(1)
    archive.auditor.audit(LONG_AGO)
    answers = [page.ask("GET", path, headers={"Authorization": ""}) for path in ("", "/app.js", "/app.css")]

    assert {200} == {answer.status_code for answer in answers}
    assert sum(len(answer.content) for answer in answers) <= 30_000
    assert "Müller" not in "".join(answer.text for answer in answers[:1])


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"token_use": "access", "sub": "u"}, 200),
        ({"token_use": "access", "sub": "u", "scope": "openid archive/read"}, 200),
        ({"token_use": "access", "sub": "u", "scope": "openid archive/readers"}, 401),
        ({"token_use": "access", "sub": "u", "scope": ""}, 401),
        ({"token_use": "id", "sub": "u"}, 401),
        ({"token_use": "access"}, 401),
        (None, 401),
    ],
)
def test_behind_cognito_only_a_verified_user_is_answered(
    archive: Archive, claims: dict[str, str] | None, status: int
) -> None:
    """The user is the one that API Gateway verified. An ID token, another scope, and a call past it are refused."""
    files = ArchiveFiles(archive.aws.s3, archive.aws.bucket, PREFIX)
    console = Console(
        files, Ledger(archive.aws.dynamodb, archive.aws.ledger_table), LocalLinkLimit(), Door(signed_in), print
    )
    event = {
        "resource": "/status",
        "httpMethod": "GET",
        "requestContext": {"authorizer": {"claims": claims}} if claims else {},
    }

    assert console.answer(event)["statusCode"] == status


def test_a_bug_is_told_without_its_text(archive: Archive, page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure that nobody foresaw is a problem document, and holds no name."""
    event = {"resource": "/search", "httpMethod": "GET", "queryStringParameters": "Müller"}

    answer = page.server.console.answer({**event, "headers": {"authorization": f"Bearer {page.key}"}})

    assert answer["statusCode"] == 500
    assert "Müller" not in answer["body"]
