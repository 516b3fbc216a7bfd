"""A file that Bigin sends encoded, or labels so: what is stored are the bytes of the file, or nothing."""

import gzip
import json
from dataclasses import dataclass

from bigin_archive.archive_request import ArchiveRequest, Hints
from bigin_archive.aws.clients import session
from bigin_archive.deadline import Deadline
from bigin_archive.errors import ArchiveError
from bigin_archive.settings import MIB
from bigin_archive.telemetry import reporter
from bigin_archive.wiring.pipeline import archive_pipeline
from tests.aws import Aws
from tests.bigin import TOKEN
from tests.raw_server import CLOSE, serving

TEXT = b"the file itself " * 1000
PACKED = gzip.compress(TEXT)


def answer(body: bytes, *headers: str, close: bool = False) -> bytes:
    head = ["HTTP/1.1 200 OK", 'Content-Disposition: attachment; filename="a.tar.gz"', *headers]
    if not close:
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*head, "", ""]).encode() + body


def listing(size: object, attachment_id: int) -> bytes:
    body = json.dumps(
        {"data": [{"id": str(attachment_id), "File_Name": "a.tar.gz", "Size": size}], "info": {}}
    ).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


@dataclass(frozen=True)
class Case:
    """What Bigin answers, one connection each; the size that its list gave before; what is stored, or the error."""

    answers: tuple[bytes, ...]
    hint: int | None
    expected: bytes | str


def check(aws: Aws, *cases: Case) -> None:
    """Archive one attachment for each case, in order."""
    scripts = [[one, CLOSE] for case in cases for one in case.answers]
    with serving(*scripts) as server:
        aws.bigin_url = server.url
        aws.store_token(TOKEN)
        env = {**aws.environment, "BIGIN_API_URL": server.url}
        archiver = archive_pipeline(env, session(), aws.dynamodb, reporter(), threads=1, read_timeout_s=30).archiver
        for number, case in enumerate(cases):
            request = ArchiveRequest("Contacts", "501", str(9101 + number), Hints(case.hint))
            try:
                key = archiver.archive(request, Deadline(20)).stored.key
                actual: bytes | str = aws.s3.get_object(Bucket=aws.bucket, Key=key)["Body"].read()
            except ArchiveError as error:
                actual = error.code
            assert case.expected == actual, number
        assert len(scripts) == len(server.heads)
    assert sum(isinstance(case.expected, bytes) for case in cases) == len(aws.objects())


def gzipped(body: bytes, coding: str = "gzip") -> bytes:
    return answer(body, f"Content-Encoding: {coding}")


def test_gzip_is_decoded(aws: Aws) -> None:
    """Gzip may have several members and zeros behind the last one; an empty file may have no bytes at all."""
    bodies = (
        (PACKED, TEXT),
        (PACKED + bytes(512), TEXT),
        (PACKED + bytes(MIB + 9), TEXT),
        (gzip.compress(b"a") + bytes(3) + gzip.compress(b"b") + bytes(9), b"ab"),
        (b"", b""),
        (gzip.compress(b""), b""),
        (gzip.compress(bytes(5000)), bytes(5000)),
    )
    codings = ("gzip", "X-GZIP", "identity, gzip")
    check(
        aws,
        *(Case((gzipped(body),), len(file), file) for body, file in bodies),
        *(Case((gzipped(PACKED, coding),), len(TEXT), TEXT) for coding in codings),
    )


def test_what_does_not_end_as_gzip_must_is_not_stored(aws: Aws) -> None:
    """Gzip that is cut, has a wrong checksum or other bytes behind it, or is none, is not stored."""
    bodies = (PACKED[:-1], PACKED[:-8] + bytes(8), PACKED + b"rest", bytes(20), b"no gzip", TEXT)

    check(aws, *(Case((gzipped(body),), len(TEXT), "download_incomplete") for body in bodies))


def test_encoded_bytes_of_the_listed_size_are_the_file(aws: Aws) -> None:
    """A server that labels ``.tar.gz`` by its name means the file as it is: its size in the list tells.

    The list is asked where no message brought the size. Where it has none, the label is all there is.
    """
    check(
        aws,
        Case((gzipped(PACKED),), len(PACKED), PACKED),
        Case((gzipped(PACKED), listing(len(PACKED), 9102)), None, PACKED),
        Case((gzipped(PACKED), listing(len(TEXT), 9103)), None, TEXT),
        Case((gzipped(PACKED), listing(None, 9104)), None, TEXT),
        Case((gzipped(PACKED), listing(len(TEXT) + 1, 9105)), len(TEXT) + 1, "download_incomplete"),
        Case((gzipped(PACKED), listing(len(PACKED) - 1, 9106)), len(PACKED) - 1, "download_incomplete"),
    )


def test_a_body_without_length_and_end_is_stored_by_its_listed_size_alone(aws: Aws) -> None:
    """A connection that closes may have been cut: where the list has no size either, nothing tells that all arrived."""
    body = answer(TEXT, close=True)
    check(
        aws,
        Case((body, listing(len(TEXT), 9101)), None, TEXT),
        Case((body, listing(len(TEXT) + 1, 9102)), None, "download_incomplete"),
        Case((body, listing(None, 9103)), None, "download_incomplete"),
    )


def test_another_coding_is_refused(aws: Aws) -> None:
    """Codings that were not asked for are refused: their end cannot be verified, or they would be stored as the
    file.
    """
    contents = ("br", "zstd", "gzip, gzip", "deflate", "utf-8")
    transfers = ("gzip, chunked", "gzip", "compress")
    chunked = b"4\r\nbody\r\n0\r\n\r\n"
    check(
        aws,
        *(Case((gzipped(TEXT, coding),), len(TEXT), "bigin_unavailable") for coding in contents),
        *(
            Case((answer(chunked, f"Transfer-Encoding: {coding}", close=True),), len(chunked), "bigin_unavailable")
            for coding in transfers
        ),
    )
