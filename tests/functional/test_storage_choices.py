"""What a deployment chooses about its bucket: storage class, Object Lock."""

import pytest
from botocore.exceptions import ClientError

from tests.aws import Aws
from tests.bigin import Simulator
from tests.lambdas import Context, api_event, load


@pytest.mark.parametrize(("chosen", "expected"), [("STANDARD", None), ("GLACIER_IR", "GLACIER_IR")])
def test_a_file_is_stored_in_the_chosen_class(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, chosen: str, expected: str | None
) -> None:
    """The request names the chosen class, and none where it is the standard one."""
    monkeypatch.setenv("STORAGE_CLASS", chosen)
    request = bigin.add(b"content")

    assert 201 == load("archive_now").handler(api_event(request), Context())["statusCode"]

    (key,) = aws.objects()
    assert expected == aws.head(key).get("StorageClass")


@pytest.mark.parametrize("size_bytes", [7, 3_000_000])
def test_a_bucket_with_object_lock_takes_files_and_keeps_them(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, size_bytes: int
) -> None:
    """Small and streamed files are archived as ever; their version cannot be deleted, even by the account's root."""
    bucket = f"{aws.bucket}-locked"
    aws.s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}
    aws.s3.put_object_lock_configuration(
        Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    monkeypatch.setenv("BUCKET", bucket)
    request = bigin.add(size_bytes=size_bytes, seed=1)
    handler = load("archive_now").handler

    assert [201, 200] == [handler(api_event(request), Context())["statusCode"] for _ in range(2)]

    (version,) = aws.s3.list_object_versions(Bucket=bucket)["Versions"]
    with pytest.raises(ClientError, match="AccessDenied"):
        aws.s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
