"""Switches triggers, schedules and alarms of a stack off and on. Nothing is lost: requests wait in their queues.

What is on is noted in the ledger table before anything is switched off. So an interrupted pause can be repeated, and a
resume switches on exactly what was on.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from botocore.exceptions import ClientError

from bigin_archive.aws.error_codes import code_of
from bigin_archive.clock import iso
from bigin_archive.ledger.ledger import CONTROL
from operate.stack.aws import Account, aws_errors
from operate.stack.stack import Stack

# SQS keeps a message for 14 days; one day is left for resuming.
SAFE = timedelta(days=13)
_TRIGGER, _SCHEDULE, _ALARM = "AWS::Lambda::EventSourceMapping", "AWS::Scheduler::Schedule", "AWS::CloudWatch::Alarm"
_HEARD = "QueueStalledAlarm"  # it rings after half a day, because requests wait
_KEY = {"record": {"S": f"{CONTROL}pause"}, "attachment_id": {"S": "state"}}
# Fields that GetSchedule returns and UpdateSchedule takes; an update replaces all of them (EventBridge Scheduler API
# Reference).
_OF_A_SCHEDULE = (
    "Name",
    "GroupName",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "FlexibleTimeWindow",
    "Target",
    "Description",
    "StartDate",
    "EndDate",
    "KmsKeyArn",
    "ActionAfterCompletion",
)


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause: when it began (ISO 8601, UTC), and which triggers, schedules and alarms were on then."""

    since: str
    triggers: tuple[str, ...]
    schedules: tuple[str, ...]
    alarms: tuple[str, ...]

    @property
    def safe_until(self) -> datetime:
        """Nothing is lost until then."""
        return datetime.fromisoformat(self.since) + SAFE


class Switches:
    """The switches of one stack. Methods raise OperateError."""

    def __init__(self, account: Account, stack: Stack) -> None:
        self._account = account
        self._stack = stack

    def paused(self) -> Pause | None:
        """The pause that is noted; None if the stack is working."""
        with aws_errors("read the ledger table"):
            item = self._account.client("dynamodb").get_item(
                TableName=self._stack.ledger_table, Key=_KEY, ConsistentRead=True
            )
        if "Item" not in item:
            return None
        noted = json.loads(item["Item"]["pause"]["S"])
        return Pause(noted["since"], *(tuple(noted[name]) for name in ("triggers", "schedules", "alarms")))

    def pause(self, now: datetime) -> Pause:
        """Note what is on, then switch it off. A repetition switches off what was switched on since."""
        pause = self.paused() or self._note(now)
        for uuid in pause.triggers:
            self._set_trigger(uuid, on=False)
        for name in pause.schedules:
            self._set_schedule(name, on=False)
        if pause.alarms:
            with aws_errors("silence the alarms"):
                self._account.client("cloudwatch").disable_alarm_actions(AlarmNames=list(pause.alarms))
        return pause

    def resume(self) -> Pause | None:
        """Switch on what was on, then forget the pause; None if there was none."""
        pause = self.paused()
        if pause is None:
            return None
        if pause.alarms:
            with aws_errors("let the alarms mail"):
                self._account.client("cloudwatch").enable_alarm_actions(AlarmNames=list(pause.alarms))
        for name in pause.schedules:
            self._set_schedule(name, on=True)
        for uuid in pause.triggers:
            self._set_trigger(uuid, on=True)
        with aws_errors("write to the ledger table"):
            self._account.client("dynamodb").delete_item(TableName=self._stack.ledger_table, Key=_KEY)
        return pause

    def _note(self, now: datetime) -> Pause:
        parts = list(self._parts())
        pause = Pause(
            iso(now.astimezone(UTC)),
            triggers=tuple(name for kind, _, name in parts if kind == _TRIGGER and self._trigger_is_on(name)),
            schedules=tuple(name for kind, _, name in parts if kind == _SCHEDULE and self._schedule_is_on(name)),
            alarms=tuple(name for kind, logical, name in parts if kind == _ALARM and logical != _HEARD),
        )
        with aws_errors("write to the ledger table"):
            self._account.client("dynamodb").put_item(
                TableName=self._stack.ledger_table, Item={**_KEY, "pause": {"S": json.dumps(asdict(pause))}}
            )
        return pause

    def _parts(self) -> Iterator[tuple[str, str, str]]:
        """Type, logical name and physical name of the stack's resources."""
        with aws_errors("list the stack's resources"):
            client = self._account.client("cloudformation")
            for page in client.get_paginator("list_stack_resources").paginate(StackName=self._stack.name):
                for found in page["StackResourceSummaries"]:
                    yield found["ResourceType"], found["LogicalResourceId"], found.get("PhysicalResourceId", "")

    def _trigger_is_on(self, uuid: str) -> bool:
        with aws_errors("look at the triggers"):
            state = self._account.client("lambda").get_event_source_mapping(UUID=uuid)["State"]
        return str(state) in ("Enabled", "Enabling", "Creating", "Updating")

    def _set_trigger(self, uuid: str, *, on: bool) -> None:
        with aws_errors("switch a trigger"), _unless_gone():
            self._account.client("lambda").update_event_source_mapping(UUID=uuid, Enabled=on)

    def _schedule_is_on(self, name: str) -> bool:
        with aws_errors("look at the schedules"):
            return str(self._account.client("scheduler").get_schedule(Name=name)["State"]) == "ENABLED"

    def _set_schedule(self, name: str, *, on: bool) -> None:
        client = self._account.client("scheduler")
        with aws_errors("switch a schedule"), _unless_gone():
            found = client.get_schedule(Name=name)
            kept = {key: found[key] for key in _OF_A_SCHEDULE if found.get(key)}
            client.update_schedule(**kept, State="ENABLED" if on else "DISABLED")


@contextmanager
def _unless_gone() -> Iterator[None]:
    """Skip a resource that an update of the stack removed meanwhile."""
    try:
        yield
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise
