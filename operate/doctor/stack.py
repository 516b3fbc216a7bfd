"""Checks what runs in AWS: the stack, its worker, queues, bucket and alarms, and whether somebody gets the alarms."""

import json
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from bigin_archive.bigin import probed_answers
from operate.findings import Check, Finding, ok, problem, unknown
from operate.pause.switches import Switches
from operate.stack.aws import Account, aws_errors
from operate.stack.log_search import last_outcome
from operate.stack.stack import Stack
from operate.terminal import duration, moment

_GOOD = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")
_READY, _HIDDEN = "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"
_ARCHIVED = ("archived", "already_archived")
_ROWS = 1000  # rows of the ledger that one call looks at
_CALLED = ("queued", "recorded")


def resources(account: Account, stack: Stack) -> Mapping[str, str]:
    """Physical names by logical ones. Raises OperateError."""
    with aws_errors("list the stack's resources"):
        pages = account.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack.name)
        return {
            found["LogicalResourceId"]: found.get("PhysicalResourceId", "")
            for page in pages
            for found in page["StackResourceSummaries"]
        }


class StackDoctor:
    """Looks at one stack; ``physical`` are its resources by logical name."""

    def __init__(self, account: Account, stack: Stack, physical: Mapping[str, str]) -> None:
        self._account = account
        self._stack = stack
        self._physical = physical

    def checks(self) -> Iterator[Check]:
        """The checks, in the order of the flow."""
        yield "Stack", self._status
        yield "Pause", self._pause
        yield "Worker", self._worker
        yield "Bucket", self._bucket
        yield "Key prefix", self._key_prefix
        yield "Bigin's answers", self._probe
        yield "Queue", self._queue
        yield "Dead letters", lambda: self._dead("Dead letters", "DeadLetterQueue")
        yield "Dead records", lambda: self._dead("Dead records", "RecordDeadLetterQueue")
        yield "Last success", self._last_success
        yield "Last webhook", self._last_webhook
        yield "Alarms", self._alarms
        yield "Alarm e-mail", self._email

    def _status(self) -> Finding:
        with aws_errors("look the stack up"):
            found = self._account.client("cloudformation").describe_stacks(StackName=self._stack.name)["Stacks"][0]
        status = str(found["StackStatus"])
        if status in _GOOD:
            return ok("Stack", f"{self._stack.name}, {status}")
        return problem(
            "Stack",
            f"{self._stack.name} is in state {status}.",
            "Wait until its deployment is done. If it failed, see its events in the console of CloudFormation.",
        )

    def _pause(self) -> Finding:
        found = Switches(self._account, self._stack).paused()
        if found is None:
            return ok("Pause", "no: the stack is working")
        left = found.safe_until - datetime.now(UTC)
        lost = "requests are being lost" if left <= timedelta() else f"nothing is lost for another {duration(left)}"
        return problem(
            "Pause",
            f"Paused since {moment(datetime.fromisoformat(found.since))}: requests wait; {lost}, until "
            f"{moment(found.safe_until)}.",
            f"Go on: bigin-archive resume --stack {self._stack.name}",
        )

    def _worker(self) -> Finding:
        name = self._physical.get("ArchiveQueuedFunction", "")
        with aws_errors("look at the worker's event source"):
            found = self._account.client("lambda").list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        states = [str(mapping["State"]) for mapping in found]
        if states and all(state == "Enabled" for state in states):
            return ok("Worker", "takes requests from the queue")
        remedy = f"Enable the SQS trigger of the function {name} in the Lambda console, or deploy the stack again."
        if Switches(self._account, self._stack).paused():  # who enabled this one alone would leave the schedules off
            remedy = f"The stack is paused: bigin-archive resume --stack {self._stack.name}"
        return problem(
            "Worker",
            f"The queue's trigger is {states[0].lower() if states else 'gone'}: nothing is archived from the queue.",
            remedy,
        )

    def _bucket(self) -> Finding:
        with aws_errors("look at the bucket"):
            kept = self._account.client("s3").get_bucket_versioning(Bucket=self._physical["Bucket"]).get("Status")
        if kept == "Enabled":
            return ok("Bucket", "is there and keeps versions")
        return problem("Bucket", "It keeps no versions, so a deletion would be final.", "Deploy the stack again.")

    def _key_prefix(self) -> Finding:
        """Look at some rows of the ledger. They have no order, so a changed prefix shows in any thousand of them."""
        name, prefix = "Key prefix", self._stack.key_prefix
        with aws_errors("look at the ledger"):
            found = self._account.client("dynamodb").scan(
                TableName=self._stack.ledger_table,
                Limit=_ROWS,
                ProjectionExpression="#key",
                FilterExpression="attribute_exists(#key) AND NOT begins_with(#key, :prefix)",
                ExpressionAttributeNames={"#key": "key"},
                ExpressionAttributeValues={":prefix": {"S": prefix}},
            )["Items"]
        if not found:
            return ok(name, f"{prefix or 'none'}, the same for all files that were looked at")
        return problem(
            name,
            f"KeyPrefix was changed to {prefix or 'nothing'}. At least {len(found)} files have another prefix, and "
            "the functions do not see them.",
            "Deploy with the former KeyPrefix. To move the archive, copy its objects with their metadata to the new "
            "prefix, then run: bigin-archive rebuild-ledger",
        )

    def _probe(self) -> Finding:
        """The result of the last probe."""
        name, remedy = "Bigin's answers", f"See them: bigin-archive probe --stack {self._stack.name}"
        client = self._account.client("s3")
        with aws_errors("read the result of the last probe"):
            try:
                key = f"{self._stack.key_prefix}{probed_answers.PATH}"
                kept = client.get_object(Bucket=self._physical["Bucket"], Key=key)["Body"].read()
            except client.exceptions.NoSuchKey:
                return unknown(name, "Nobody has looked yet how your account answers.", remedy)
        try:
            different = [one for one in json.loads(kept)["checks"] if one["verdict"] == "different"]
            seen = "; ".join(f"{one['check']}: {one['seen']}" for one in different) or "as this version expects"
        except (ValueError, LookupError, TypeError):
            return unknown(name, "The result of the last probe cannot be read.", remedy)
        if not probed_answers.is_good(kept, time.time()):
            return unknown(name, f"{seen}; the probe is too old for a sweep to use it.", remedy)
        return ok(name, f"{seen}; sweeps use it")

    def _queue(self) -> Finding:
        figures = self._figures(self._stack.queue_url)
        return ok("Queue", f"{figures[_READY]} ready, {figures[_HIDDEN]} in progress or waiting for a retry")

    def _dead(self, name: str, logical: str) -> Finding:
        figures = self._figures(self._physical[logical])
        count = figures[_READY] + figures[_HIDDEN]
        if not count:
            return ok(name, "none")
        if logical == "DeadLetterQueue":
            return problem(
                name,
                f"{count} could not be archived.",
                f"See why, and send them back: bigin-archive redrive --stack {self._stack.name}",
            )
        return problem(
            name,
            f"{count} records that Bigin told of were not handed on.",
            "Look at the log of the function QueueRecords, then start a DLQ redrive of that queue in the SQS console.",
        )

    def _figures(self, url: str) -> dict[str, int]:
        with aws_errors("look at the queues"):
            answer = self._account.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        return {name: int(value) for name, value in answer["Attributes"].items() if value.isdigit()}

    def _last_success(self) -> Finding:
        remedy = "If something should have come, see what failed: bigin-archive redrive, and the dashboard."
        groups = [self._physical[name] for name in ("ArchiveQueuedLogs", "ArchiveNowLogs")]
        return self._last("Last success", "archived last", "archived", groups, _ARCHIVED, remedy)

    def _last_webhook(self) -> Finding:
        remedy = "Save a record in Bigin. If nothing comes, its workflow rule or its address is wrong (docs/events.md)."
        groups = [self._stack.webhook_logs]
        return self._last("Last webhook", "Bigin called last", "received from Bigin", groups, _CALLED, remedy)

    def _last(
        self, name: str, happened: str, done: str, groups: list[str], outcomes: tuple[str, ...], remedy: str
    ) -> Finding:
        now = datetime.now(UTC)
        logs = self._account.client("logs")
        times = [time for group in groups if (time := last_outcome(logs, group, outcomes, now))]
        if not times:
            return unknown(name, f"Nothing was {done} in seven days. That is fine if nothing was added.", remedy)
        return ok(name, f"{happened} {duration(now - max(times))} ago ({moment(max(times))})")

    def _alarms(self) -> Finding:
        names = [physical for logical, physical in self._physical.items() if logical.endswith("Alarm")]
        with aws_errors("look at the alarms"):
            found = self._account.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
        ringing = [alarm for alarm in found if alarm["StateValue"] == "ALARM"]
        if not ringing:
            return ok("Alarms", f"{len(found)}, none rings")
        return problem(
            "Alarms",
            f"{len(ringing)} of {len(found)} ring: {', '.join(alarm['AlarmName'] for alarm in ringing)}.",
            " ".join(alarm.get("AlarmDescription") or "Its runbook: docs/runbooks.md." for alarm in ringing),
        )

    def _email(self) -> Finding:
        name = "Alarm e-mail"
        with aws_errors("look at the alarm topic"):
            answer = self._account.client("sns").list_subscriptions_by_topic(TopicArn=self._physical["AlarmTopic"])
        arns = [str(found["SubscriptionArn"]) for found in answer["Subscriptions"]]
        confirmed = [arn for arn in arns if arn.startswith("arn:")]
        if confirmed:
            return ok(name, f"{len(confirmed)} confirmed")
        if arns:
            return problem(
                name,
                "The e-mail address is not confirmed, so nobody gets the alarms.",
                "Open the mail of AWS Notifications and confirm it (look in the spam folder, too). It is valid for "
                "two days. After that, subscribe the address again in the console of SNS.",
            )
        if self._stack.is_local:
            return ok(name, "a stack on this machine sends no mail")
        return problem(
            name,
            "Nobody gets the alarms.",
            "Deploy with AlarmEmail, or subscribe to the topic of the output AlarmTopicArn.",
        )
