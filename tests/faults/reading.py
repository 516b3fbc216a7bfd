"""Reads the archive from bucket and queues, and compares it with what the Bigin simulator says about itself."""

import base64
import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.aws import Aws

READERS = 4


@dataclass(frozen=True, slots=True)
class Version:
    """One version of one object, read in full."""

    key: str
    size_bytes: int
    sha256: str
    stored_sha256: str
    metadata: Mapping[str, str]


@dataclass(slots=True)
class Findings:
    """Attachments by what is wrong with them. An empty one is good."""

    lost: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)
    unsettled: dict[str, str] = field(default_factory=dict)

    def of(self, attachment_id: str) -> bool:
        return any(attachment_id in found for found in (self.lost, self.wrong, self.extra, self.unsettled))

    def in_words(self, names: Mapping[str, str]) -> list[str]:
        kinds = {"lost": self.lost, "wrong bytes": self.wrong, "extra": self.extra, "not survived": self.unsettled}
        return [
            f"{kind}: {names.get(name, name)}: {text}" for kind, found in kinds.items() for name, text in found.items()
        ]


def versions(aws: Aws) -> list[Version]:
    """Every version in the bucket, and delete markers as versions without bytes."""
    found: list[tuple[str, str]] = []
    markers: list[Version] = []
    for page in aws.s3.get_paginator("list_object_versions").paginate(Bucket=aws.bucket):
        found += [(version["Key"], version["VersionId"]) for version in page.get("Versions", [])]
        markers += [Version(marker["Key"], -1, "", "", {}) for marker in page.get("DeleteMarkers", [])]

    def read(place: tuple[str, str]) -> Version:
        key, version_id = place
        answer = aws.s3.get_object(Bucket=aws.bucket, Key=key, VersionId=version_id, ChecksumMode="ENABLED")
        content = answer["Body"].read()
        stored = answer.get("ChecksumSHA256") or ""
        return Version(
            key,
            len(content),
            hashlib.sha256(content).hexdigest(),
            base64.b64decode(stored).hex(),
            answer.get("Metadata", {}),
        )

    with ThreadPoolExecutor(READERS) as pool:
        return [*pool.map(read, found), *markers]


def bodies(aws: Aws, queue_url: str) -> list[tuple[str, str, str]]:
    """(body, error_code, error_detail) of every visible message of a queue."""
    found = []
    while True:
        answer = aws.sqs.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=600
        )
        for message in answer.get("Messages", []):
            attributes = message.get("MessageAttributes", {})
            code, detail = (attributes.get(n, {}).get("StringValue", "") for n in ("error_code", "error_detail"))
            found.append((message["Body"], code, detail))
        if not answer.get("Messages"):
            return found


def compare(
    aws: Aws,
    expected_outcomes: Mapping[str, str],
    listed: Mapping[str, Mapping[str, Any]],
    *,
    is_drained: bool,
) -> Findings:
    """Findings of a finished run.

    ``expected_outcomes`` name what must become of each attachment: ``archived``, ``settled`` (neither object nor dead
    letter) or the error code with which it is parked. ``listed`` is the simulator's own list, by attachment id. A
    parked attachment has no object, except for a ``content_conflict``: there the listed object stays untouched.
    """
    findings = Findings()
    by_id: defaultdict[str, list[Version]] = defaultdict(list)
    for version in versions(aws):
        by_id[version.key.removeprefix("bigin/").split("/")[2]].append(version)
    parked: defaultdict[str, list[str]] = defaultdict(list)
    for body, code, _ in bodies(aws, aws.dead_letter_queue_url):
        parked[_id_in(body)].append(code)
    for upload in aws.s3.list_multipart_uploads(Bucket=aws.bucket).get("Uploads", []):
        findings.extra[upload["Key"]] = "an upload in parts that nobody will finish"
    waiting = set() if is_drained else {_id_in(body) for body, _, _ in bodies(aws, aws.queue_url)}
    for attachment_id, outcome in expected_outcomes.items():
        _check_objects(attachment_id, by_id.pop(attachment_id, []), outcome, listed, findings)
        codes = parked.pop(attachment_id, [])
        has_object = attachment_id not in findings.lost
        if outcome == "archived" and not has_object and (codes or attachment_id in waiting or not is_drained):
            del findings.lost[attachment_id]
            findings.unsettled[attachment_id] = f"parked as {codes}" if codes else "still in the queue"
        elif outcome in ("archived", "settled") and codes:
            findings.unsettled[attachment_id] = f"parked as {sorted(set(codes))}"
        elif outcome not in ("archived", "settled") and set(codes) != {outcome}:
            findings.unsettled[attachment_id] = f"parked as {sorted(set(codes))}, not as {outcome}"
    for attachment_id, found in by_id.items():
        findings.extra[attachment_id] = f"objects that nobody asked for: {[version.key for version in found]}"
    for attachment_id, codes in parked.items():
        findings.unsettled[attachment_id or "?"] = f"dead letters that nobody expects: {codes}"
    if not is_drained:
        findings.unsettled["queue"] = "the queue did not become empty in time"
    return findings


def _check_objects(
    attachment_id: str,
    found: list[Version],
    outcome: str,
    listed: Mapping[str, Mapping[str, Any]],
    findings: Findings,
) -> None:
    if outcome not in ("archived", "content_conflict"):
        if found:
            findings.extra[attachment_id] = f"{len(found)} versions of what has no file"
        return
    if not found:
        findings.lost[attachment_id] = "neither an object nor a message"
    if len(found) > 1:
        findings.extra[attachment_id] = f"{len(found)} versions"
    truth = listed[attachment_id]
    for version in found:
        if (version.size_bytes, version.sha256) != (truth["size_bytes"], truth["sha256"]):
            findings.wrong[attachment_id] = f"{version.size_bytes} bytes instead of {truth['size_bytes']}, or others"
        elif version.stored_sha256 != version.sha256:
            findings.wrong[attachment_id] = "S3 keeps another SHA-256 than that of the bytes"


def _id_in(body: str) -> str:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return body
    return str(found.get("attachment_id") or found.get("record_id")) if isinstance(found, dict) else body
