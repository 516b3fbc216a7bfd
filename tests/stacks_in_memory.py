"""CloudFormation and STS in memory, as far as the commands look a stack up: descriptions, and one resource."""

import json
from datetime import UTC, datetime
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from tests.histories.network import Reply, Request

_IDENTITY = "<Account>000000000000</Account><Arn>arn:aws:iam::000000000000:root</Arn><UserId>root</UserId>"
_TOPIC = (
    "<member><LogicalResourceId>Topic</LogicalResourceId><PhysicalResourceId>topic</PhysicalResourceId>"
    "<ResourceType>AWS::SNS::Topic</ResourceType><ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>"
)


class Stacks:
    """Descriptions by the names of their stacks, as XML."""

    def __init__(self) -> None:
        self._stacks: dict[str, str] = {}

    def __call__(self, request: Request) -> Reply:
        asked = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        action, name = asked["Action"], asked.get("StackName")
        if action == "GetCallerIdentity":
            return _reply(action, _IDENTITY)
        if action == "CreateStack":
            self._stacks[asked["StackName"]] = _described(asked)
            return _reply(action, f"<StackId>{name}</StackId>")
        if action == "ListStackResources":
            return _reply(action, f"<StackResourceSummaries>{_TOPIC}</StackResourceSummaries>")
        if action != "DescribeStacks":
            raise NotImplementedError(action)
        if name and name not in self._stacks:
            error = f"<Code>ValidationError</Code><Message>Stack with id {escape(name)} does not exist</Message>"
            return Reply(400, {}, f"<ErrorResponse><Error>{error}</Error></ErrorResponse>".encode())
        return _reply(action, f"<Stacks>{self._stacks[name] if name else ''.join(self._stacks.values())}</Stacks>")


def _described(asked: dict[str, str]) -> str:
    outputs = {key: value["Value"] for key, value in json.loads(asked["TemplateBody"])["Outputs"].items()}
    numbers = [text.split(".")[2] for text in asked if text.endswith(".ParameterKey")]
    given = {
        asked[f"Parameters.member.{number}.ParameterKey"]: asked[f"Parameters.member.{number}.ParameterValue"]
        for number in numbers
    }
    return (
        f"<member><StackName>{escape(asked['StackName'])}</StackName><StackStatus>CREATE_COMPLETE</StackStatus>"
        f"<CreationTime>{datetime.now(UTC).isoformat()}</CreationTime>"
        f"{_pairs('Output', outputs)}{_pairs('Parameter', given)}</member>"
    )


def _pairs(kind: str, values: dict[str, str]) -> str:
    rows = [
        f"<member><{kind}Key>{escape(key)}</{kind}Key><{kind}Value>{escape(value)}</{kind}Value></member>"
        for key, value in values.items()
    ]
    return f"<{kind}s>{''.join(rows)}</{kind}s>"


def _reply(action: str, result: str) -> Reply:
    text = f"<{action}Response><{action}Result>{result}</{action}Result></{action}Response>"
    return Reply(200, {"content-type": "text/xml"}, text.encode())
