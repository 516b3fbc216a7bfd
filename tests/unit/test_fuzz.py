"""Any input is accepted, or refused with a reason. Any other error would fail a whole batch.

2,000 of each here; ``make faults`` sets FUZZ_EXAMPLES to 100,000. Hypothesis chooses the seeds; what is made of one is
made here, since its own strategies would take fifty times as long.
"""

import json
import os
import random
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bigin_archive.api import webhook_request
from bigin_archive.archive_request import ArchiveRequest, parse
from bigin_archive.aws.secret_value import secret_text
from bigin_archive.bigin import listing
from bigin_archive.bigin.classify import classify, may_be_error
from bigin_archive.errors import ArchiveError
from bigin_archive.queueing.archive_queue import read_correlation_id, read_hints, string_values
from bigin_archive.storage import archived_object, object_attributes
from bigin_archive.token import access_token
from bigin_archive.token.oauth import GrantError, parse_answer

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "2000"))
EACH = 20  # of one draw: to draw takes longer than to check
API = "https://www.zohoapis.com"
ODD = (
    *(
        "",
        " ",
        "\0",
        "\ud800",
        "\ufffe",
        "\x85",
        "\u202e",
        "null",
        "-1",
        "1e400",
        "9" * 5000,
        "0" * 30,
        "0x10",
        "٣",
        "²",
    ),
    *(
        "é" * 300,
        "[" * 3000,
        "2026-01-31T09:30:00+01:00",
        "0001-01-01T00:00:00+23:59",
        "Contacts",
        "1",
        "%C3%BC",
        "\r\n",
    ),
)


class Junk(random.Random):
    """Text, numbers and objects of any kind, the same for the same seed."""

    def character(self, last: int = 0x10FFFF) -> str:
        return chr(self.randrange(self.choice((0x80, 0x100, 0x3000, last + 1)) if last > 0x3000 else last + 1))

    def text(self, last: int = 0x10FFFF) -> str:
        return "".join(self.character(last) for _ in range(self.randrange(12)))

    def latin(self) -> str:
        return self.text(0xFF)

    def odd(self) -> str:
        return self.choice(ODD) if self.random() < 0.5 else self.text()

    def woven(self, *words: str) -> str:
        """Words that a parser looks for, and something between them."""
        return "".join(
            self.choice(words) if self.random() < 0.8 else self.latin()[:3] for _ in range(self.randrange(14))
        )

    def value(self, depth: int = 2) -> Any:
        """Anything that JSON can carry."""
        kind = self.randrange(9 if depth else 6)
        if kind < 6:
            numbers = (
                self.randrange(-9, 10**20),
                self.random() * 10 ** self.randrange(300),
                float("nan"),
                float("inf"),
            )
            return (None, True, False, self.choice(numbers), self.odd(), self.text())[kind]
        if kind == 6:
            return [self.value(depth - 1) for _ in range(self.randrange(4))]
        return {self.odd(): self.value(depth - 1) for _ in range(self.randrange(4))}

    def object(self, *keys: str) -> dict[str, Any]:
        """A JSON object with some of these keys, each with any value."""
        return {key: self.value() for key in keys if self.random() < 0.6}

    def bytes_of(self, *keys: str) -> bytes:
        """A JSON object as it travels, or no JSON at all."""
        return json.dumps(self.object(*keys)).encode() if self.random() < 0.7 else self.randbytes(self.randrange(60))


def fuzzed(check: Callable[[Junk], None]) -> Callable[[], None]:
    """Run the check for so many seeds."""

    @settings(
        max_examples=EXAMPLES // EACH,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # a smaller seed is no smaller example
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 2**64 - 1))
    def test(seed: int) -> None:
        for number in range(seed, seed + EACH):
            check(Junk(number))

    test.__name__, test.__doc__ = check.__name__, check.__doc__
    return test


def refuses(action: Callable[[], object], kind: type[Exception] = ArchiveError) -> None:
    """Run; only these errors may come of it."""
    try:
        action()
    except kind:
        return


def disposition(junk: Junk) -> str:
    return junk.woven(
        *(
            "attachment",
            "inline",
            ";",
            "; ",
            "filename",
            "filename*",
            "filename*0",
            "filename*1*",
            "filename*99999",
            "=",
        ),
        *(
            '"',
            "\\",
            "'",
            "''",
            "UTF-8''",
            "iso-8859-1'de'",
            "%",
            "%C3%BC",
            "%zz",
            "%00",
            ",",
            ", attachment;",
            "\r\n ",
        ),
    )


@fuzzed
def test_headers_of_a_download(junk: Junk) -> None:
    """Any name and type become a key and headers that S3 takes, and the name can be read back."""
    request = ArchiveRequest("Contacts", "1", "2")

    made = object_attributes.describe("bigin/", request, disposition(junk), junk.latin())

    assert len(made.key.encode()) <= 1024
    for text in (made.content_type, made.content_disposition, *made.metadata.values()):
        assert text.isascii()
        assert text.isprintable()
    archived_object.describe("bigin/", made.key, {"ContentLength": 1, "LastModified": 0, "Metadata": made.metadata})


@fuzzed
def test_answers_of_bigin(junk: Junk) -> None:
    """Any answer is a file, or one of our errors."""
    status = junk.choice((200, 201, 204, 302, 400, 401, 403, 404, 429, 500, 999))
    headers = {
        "content-type": junk.woven("text/html", "application/json", ";", "charset=x"),
        "content-disposition": disposition(junk),
        "retry-after": junk.odd(),
    }
    headers = {name: text for name, text in headers.items() if junk.random() < 0.6}

    may_be_error(status, headers)
    error = classify(status, headers, junk.bytes_of("code", "status", "message", "details"))

    assert error is None or (isinstance(error, ArchiveError) and error.detail)


