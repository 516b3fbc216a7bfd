"""Addresses that download from S3: of the bucket's own region, and of one version."""

from contextlib import nullcontext
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from bigin_archive.aws.clients import SIGNED, config
from bigin_archive.storage.s3_errors import ColdStorageError, check_tier
from bigin_archive.storage.version_reader import VersionReader


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-central-1", "archive.s3.eu-central-1.amazonaws.com"),
        ("us-east-1", "archive.s3.amazonaws.com"),  # the global host is in this region
        ("cn-north-1", "archive.s3.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_an_address_is_one_of_the_region(region: str, host: str) -> None:
    """An address has the host of the region, since the global one redirects and breaks the signature; it is of one
    version.
    """
    client = boto3.client(
        "s3",
        region_name=region,
        aws_access_key_id="id",
        aws_secret_access_key="key",
        aws_session_token="token",
        config=config(4).merge(SIGNED),
    )

    url = urlsplit(VersionReader(client, "archive", "bigin/").signed_url("bigin/a b.txt", "v1", 300))

    query = parse_qs(url.query)
    assert (url.scheme, url.netloc, url.path) == ("https", host, "/bigin/a%20b.txt")
    assert (query["versionId"], query["X-Amz-Expires"]) == (["v1"], ["300"])
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert f"/{region}/s3/aws4_request" in query["X-Amz-Credential"][0]


@pytest.mark.parametrize(
    ("head", "is_cold"),
    [
        ({}, False),
        ({"StorageClass": "STANDARD_IA"}, False),
        ({"StorageClass": "GLACIER_IR"}, False),
        ({"StorageClass": "INTELLIGENT_TIERING"}, False),
        ({"StorageClass": "GLACIER"}, True),
        ({"StorageClass": "DEEP_ARCHIVE", "Restore": 'ongoing-request="true"'}, True),
        ({"StorageClass": "DEEP_ARCHIVE", "Restore": 'ongoing-request="false", expiry-date="x"'}, False),
        ({"StorageClass": "INTELLIGENT_TIERING", "ArchiveStatus": "DEEP_ARCHIVE_ACCESS"}, True),
    ],
)
def test_what_an_archive_tier_holds_cannot_be_read_now(head: dict[str, str], is_cold: bool) -> None:
    """An object in an archive tier cannot be read now, unless it has a restored copy (S3 API Reference, HeadObject)."""
    with pytest.raises(ColdStorageError) if is_cold else nullcontext():
        check_tier(head)
