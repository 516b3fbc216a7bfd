"""Buckets for a moment. They have names of their own kind, expire by themselves, and are always removed."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from operate.stack.aws import aws_errors

PREFIX = "bigin-archive-selftest-"
_A_DAY = {
    "Rules": [
        {
            "ID": "selftest-ends",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "Expiration": {"Days": 1},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        }
    ]
}


@contextmanager
def bucket(client: Any, region: str, *, locked: bool) -> Iterator[str]:
    """A new bucket, with Object Lock (GOVERNANCE, one day) or without. Raises OperateError."""
    name = f"{PREFIX}{secrets.token_hex(8)}"
    try:
        with aws_errors("create a bucket for the selftest"):
            made: dict[str, Any] = {"ObjectLockEnabledForBucket": True} if locked else {}
            if region != "us-east-1":  # S3 API Reference, CreateBucket: this one must not be named
                made["CreateBucketConfiguration"] = {"LocationConstraint": region}
            client.create_bucket(Bucket=name, **made)
            client.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration=_A_DAY)
            if locked:
                rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}
                client.put_object_lock_configuration(
                    Bucket=name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
                )
        yield name
    finally:
        remove(client, name)


def leftovers(client: Any) -> list[str]:
    """Buckets that a killed run left behind. Raises OperateError."""
    with aws_errors("list your buckets"):
        return [found["Name"] for found in client.list_buckets()["Buckets"] if found["Name"].startswith(PREFIX)]


def remove(client: Any, name: str) -> None:
    """Delete a bucket of the selftest with its content; do nothing if there is none. Raises OperateError."""
    if not name.startswith(PREFIX):
        raise ValueError("no bucket of the selftest")
    with aws_errors("remove a bucket of the selftest, whose content expires after a day"):
        try:
            pages = list(client.get_paginator("list_object_versions").paginate(Bucket=name))
        except client.exceptions.NoSuchBucket:
            return
        for page in pages:
            for found in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                client.delete_object(
                    Bucket=name, Key=found["Key"], VersionId=found["VersionId"], BypassGovernanceRetention=True
                )
        client.delete_bucket(Bucket=name)