@fuzzed
def test_lists_of_bigin(junk: Junk) -> None:
    """Any list is read, or cannot be read: no entry is taken for another."""
    page = junk.object("data", "info", "code", "details")
    fields = ("id", "Size", "$size", "File_Name", "Owner", "$type", "$link_url", "$se_module", "Parent_Id", "Full_Name")
    if junk.random() < 0.8:
        page["data"] = [junk.object(*fields) | ({"id": "1"} if junk.random() < 0.6 else {}) for _ in range(3)]

    refuses(lambda: list(listing.entries(page)))
    refuses(lambda: list(listing.account_entries(page)))
    refuses(lambda: list(listing.records(page, "Contacts")))
    refuses(lambda: (listing.Page(page, {"page": "1"}).has_more, listing.Page(page, {"page": "1"}).following))
    listing.refuses_fields(page)


@fuzzed
def test_message_attributes(junk: Junk) -> None:
    """Any attributes are hints, none, or a reason to park the message."""
    names = ("listed_size_bytes", "listed_name", "listed_modified_time", "correlation_id")
    texts = {name: {"stringValue": junk.choice((None, junk.odd(), junk.woven("%", "%C3", "%00")))} for name in names}
    attributes = junk.choice((None, {}, texts, {"listed_name": {"binaryValue": "AA=="}}))

    values = string_values({"messageAttributes": attributes})

    refuses(lambda: read_hints(values))
    read_correlation_id(values)


@fuzzed
def test_bodies_of_requests(junk: Junk) -> None:
    """Any body is a request, or refused."""
    body = junk.choice((junk.odd(), junk.bytes_of("module", "record_id", "attachment_id")))

    refuses(lambda: parse(body))


@fuzzed
def test_webhooks(junk: Junk) -> None:
    """Any webhook has a secret or none, before anything else; then it names records, or is refused."""
    parts = junk.woven(
        *(
            "--b",
            "--b--",
            "\r\n",
            "\r\n\r\n",
            "\n",
            "Content-Disposition: form-data",
            "; name=",
            "; name*=a",
            "; name*0=b",
        ),
        *(
            '"token"',
            '"module"',
            '"ids[0]"',
            "Contacts",
            "1",
            "Content-Transfer-Encoding: base64",
            "Content-Type: text/x",
        ),
    )
    form = junk.woven(
        *(
            "module=Contacts",
            "&",
            "ids[0]=",
            "ids[]=",
            "id=",
            "%",
            "%5B",
            "%7B",
            "+",
            "=",
            "[",
            "{",
            "1",
            "operation=delete",
        )
    )
    body = junk.bytes_of("module", "ids", "id", "token", "channel_id", "operation").decode(errors="surrogateescape")
    media = (
        *("multipart/form-data; boundary=b", 'multipart/form-data; boundary="b"', "application/json", "text/plain"),
        *("application/x-www-form-urlencoded", "multipart/form-data", junk.latin()),
    )
    event = {
        "headers": junk.choice((None, {"content-type": junk.choice(media)}, {"X-Webhook-Secret": junk.odd()})),
        "queryStringParameters": junk.choice((None, {junk.odd(): junk.odd(), "ids[0]": junk.odd()})),
        "body": junk.choice((None, junk.odd(), parts, form, body)),
        "isBase64Encoded": junk.random() < 0.2,
    }

    assert isinstance(webhook_request.presented_secret(event), str)
    refuses(lambda: webhook_request.channel_id(event))
    refuses(lambda: webhook_request.is_deletion(event))
    refuses(lambda: webhook_request.requests_in(event))


@fuzzed
def test_secrets(junk: Junk) -> None:
    """Any secret, as text or as bytes, is a token or a reason to connect again."""
    stored = junk.bytes_of("access_token", "expires_at", "api_domain", "webhook_secret", "client_id")
    text = stored.decode(errors="replace") if junk.random() < 0.7 else junk.odd()
    read = secret_text(junk.choice(({"SecretBinary": stored}, {"SecretString": text}, {})))

    refuses(lambda: access_token.parse(read, API))
    assert isinstance(webhook_request.secret_in(read), str)


@fuzzed
def test_answers_of_the_accounts_server(junk: Junk) -> None:
    """Any answer is a grant with a life of a day at most, or a reason."""
    answer = junk.object("access_token", "expires_in", "expires_in_sec", "api_domain", "error")
    if junk.random() < 0.7:
        answer = {**answer, "access_token": "1000.a.b", "api_domain": API}
        answer.pop("error", None)

    def read() -> None:
        assert 0 < parse_answer(200, json.dumps(answer).encode(), API).lifetime_s <= 24 * 3600

    refuses(read, GrantError)
    refuses(lambda: parse_answer(junk.choice((200, 400, 500)), junk.bytes_of("error"), API), GrantError)


@fuzzed
def test_names_in_metadata(junk: Junk) -> None:
    """Any metadata is a name, or none."""
    header = junk.woven("=?", "?=", "UTF-8", "?B?", "?Q?", "YQ==", "=C3", " ", "*de", "hex", "idna", "%C3%BC", "_", "%")

    head = {"ContentLength": 1, "LastModified": 0, "Metadata": {"file-name": header}}
    found = archived_object.describe("", "Contacts/1/2/a", head)

    assert found.original_name is None or found.original_name
