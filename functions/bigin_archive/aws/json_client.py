"""A client of an AWS service that speaks JSON, without boto3's model of it: dicts in, dicts out.

boto3 reads the model of each service at a cold start, and looks up each value of each call in it: more than half of the
worker's cold start, and half of the processor time of a call. Errors are ClientError and BotoCoreError.
"""

import base64
import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from bigin_archive.aws.error_codes import AWS_ERRORS, code_of
from bigin_archive.aws.signed_http import SignedHttp
from bigin_archive.network.kept_connections import Answer


@dataclass(frozen=True, slots=True)
class Service:
    """How a service is called (the ``metadata`` of botocore's service models)."""

    host: str  # also what its requests are signed for
    variable: str  # of an endpoint of its own: AWS_ENDPOINT_URL_...
    target: str
    content_type: str
    headers: Mapping[str, str]


SERVICES = {
    "dynamodb": Service("dynamodb", "DYNAMODB", "DynamoDB_20120810", "application/x-amz-json-1.0", {}),
    "secretsmanager": Service("secretsmanager", "SECRETS_MANAGER", "secretsmanager", "application/x-amz-json-1.1", {}),
    # Error codes as ever, which botocore takes from a header of the answer (awsQueryCompatible).
    "sqs": Service("sqs", "SQS", "AmazonSQS", "application/x-amz-json-1.0", {"x-amzn-query-mode": "true"}),
}

_TOO_OFTEN = re.compile("Throttl|Throughput|TooManyRequests|RequestLimit")
_PAUSE_S = 0.3  # before a second try; botocore takes up to one second


class UnreadableAnswerError(BotoCoreError):
    """An answer that is no JSON object."""

    fmt = "The answer is no JSON object"


class JsonClient:
    """``client.update_item(TableName=...)`` and all other operations, as a client of boto3.

    Binary values of a table come as Base64, and may not be sent.
    """

    def __init__(
        self,
        service: Service,
        http: SignedHttp,
        trace_id: Callable[[], str | None] = lambda: None,
        tries: int = 1,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``trace_id`` tells Lambda's trace of the event that is worked on.

        A call is made up to ``tries`` times where no answer comes, the service fails, or it is asked too often.
        """
        self._service, self._http = service, http
        self._target = urlsplit(http.url).path.rstrip("/") + "/"
        self._trace_id, self._tries, self._sleep = trace_id, tries, sleep

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        return partial(self._call, "".join(word.capitalize() for word in name.split("_")))

    def _call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        body = json.dumps(arguments).encode()
        for left in reversed(range(self._tries)):
            try:
                return self._once(operation, body)
            except AWS_ERRORS as error:
                if not left or not _may_pass(error):
                    raise
                self._sleep(_PAUSE_S)
        raise ValueError("a call needs a try")

    def _once(self, operation: str, body: bytes) -> dict[str, Any]:
        headers = {
            "X-Amz-Target": f"{self._service.target}.{operation}",
            "Content-Type": self._service.content_type,
            **self._service.headers,
        }
        unsigned = {"Content-Length": str(len(body))}
        # Without it Lambda cannot recognise a loop (Lambda developer guide, "Recursive loop detection").
        if trace_id := self._trace_id():
            unsigned["X-Amzn-Trace-Id"] = quote(trace_id, safe="-=;:+&[]{}\"',")
        payload = hashlib.sha256(body).hexdigest()
        return _read(self._http.send("POST", self._target, headers, payload, body, unsigned), operation)


def _may_pass(error: BotoCoreError | ClientError) -> bool:
    if not isinstance(error, ClientError):
        return True
    # "Throttling", and ProvisionedThroughputExceededException, as DynamoDB says for one hot partition.
    return error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500 or bool(_TOO_OFTEN.search(code_of(error)))


def _read(answer: Answer, operation: str) -> dict[str, Any]:
    try:
        # An answer that breaks off in its headers looks empty, too.
        parsed = {} if answer.headers.get("content-length") == "0" else json.loads(answer.body)
    except ValueError:
        parsed = None
    if answer.status >= 300:
        raise _refusal(answer, parsed if isinstance(parsed, dict) else {}, operation)
    if not isinstance(parsed, dict):
        raise UnreadableAnswerError
    if "CreatedDate" in parsed:
        parsed["CreatedDate"] = datetime.fromtimestamp(parsed["CreatedDate"], UTC)
    if "SecretBinary" in parsed:
        parsed["SecretBinary"] = base64.b64decode(parsed["SecretBinary"])
    return parsed


def _refusal(answer: Answer, body: Mapping[str, Any], operation: str) -> ClientError:
    """The error, as botocore reads it (AWS JSON protocol, "Operation error serialization")."""
    code = str(body.get("__type") or answer.status).partition(":")[0].rpartition("#")[2]
    if query_error := answer.headers.get("x-amzn-query-error"):
        code = query_error.partition(";")[0]
    message = str(body.get("message") or body.get("Message") or "")
    metadata = {"HTTPStatusCode": answer.status}
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, operation)
