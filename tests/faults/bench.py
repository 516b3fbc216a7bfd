"""A bench: the bucket, queues, secrets, workers, files and faults of one kind of fault."""

import hashlib
import json
from collections.abc import Callable, Collection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.aws import Aws
from tests.bigin import TOKEN, Simulator
from tests.faults import paths, reading
from tests.faults.event_source import EventSource
from tests.faults.relay import Fault, Relay, Rule
from tests.faults.runtime import WorkerProcess
from tests.faults.tally import Row

PATIENCE_S = 120  # of one drain
PATIENCE_AFTER_FAILURE_S = 5  # of those behind one that has failed: the row has failed with it
MAX_TRIES = 100  # the template's maxReceiveCount

Request = dict[str, Any]


class Bench:
    """Files to archive, faults that strike them, and what became of each file."""

    def __init__(self, aws: Aws, bigin: Simulator, aws_relay: Relay, bigin_relay: Relay, log: Path) -> None:
        self.aws, self.bigin = aws, bigin
        self.aws_relay, self.bigin_relay = aws_relay, bigin_relay
        self.log = log
        self.functions = paths.FUNCTIONS
        self._log_start = log.stat().st_size if log.exists() else 0
        self._workers: list[WorkerProcess] = []
        self._injections: list[tuple[str | None, Callable[[], int]]] = []
        self.current: WorkerProcess | None = None
        self.is_drained = True
        self.names: dict[str, str] = {}  # of attachments, for complaints
        self._remarks: list[str] = []
        self.objects: dict[str, dict[str, Any]] = {}  # what must lie in S3 where it is no file of the simulator's
        self.expected_outcomes: dict[str, str] = {}
        self.env: dict[str, str] = {
            **aws.environment,
            "AWS_ENDPOINT_URL": aws_relay.url,
            "RETRY_DELAY_S": "1",
            "RETRY_DELAY_MAX_S": "2",
        }
        self.source = EventSource(aws.sqs, aws.queue_url)
        redrive = {"deadLetterTargetArn": self._arn(aws.dead_letter_queue_url), "maxReceiveCount": str(MAX_TRIES)}
        aws.sqs.set_queue_attributes(QueueUrl=aws.queue_url, Attributes={"RedrivePolicy": json.dumps(redrive)})

    def _arn(self, queue_url: str) -> str:
        answer = self.aws.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
        arn: str = answer["Attributes"]["QueueArn"]
        return arn

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.stop()
        self.aws_relay.clear()
        self.bigin_relay.clear()
        self._empty()

    def _empty(self) -> None:
        # The emulator keeps objects in memory.
        for page in self.aws.s3.get_paginator("list_object_versions").paginate(Bucket=self.aws.bucket):
            found = [{"Key": v["Key"], "VersionId": v["VersionId"]} for v in page.get("Versions", [])]
            if found:
                self.aws.s3.delete_objects(Bucket=self.aws.bucket, Delete={"Objects": found, "Quiet": True})

    # ---- Files and faults ------------------------------------------------------------------------------------------

    def file(self, size_bytes: int = 1000, *, outcome: str = "archived", **fields: Any) -> Request:
        """Add an attachment of pseudo-random bytes."""
        if "content" in fields:
            request = self.bigin.add(**fields)
        else:
            request = self.bigin.add(size_bytes=size_bytes, seed=len(self.expected_outcomes), **fields)
        self.expected_outcomes[request["attachment_id"]] = outcome
        return request

    def link(self, url: str, title: str, **fields: Any) -> Request:
        """Add an attachment that is a link. It must become an Internet shortcut."""
        request = self.file(content=b"", kind="link", link_url=url, file_name=title, **fields)
        self.expect(request, f"[InternetShortcut]\r\nURL={url}\r\n".encode())
        return request

    def expect(self, request: Request, content: bytes) -> None:
        """Expect other bytes in the attachment's object than the simulator would send."""
        digest = hashlib.sha256(content).hexdigest()
        self.objects[request["attachment_id"]] = {"size_bytes": len(content), "sha256": digest}

    def strike(self, request: Request, fault: dict[str, Any], **rule: Any) -> None:
        """Set a fault of the simulator for this attachment (with ``call="list"`` for its record)."""
        where = {"record_id": request["record_id"]} if rule.get("call") == "list" else {}
        where = where or {"attachment_id": request["attachment_id"]}
        made = self.bigin.control("POST", "faults", {"call": "download", **where, **rule, "fault": fault})["id"]
        self.names.setdefault(request["attachment_id"], str(fault)[:150])
        self._injected(request["attachment_id"], lambda: self.fired(made))

    def strike_answer(self, request: Request, status: int, body: object = "", headers: Any = None, **rule: Any) -> None:
        self.strike(request, {"kind": "answer", "status": status, "headers": headers or {}, "body": body}, **rule)

    def strike_aws(self, request: Request | None, fault: Fault, call: str, **rule: Any) -> Rule:
        """Set a fault between worker and AWS. Without a request it holds for the whole bench."""
        needle = request["attachment_id"] if request and call.startswith("s3.") else ""
        made = self.aws_relay.fault(fault, call, needle=needle, **rule)
        if request:
            self.names.setdefault(request["attachment_id"], f"{call}: {str(fault)[:150]}")
        self._injected(request["attachment_id"] if request else None, lambda: made.fired)
        return made

    def strike_wire(
        self, request: Request, fault: Fault, call: str = "bigin.download", name: str = "", **rule: Any
    ) -> Rule:
        """Set a fault between worker and Bigin. Call :meth:`through_bigin_relay` first."""
        needle = request["attachment_id"] if call == "bigin.download" else request["record_id"]
        made = self.bigin_relay.fault(fault, call, needle=f"/{needle}", **rule)
        self.names.setdefault(request["attachment_id"], name or str(fault)[:150])
        self._injected(request["attachment_id"], lambda: made.fired)
        return made

    def through_bigin_relay(self) -> None:
        """Let workers reach Bigin through the relay from now on."""
        self.env |= {"BIGIN_API_URL": self.bigin_relay.url, "BIGIN_ACCOUNTS_URL": self.bigin_relay.url}
        self.aws.bigin_url = self.bigin_relay.url
        self.aws.store_token("simulator-access-token")

    def injected(self, count: Callable[[], int], request: Request | None = None) -> None:
        """Count faults that were set in another way."""
        self._injected(request["attachment_id"] if request else None, count)

    def remark(self, complaint: str) -> None:
        """Note something wrong that neither bucket nor queues show."""
        self._remarks.append(complaint)

    def _injected(self, attachment_id: str | None, count: Callable[[], int]) -> None:
        self._injections.append((attachment_id, count))

    def _in_the_log(self, names: Collection[str]) -> list[str]:
        """Find bugs that a worker has survived, which we should know, and words that no log line may hold."""
        if not self.log.exists():
            return []
        log = self.log.read_bytes()[self._log_start :].decode(errors="replace")
        details = {json.loads(line).get("error_detail") for line in log.splitlines() if '"internal_error"' in line}
        bugs = [f"internal_error: {detail}" for detail in sorted(map(str, details))]
        leaks = ["a file name is in the log" for name in names if name in log]
        return bugs + leaks[:1] + (["a token is in the log"] if TOKEN in log else [])

    def fired(self, rule_id: int) -> int:
        """How often a rule of the simulator has struck."""
        rules = self.bigin.control("GET", "faults")
        return next((int(rule["fired"]) for rule in rules if rule["id"] == rule_id), 0)

    # ---- Deliveries ------------------------------------------------------------------------------------------------

    def send(self, *bodies: object) -> None:
        """Send messages to the queue."""
        texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
        for start in range(0, len(texts), 10):
            entries = [{"Id": str(n), "MessageBody": text} for n, text in enumerate(texts[start : start + 10])]
            self.aws.sqs.send_message_batch(QueueUrl=self.aws.queue_url, Entries=entries)

    def send_listed(self, request: Request, size_bytes: int) -> None:
        """Send a message as a list of ours does: with the size beside the body."""
        size = {"DataType": "Number", "StringValue": str(size_bytes)}
        self.aws.sqs.send_message(
            QueueUrl=self.aws.queue_url,
            MessageBody=json.dumps(request),
            MessageAttributes={"listed_size_bytes": size},
        )

    def worker(self, **env: str) -> WorkerProcess:
        """Start a cold worker process."""
        made = WorkerProcess({**self.env, **env}, self.functions, self.log)
        self._workers.append(made)
        return made

    def drain(self, seconds: float = 300, patience_s: float = PATIENCE_S, **env: str) -> bool:
        """Deliver messages until the queue is empty, to one worker that is replaced when it dies."""
        if not self.is_drained:
            patience_s = min(patience_s, PATIENCE_AFTER_FAILURE_S)
        self.is_drained = self.source.drain(lambda event: self.invoke(event, seconds, **env), patience_s)
        return self.is_drained

    def disarm(self) -> None:
        """End all relay faults that have not struck yet."""
        self.aws_relay.disarm()
        self.bigin_relay.disarm()

    def invoke(self, event: dict[str, Any], seconds: float = 300, **env: str) -> Any:
        """Invoke the bench's worker, or a cold one if the last has died."""
        if self.current is None or not self.current.is_alive:
            self.current = self.worker(**env)
            self.aws_relay.on_kill = self.bigin_relay.on_kill = self.current.kill
        return self.current.invoke(event, seconds)

    def next_is_cold(self) -> None:
        """Let the next invocation be a cold start."""
        if self.current is not None:
            self.current.stop()
            self._workers.remove(self.current)
            self.current = None

    def empty_dead_letters(self) -> None:
        """Empty the dead-letter queue, after the kind has looked at it itself."""
        self.aws.sqs.purge_queue(QueueUrl=self.aws.dead_letter_queue_url)

    def end_leases(self) -> None:
        """End all leases, as half a minute after the death of a function would."""
        for number in range(2):
            self.aws.dynamodb.delete_item(TableName=self.aws.bucket, Key={"lease": {"S": f"api-{number}"}})

    # ---- What became of it -----------------------------------------------------------------------------------------

    def row(self, kind: str, note: str = "") -> Row:
        """The row of this bench. Every fault must have struck, because a fault that did not strike proves nothing."""
        attachments = self.bigin.attachments()
        listed = {found["attachment_id"]: found for found in attachments} | self.objects
        file_names = {found["file_name"] for found in attachments}
        findings = reading.compare(self.aws, self.expected_outcomes, listed, is_drained=self.is_drained)
        row = Row(
            kind,
            note=note,
            complaints=findings.in_words(self.names) + self._remarks + self._in_the_log(file_names),
            files=len(self.expected_outcomes),
        )
        whole = not row.complaints
        for attachment_id, count in self._injections:
            fired = count()
            row.injected += fired
            is_good = whole if attachment_id is None else not findings.of(attachment_id)
            row.survived += fired if is_good else 0
            if not fired:
                row.complaints.append(f"a fault of {attachment_id or 'the bench'} never struck")
        row.lost, row.wrong, row.extra = len(findings.lost), len(findings.wrong), len(findings.extra)
        row.calls = sum(self.bigin.calls()["by_call"].get(name, 0) for name in ("download", "list"))
        return row
