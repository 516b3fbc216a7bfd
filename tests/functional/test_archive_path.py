"""One request, one verified object: the whole path against real sockets."""

import gzip
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bigin_archive import clock
from bigin_archive.archive_request import Hints
from bigin_archive.archiving.archiver import Archived
from bigin_archive.archiving.message import Message
from bigin_archive.bigin import probed_answers
from bigin_archive.deadline import Deadline
from bigin_archive.errors import (
    ArchiveError,
    AttachmentTooLargeError,
    BiginTokenRejectedError,
    BiginUnavailableError,
    ContentConflictError,
    DownloadIncompleteError,
    StorageRefusedError,
)
from tests.aws import Aws
from tests.bigin import TOKEN, Simulator, sha256

MIB = 1024 * 1024
SIZES = (0, 1, 2, MIB - 1, MIB, MIB + 1, 3 * MIB + 17)  # around the block that is sent as bytes
FRAMINGS = ("content-length", "chunked", "gzip")


def take(aws: Aws, request: object, *, later: bool = False, seconds: float = 24, **environment: str) -> Any:
    service = aws.archive_or_queue(**environment)
    return service.take(json.dumps(request), later=later, request_id="r", deadline=Deadline(seconds))


def content_of(size: int) -> bytes:
    return bytes(range(251)) * (size // 251) + bytes(range(size % 251))


def test_every_seeded_file_arrives_byte_for_byte(aws: Aws, bigin: Simulator) -> None:
    """Every file of the simulated account stands in S3 with Bigin's bytes and S3's own SHA-256."""
    files = [found for found in bigin.attachments() if found["kind"] == "file"]
    for found in files:
        request = {name: found[name] for name in ("module", "record_id", "attachment_id")}
        taken = take(aws, request)

        assert taken.stored.sha256 == found["sha256"]
        assert taken.stored.size_bytes == found["size_bytes"]
    stored = aws.objects()

    assert sorted(found["sha256"] for found in files) == sorted(sha256(content) for content in stored.values())


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("size", SIZES)
def test_every_framing_and_size_arrives_whole(aws: Aws, bigin: Simulator, size: int, framing: str) -> None:
    """A file of any size, however its end is told, is stored whole, with the checksum in S3."""
    content = content_of(size)
    request = bigin.add(content, file_name="file.bin")
    bigin.fault({"kind": "framing", "framing": framing})

    taken = take(aws, request)

    assert [content] == list(aws.objects().values())
    assert sha256(content) == taken.stored.sha256
    assert taken.stored.version_id == aws.head(taken.stored.key)["VersionId"]


@pytest.mark.parametrize("framing", [*FRAMINGS, "close"])
@pytest.mark.parametrize("after", [0, 1, "half", "last-byte"])
@pytest.mark.parametrize("size", [1000, 3 * MIB])
def test_a_body_that_is_cut_off_is_never_stored(
    aws: Aws, bigin: Simulator, size: int, after: object, framing: str
) -> None:
    """However a download is cut off, nothing stands in S3, and the next try stores the whole."""
    content = content_of(size)
    request = bigin.add(content)
    bigin.fault({"kind": "cut", "after": after, "framing": framing}, times=1)

    with pytest.raises(DownloadIncompleteError):
        take(aws, request)
    assert {} == aws.objects()
    taken = take(aws, request)

    assert sha256(content) == taken.stored.sha256
    assert [content] == list(aws.objects().values())


def test_a_body_longer_than_declared_is_never_stored(aws: Aws, bigin: Simulator) -> None:
    """Bytes beyond the declared length are noticed."""
    request = bigin.add(content_of(3 * MIB))
    bigin.fault({"kind": "longer", "extra": 10})

    with pytest.raises(DownloadIncompleteError, match="More than"):
        take(aws, request)

    assert {} == aws.objects()


@pytest.mark.parametrize("size", [1000, 3 * MIB])
def test_a_reset_connection_is_an_incomplete_download(aws: Aws, bigin: Simulator, size: int) -> None:
    """A connection reset in the middle of the body leaves nothing in S3."""
    request = bigin.add(content_of(size))
    bigin.fault({"kind": "reset", "after": size // 2})

    with pytest.raises(DownloadIncompleteError):
        take(aws, request)

    assert {} == aws.objects()


def test_a_connection_lost_before_the_headers_is_bigin_unavailable(aws: Aws, bigin: Simulator) -> None:
    """Without headers there is no download: Bigin is unavailable."""
    request = bigin.add(b"x")
    bigin.fault({"kind": "reset-before-headers"})

    with pytest.raises(BiginUnavailableError):
        take(aws, request)


@pytest.mark.parametrize("phase", ["before-headers", "after-headers", "mid-body"])
def test_a_stall_ends_at_the_deadline_and_is_queued(aws: Aws, bigin: Simulator, phase: str) -> None:
    """A Bigin that stalls holds the caller until the deadline; then the request is queued unchanged."""
    request = bigin.add(content_of(MIB))
    bigin.fault({"kind": "stall", "phase": phase, "seconds": 60})

    assert take(aws, request, seconds=0.5) == 1

    assert [json.dumps(request)] == [message["Body"] for message in aws.messages(aws.queue_url)]
    assert {} == aws.objects()


@pytest.mark.parametrize("size", [5, 3 * MIB])
def test_a_drip_of_bytes_ends_at_the_deadline(aws: Aws, bigin: Simulator, size: int) -> None:
    """A download that drips byte by byte exceeds no read timeout, but ends at the deadline."""
    request = bigin.add(content_of(size))
    bigin.fault({"kind": "drip", "bytes_per_second": 2})

    assert take(aws, request, seconds=0.7) == 1

    assert {} == aws.objects()


def test_a_body_with_neither_length_nor_terminator_is_compared_with_the_listing(aws: Aws, bigin: Simulator) -> None:
    """Where only the end of the connection ends a body, the record's listing tells the size."""
    content = content_of(5000)
    request = bigin.add(content)
    bigin.fault({"kind": "framing", "framing": "close"})

    take(aws, request)

    assert [content] == list(aws.objects().values())
    assert 1 == bigin.calls()["by_call"]["list"]


def test_a_body_of_unknown_size_is_not_stored(aws: Aws, bigin: Simulator) -> None:
    """Neither length nor terminator nor a listed size: the download counts as incomplete."""
    request = bigin.add(content_of(5000), listed={"Size": None})
    bigin.fault({"kind": "framing", "framing": "close"})

    with pytest.raises(DownloadIncompleteError, match="no size"):
        take(aws, request)

    assert {} == aws.objects()


def test_a_listed_size_that_differs_is_not_stored(aws: Aws, bigin: Simulator) -> None:
    """The size that Bigin lists must be what arrives; else the message comes back."""
    body = json.dumps(bigin.add(content_of(5000), size_listed=5001))

    assert aws.worker().work([Message("1", body, "handle", 1, hints=Hints(5001))], Deadline(60)) == ["1"]

    assert {} == aws.objects()


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_file_that_was_replaced_while_its_message_waited_is_archived(
    aws: Aws, bigin: Simulator, framing: str
) -> None:
    """If the size in the message is old, the list is read again within the same try."""
    request = bigin.add(content_of(5000), listed={"Modified_Time": "2026-03-01T10:00:00+00:00"})
    old = Hints(4000, "old name.txt", "2026-02-01T10:00:00+00:00")
    if framing != "content-length":
        bigin.fault({"kind": "framing", "framing": framing}, times=2)
    bigin.control("DELETE", "calls")

    assert aws.worker().work([Message("1", json.dumps(request), "handle", 1, hints=old)], Deadline(60)) == []

    assert [content_of(5000)] == list(aws.objects().values())
    assert 3 == bigin.calls()["total"]
    [row] = aws.dynamodb.query(
        TableName=aws.ledger_table,
        KeyConditionExpression="#record = :record",
        ExpressionAttributeNames={"#record": "record"},
        ExpressionAttributeValues={":record": {"S": f"Contacts/{request['record_id']}"}},
    )["Items"]
    assert {"S": "2026-03-01T10:00:00+00:00"} == row["archived_modified_time"]


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_wrong_size_holds_up_no_file_where_the_probe_has_seen_wrong_sizes(
    aws: Aws, bigin: Simulator, framing: str
) -> None:
    """`bigin-archive probe` keeps what it saw beside the archive; the worker goes by it, as the sweep does."""
    request = bigin.add(content_of(5000), size_listed=5001)
    if framing != "content-length":
        bigin.fault({"kind": "framing", "framing": framing}, times=2)
    seen = {"check": probed_answers.LISTED_SIZE, "seen": probed_answers.OTHER_SIZE}
    aws.s3.put_object(
        Bucket=aws.bucket,
        Key=aws.environment["KEY_PREFIX"] + probed_answers.PATH,
        Body=json.dumps({"at": clock.iso(time.time()), "checks": [seen]}),
    )

    message = Message("1", json.dumps(request), "handle", 1, hints=Hints(5001))
    assert aws.worker().work([message], Deadline(60)) == []

    assert content_of(5000) in aws.objects().values()


def test_an_old_size_makes_no_conflict(aws: Aws, bigin: Simulator) -> None:
    """A message from before the replacement costs one list call once the new file is archived, and nothing else."""
    request = bigin.add(content_of(5000))
    take(aws, request)
    bigin.control("DELETE", "calls")

    assert aws.worker().work([Message("1", json.dumps(request), "handle", 1, hints=Hints(4000))], Deadline(60)) == []

    assert 1 == bigin.calls()["total"]
    assert not aws.messages(aws.dead_letter_queue_url)


def test_what_is_archived_is_not_downloaded_again(aws: Aws, bigin: Simulator) -> None:
    """A second request finds the object and tells its stored checksum, without a call to Bigin."""
    content = content_of(2 * MIB)
    request = bigin.add(content, file_name="a.txt", content_type="text/plain")
    first = take(aws, request)
    bigin.control("DELETE", "calls")

    second = take(aws, request)

    assert isinstance(second, Archived)
    assert second.already
    assert first.stored == second.stored
    assert 0 == bigin.calls()["total"]
    assert [content] == list(aws.objects().values())


def test_an_object_of_another_size_is_a_conflict(aws: Aws, bigin: Simulator) -> None:
    """An object that does not have the listed size is not touched; the message is parked."""
    request = bigin.add(b"abc", file_name="a.txt")
    key = f"bigin/Contacts/{request['record_id']}/{request['attachment_id']}/a.txt"
    aws.s3.put_object(Bucket=aws.bucket, Key=key, Body=b"other")
    message = Message("1", json.dumps(request), "handle", 1, hints=Hints(3))

    assert aws.worker().work([message], Deadline(60)) == []

    assert {key: b"other"} == aws.objects()
    parked = aws.messages(aws.dead_letter_queue_url)
    assert ["content_conflict"] == [m["MessageAttributes"]["error_code"]["StringValue"] for m in parked]


def test_an_archived_file_of_another_size_than_bigin_lists_is_a_conflict(aws: Aws, bigin: Simulator) -> None:
    """If the attachment's own object has another size than Bigin lists, the message is parked."""
    request = bigin.add(b"abc", size_listed=5)
    take(aws, request)
    archived = aws.objects()

    assert aws.worker().work([Message("1", json.dumps(request), "handle", 1, hints=Hints(5))], Deadline(60)) == []

    assert archived == aws.objects()
    parked = aws.messages(aws.dead_letter_queue_url)
    assert ["content_conflict"] == [m["MessageAttributes"]["error_code"]["StringValue"] for m in parked]


@pytest.mark.parametrize("size", [1000, 3 * MIB])
@pytest.mark.parametrize(("change", "expected"), [(0, "already"), (1, "conflict")])
def test_the_loser_of_a_race_compares_checksums(
    aws: Aws, bigin: Simulator, size: int, change: int, expected: str
) -> None:
    """Of two writers one writes; the other finds the same bytes (already archived) or others (a conflict)."""
    content = content_of(size)
    request = bigin.add(content, file_name="a.bin")
    winner = bytes([content[0] + change]) + content[1:]
    key = f"bigin/Contacts/{request['record_id']}/{request['attachment_id']}/a.bin"
    # The race: the object appears while Bigin lets the download wait, after the check and before the write.
    bigin.fault({"kind": "delay", "seconds": 0.4}, times=1)
    with ThreadPoolExecutor() as threads:
        loser = threads.submit(take, aws, request)
        while not loser.done() and not bigin.calls()["total"]:
            pass
        aws.s3.put_object(Bucket=aws.bucket, Key=key, Body=winner, ChecksumAlgorithm="SHA256")
        error = loser.exception()

    assert {key: winner} == aws.objects()
    if expected == "conflict":
        assert isinstance(error, ContentConflictError)
    else:
        assert loser.result().already


def test_a_file_above_the_limit_is_refused_before_its_body_is_read(aws: Aws, bigin: Simulator) -> None:
    """The limit is told with its remedy, whether the length is declared or not."""
    request = bigin.add(content_of(2 * MIB))
    for framing in FRAMINGS:
        bigin.fault({"kind": "framing", "framing": framing}, times=1)
        with pytest.raises(AttachmentTooLargeError, match="MaxFileSizeMiB"):
            take(aws, request, MAX_FILE_SIZE_MIB="1")

    assert {} == aws.objects()


def test_a_bucket_that_is_gone_is_named(aws: Aws, bigin: Simulator) -> None:
    """Without the bucket the answer says so."""
    with pytest.raises(StorageRefusedError, match="bucket is gone"):
        take(aws, bigin.add(b"x"), BUCKET="no-such-bucket-here")


def test_a_gzip_error_page_is_recognized(aws: Aws, bigin: Simulator) -> None:
    """An error in compressed JSON is read like any other."""
    request = bigin.add(b"x")
    body = gzip.compress(json.dumps({"code": "INVALID_TOKEN", "status": "error"}).encode())
    assert body  # sent by the simulator when it is told to compress
    bigin.answer(401, {"code": "INVALID_TOKEN", "status": "error", "message": "m", "details": {}})

    with pytest.raises(BiginTokenRejectedError):
        take(aws, request)


@pytest.mark.parametrize("stored", ["", "{}", '{"access_token": 5}', '{"access_token"', "[]", '{"access_token": ""}'])
def test_a_secret_without_a_token_says_connect(aws: Aws, bigin: Simulator, stored: str) -> None:
    """A secret that is empty or malformed means: not connected. Bigin is not called."""
    if stored:
        aws.put_secret(aws.token_secret_id, stored)
    request = bigin.add(b"x")
    secret_id = aws.token_secret_id if stored else aws.credentials_secret_id

    with pytest.raises(BiginTokenRejectedError, match="bigin-archive authorize"):
        take(aws, request, TOKEN_SECRET_ID=secret_id)

    assert 0 == bigin.calls()["total"]


def test_a_bare_token_is_taken(aws: Aws, bigin: Simulator) -> None:
    """A secret that is a bare string is an access token."""
    aws.put_secret(aws.token_secret_id, TOKEN)

    assert not take(aws, bigin.add(b"x")).already


def test_a_token_of_another_data_centre_is_refused(aws: Aws, bigin: Simulator) -> None:
    """If the stored api_domain is not the configured host, the token is not sent."""
    aws.put_secret(aws.token_secret_id, {"access_token": TOKEN, "api_domain": "https://www.zohoapis.eu"})

    with pytest.raises(BiginTokenRejectedError, match="data centre"):
        take(aws, bigin.add(b"x"))

    assert 0 == bigin.calls()["total"]


def test_a_refused_token_is_read_again_once(aws: Aws, bigin: Simulator) -> None:
    """Where the stored token is newer than the refused one, the call is repeated with it."""
    service = aws.archive_or_queue()

    def archive(request: dict[str, Any]) -> Any:
        return service.take(json.dumps(request), later=False, request_id="r", deadline=Deadline(24))

    archive(bigin.add(b"one"))
    bigin.control("DELETE", "tokens")
    bigin.control("POST", "tokens", {"token": "fresh-token"})
    aws.store_token("fresh-token")
    request = bigin.add(b"two")

    assert not archive(request).already
    assert 3 == bigin.calls()["by_call"]["download"]  # the second file took two: refused, then served


@pytest.mark.parametrize(
    "body", [{"code": "INVALID_TOKEN", "message": "m", "details": {}}, {"code": "X", "message": "m"}]
)
def test_an_error_object_without_a_name_is_never_a_file(aws: Aws, bigin: Simulator, body: dict[str, Any]) -> None:
    """A JSON error with 200 and without Content-Disposition is an error, even where it does not say so."""
    request = bigin.add(b"x")
    bigin.answer(200, json.dumps(body), {"Content-Type": "application/json"})

    with pytest.raises(ArchiveError):
        take(aws, request)

    assert {} == aws.objects()


def test_redirects_are_not_followed(aws: Aws, bigin: Simulator) -> None:
    """A redirect is no file: the token goes to one host only."""
    request = bigin.add(b"x")
    bigin.answer(302, "", {"Location": f"{bigin.url}/bigin/v2/Contacts"})

    with pytest.raises(BiginUnavailableError):
        take(aws, request)

    assert 1 == bigin.calls()["total"]


def test_no_log_line_holds_a_name_or_a_token(aws: Aws, bigin: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    """File names, tokens and contents stay out of all output, whatever happens."""
    aws.put_secret(aws.token_secret_id, {"access_token": "canary-token"})
    bigin.control("POST", "tokens", {"token": "canary-token"})
    disposition = "attachment; filename*=UTF-8''canary%2Dname.txt"
    request = bigin.add(b"canary-content", file_name="canary-name.txt", disposition=disposition)
    faults: list[dict[str, Any]] = [
        {"kind": "answer", "status": 401, "headers": {}, "body": {"code": "INVALID_TOKEN", "status": "error"}},
        {"kind": "cut", "after": "half", "framing": "content-length"},
        {"kind": "reset-before-headers"},
        {"kind": "answer", "status": 200, "headers": {}, "body": "<html>canary-content</html>"},
    ]
    for fault in faults:
        bigin.no_faults()
        bigin.fault(fault)
        with pytest.raises(ArchiveError):
            take(aws, request)
    bigin.no_faults()
    take(aws, request)

    printed = capsys.readouterr()
    assert "archived" in printed.out
    assert "canary" not in printed.out + printed.err
