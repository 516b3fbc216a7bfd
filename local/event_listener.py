"""A queue that exists only in the local stack, and receives every event of the stack's bus."""

from __future__ import annotations

import json
from typing import Any

NAME = "bigin-archive-local-events"


def listen(bus: str, *, events: Any, sqs: Any, name: str = NAME) -> str:
    """Create the queue and the rule that fills it; return the URL of the queue."""
    url: str = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    # As on AWS, where a rule may send to a queue whose policy names it.
    pattern = json.dumps({"source": [{"prefix": ""}]})
    rule = events.put_rule(Name=name, EventBusName=bus, EventPattern=pattern)["RuleArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
    return url
