"""`make demo`: archives the attachments of a Bigin through the API and the queue, and compares every byte with Bigin's.

This module has the steps only; `local.report` prints them.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

import requests

from local.inventory import CHUNK_SIZE_BYTES, Attachment, Content, Inventory
from local.process import LocalStackError
from local.stack import LocalStack

ATTACHMENTS_LIMIT = 25
API_TRIES = 5
LONGEST_PAUSE_S = 8
QUEUE_TIMEOUT_S = 120
QUEUE_BATCH = 10  # what SQS takes at once
POISON = {"module": "Leads", "record_id": "1", "attachment_id": "1"}  # a module that Bigin does not have


@dataclass(slots=True)
class Archived:
    """One attachment: how it was sent, and what the result is."""

    attachment: Attachment
    ways: list[str] = field(default_factory=list)
    answers: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    key: str = ""
    stored: Content | None = None
    served: Content | None = None
    verdict: str = ""
    good: bool = False


@dataclass(frozen=True, slots=True)
class Probe:
    """One more thing that the demo shows: what was done, and what the answer was."""

    deed: str
    outcome: str
    good: bool


class Demo:
    """The steps, in their order."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self._inventory = Inventory(stack.description["bigin_api_url"], stack.access_token)
        self._s3 = stack.client("s3")
        self._sqs = stack.client("sqs")
        self.files: list[Archived] = []
        self.probes: list[Probe] = []

    def discover(self) -> None:
        if not self._stack.access_token():
            raise LocalStackError("The stack is not connected to Bigin. Set BIGIN_ACCESS_TOKEN to an access token.")
        found = self._inventory.attachments(ATTACHMENTS_LIMIT)
        if not found:
            url = self._stack.description["bigin_api_url"]
            raise LocalStackError(f"There is nothing to archive: Bigin ({url}) lists no attachment for this token.")
        self.files = [Archived(attachment) for attachment in found]

    def archive(self) -> None:
        """Archive in both ways, and try everything else that the demo shows."""
        self._archive_by_api()
        self._archive_by_queue()
        self._send([POISON])
        self._show_duplicate()
        self._show_links()
        self._wait_for_queue()
        self._read_dead_letters()

    def compare(self) -> None:
        """Reads every file back from S3 and straight from Bigin, both to the last byte."""
        for file in self.files:
            self._compare(file)

    @property
    def good(self) -> bool:
        return all(file.good for file in self.files) and all(probe.good for probe in self.probes)

    def _archive_by_api(self) -> None:
        """Send every second file, and every link, to show how the API answers for a link."""
        for index, file in enumerate(self.files):
            if index % 2 == 0 or file.attachment.is_link:
                self._post(file)

    def _archive_by_queue(self) -> None:
        """Send the rest. For a link, send its record, because only the list of the record has the link's address."""
        waiting = [
            file for file in self.files if not file.answers or file.answers[-1][0] >= 500 or file.attachment.is_link
        ]
        for file in waiting:
            file.ways.append("queue")
        self._send([file.attachment.request() for file in waiting if not file.attachment.is_link])
        records = [file.attachment.record_request() for file in waiting if file.attachment.is_link]
        self._send([request for number, request in enumerate(records) if request not in records[:number]])

    def _show_duplicate(self) -> None:
        """Send a file again: nothing is downloaded a second time."""
        first = next((file for file in self.files if file.answers and file.answers[-1][0] in (200, 201)), None)
        if first:
            status, answer = self._ask(first.attachment)
            good = status == 200 and answer.get("status") == "already_archived"
            self.probes.append(
                Probe(
                    "A file that is archived already, sent to the API again",
                    f"{status} {answer.get('status', answer.get('code'))}",
                    good,
                )
            )

    def _show_links(self) -> None:
        for file in self.files:
            if file.attachment.is_link:
                status, answer = file.answers[-1]
                good = status in (404, 422)
                self.probes.append(
                    Probe(f"A link ({file.attachment.name}), sent to the API", f"{status} {answer.get('code')}", good)
                )

    def _wait_for_queue(self) -> None:
        """Wait until the queue is seen empty three times in a row, messages in flight included."""
        names = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ]
        deadline, quiet = time.monotonic() + QUEUE_TIMEOUT_S, 0
        while quiet < 3:
            answer = self._sqs.get_queue_attributes(QueueUrl=self._stack.description["queue_url"], AttributeNames=names)
            left = sum(int(answer["Attributes"][name]) for name in names)
            quiet = 0 if left else quiet + 1
            if time.monotonic() > deadline:
                return  # the table then shows what is missing
            self._stack.check()
            time.sleep(0.3)

    def _read_dead_letters(self) -> None:
        """Add a probe for the poison message, and the reason to each file that was parked."""
        parked = self._dead_letters()
        poison = [reason for body, reason in parked if body == POISON]
        self.probes.append(
            Probe(
                "A message with a module that Bigin does not have",
                f"parked: {poison[0]}" if poison else "not parked",
                bool(poison),
            )
        )
        reasons = {json.dumps(body): reason for body, reason in parked}
        for file in self.files:
            reason = reasons.get(json.dumps(file.attachment.request()))
            if reason:
                file.verdict = f"parked: {reason}"

    def _compare(self, file: Archived) -> None:
        attachment = file.attachment
        folder = (
            f"{self._stack.description['prefix']}{attachment.module}/{attachment.record_id}/{attachment.attachment_id}/"
        )
        bucket = self._stack.description["bucket"]
        keys = [item["Key"] for item in self._s3.list_objects_v2(Bucket=bucket, Prefix=folder).get("Contents", [])]
        if attachment.is_link:
            file.key = keys[0].removeprefix(folder) if keys else ""
            file.good = len(keys) <= 1 and all(key.endswith(".url") for key in keys)
            file.verdict = ("link stored as a shortcut" if keys else "a link") if file.good else "a link, stored wrong"
            return
        try:
            file.served = self._inventory.read(attachment)
        except LocalStackError as error:
            file.verdict = str(error)
            return
        if keys:
            file.key = keys[0].removeprefix(folder)
            file.stored = Content.of(
                self._s3.get_object(Bucket=bucket, Key=keys[0])["Body"].iter_chunks(CHUNK_SIZE_BYTES)
            )
        answered = {answer["sha256"] for _, answer in file.answers if "sha256" in answer}
        file.verdict, file.good = _verdict(file, len(keys), answered)

    def _post(self, file: Archived) -> None:
        """Send a file to the API, and repeat it while the API answers with a 5xx."""
        file.ways.append("API")
        for _ in range(API_TRIES):
            answer = self._ask(file.attachment)
            file.answers.append(answer)
            if answer[0] < 500:
                break

    def _ask(self, attachment: Attachment) -> tuple[int, dict[str, Any]]:
        answer = self._stack.post("/attachments", attachment.request())
        if answer.status_code >= 500:
            time.sleep(min(int(answer.headers.get("Retry-After", "1")), LONGEST_PAUSE_S))
        return answer.status_code, _json_object(answer)

    def _send(self, requests_: list[dict[str, str]]) -> None:
        for start in range(0, len(requests_), QUEUE_BATCH):
            entries = [
                {"Id": str(n), "MessageBody": json.dumps(body)}
                for n, body in enumerate(requests_[start : start + QUEUE_BATCH])
            ]
            answer = self._sqs.send_message_batch(QueueUrl=self._stack.description["queue_url"], Entries=entries)
            if answer.get("Failed"):
                raise LocalStackError(f"The queue refuses a message: {answer['Failed'][0]}")

    def _dead_letters(self) -> list[tuple[Any, str]]:
        """Body and reason of each dead letter. None is deleted."""
        found: list[tuple[Any, str]] = []
        while batch := self._sqs.receive_message(
            QueueUrl=self._stack.description["dead_letter_queue_url"],
            MaxNumberOfMessages=QUEUE_BATCH,
            MessageAttributeNames=["All"],
        ).get("Messages"):
            for message in batch:
                reason = {
                    name: value.get("StringValue", "") for name, value in message.get("MessageAttributes", {}).items()
                }
                found.append(
                    (
                        json.loads(message["Body"]),
                        f"{reason.get('error_code', 'no reason')}: {reason.get('error_detail', '')}",
                    )
                )
        return found


def _verdict(file: Archived, objects: int, answered: set[str]) -> tuple[str, bool]:
    if objects > 1:
        return f"{objects} objects instead of one", False
    if file.served is None:
        return ("gone in Bigin, kept in S3", True) if file.stored else ("gone in Bigin", True)
    if file.stored is None:
        return file.verdict or _last_answer(file), False
    if file.stored != file.served or answered - {file.stored.sha256}:
        return "DIFFERENT from Bigin's", False
    return "equal", True


def _last_answer(file: Archived) -> str:
    if not file.answers:
        return "missing"
    status, answer = file.answers[-1]
    return f"missing; the API said {status} {answer.get('code', '')}: {answer.get('detail', '')}"


def _json_object(answer: requests.Response) -> dict[str, Any]:
    try:
        value = answer.json()
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
