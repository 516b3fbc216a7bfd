"""A client of an AWS service that speaks JSON, without boto3's model of it: dicts in, dicts out.

boto3 reads the model of each service at a cold start, and looks up each value of each call in it: more than half of the
worker's cold start, and half of the processor time of a call. Requests are signed by botocore's signer and sent by its
HTTP session, so that errors, proxies and certificates are those of boto3. Errors are ClientError and BotoCoreError.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol
from urllib.parse import quote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError
from botocore.httpsession import URLLib3Session

from bigin_archive import __version__
from bigin_archive.aws.error_codes import had_ended


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


class Credentials(Protocol):
    """botocore's, or others that can be frozen."""

    def get_frozen_credentials(self) -> Any:
        """Keys that belong together."""


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
        url: str,
        region: str,
        credentials: Credentials,
        http: URLLib3Session,
        trace_id: Callable[[], str | None] = lambda: None,
    ) -> None:
        """``trace_id`` tells Lambda's trace of the event that is worked on."""
        self._service, self._url, self._region = service, url.rstrip("/") + "/", region
        self._credentials = credentials
        self._http = http
        self._trace_id = trace_id

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        return partial(self._call, "".join(word.capitalize() for word in name.split("_")))

    def _call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        body = json.dumps(arguments).encode()
        try:
            answer = self._http.send(self._signed(operation, body))
        except ConnectionClosedError as error:
            # A kept connection that the other side had closed: once more, at once.
            if not had_ended(error.kwargs.get("error")):
                raise
            answer = self._http.send(self._signed(operation, body))
        return _read(answer, operation)

    def _signed(self, operation: str, body: bytes) -> AWSPreparedRequest:
        headers = {
            "X-Amz-Target": f"{self._service.target}.{operation}",
            "Content-Type": self._service.content_type,
            **self._service.headers,
            "User-Agent": f"bigin-archive/{__version__}",
        }
        # Without it Lambda cannot recognise a loop (Lambda developer guide, "Recursive loop detection").
        if trace_id := self._trace_id():
            headers["X-Amzn-Trace-Id"] = quote(trace_id, safe="-=;:+&[]{}\"',")
        request = AWSRequest("POST", self._url, headers, body)
        SigV4Auth(self._credentials.get_frozen_credentials(), self._service.host, self._region).add_auth(request)
        return request.prepare()


def _read(answer: AWSResponse, operation: str) -> dict[str, Any]:
    try:
        # An answer that breaks off in its headers looks empty, too.
        parsed = {} if answer.headers.get("content-length") == "0" else json.loads(answer.content)
    except ValueError:
        parsed = None
    if answer.status_code >= 300:
        raise _refusal(answer, parsed if isinstance(parsed, dict) else {}, operation)
    if not isinstance(parsed, dict):
        raise UnreadableAnswerError
    if "CreatedDate" in parsed:
        parsed["CreatedDate"] = datetime.fromtimestamp(parsed["CreatedDate"], UTC)
    if "SecretBinary" in parsed:
        parsed["SecretBinary"] = base64.b64decode(parsed["SecretBinary"])
    return parsed


def _refusal(answer: AWSResponse, body: Mapping[str, Any], operation: str) -> ClientError:
    """The error, as botocore reads it (AWS JSON protocol, "Operation error serialization")."""
    code = str(body.get("__type") or answer.status_code).partition(":")[0].rpartition("#")[2]
    if query_error := answer.headers.get("x-amzn-query-error"):
        code = query_error.partition(";")[0]
    message = str(body.get("message") or body.get("Message") or "")
    metadata = {"HTTPStatusCode": answer.status_code}
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, operation)
