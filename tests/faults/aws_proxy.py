"""The relay in front of the AWS emulator: TLS on both sides, calls named by service and operation.

A worker is sent here by AWS_ENDPOINT_URL. The relay shows the emulator's own certificate, which the worker's
AWS_CA_BUNDLE trusts already: both serve the same loopback address.
"""

import json
import ssl
from pathlib import Path

from local.emulator import Emulator
from tests.faults.http_messages import Head
from tests.faults.relay import Relay, Reply

_OPERATIONS = {
    "secretsmanager.GetSecretValue": "secrets.get",
    "AmazonSQS.SendMessage": "sqs.send-one",
    "AmazonSQS.SendMessageBatch": "sqs.send-batch",
    "AmazonSQS.ChangeMessageVisibility": "sqs.delay",
    "AmazonSQS.DeleteMessage": "sqs.delete",
    "AmazonSQS.DeleteMessageBatch": "sqs.delete",
    "AmazonSQS.ReceiveMessage": "sqs.receive",
    "DynamoDB_20120810.UpdateItem": "dynamodb.update",
}


def call_of(head: Head) -> str:
    """The name of an AWS call."""
    if target := head.headers.get("x-amz-target"):
        return _OPERATIONS.get(target, target)
    method = head.start[0]
    if method == "GET" and "list-type=2" in head.target:
        return "s3.list"
    return {"PUT": "s3.put", "HEAD": "s3.head"}.get(method, f"s3.{method.lower()}")


def start(emulator: Emulator) -> Relay:
    """Start a relay in front of the emulator."""
    certificate = Path(emulator.ca_bundle)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, certificate.with_name("server.key"))
    client = ssl.create_default_context(cafile=str(certificate))
    client.check_hostname = False
    return Relay.start(emulator.url, call_of, server_tls=server, client_tls=client)


def s3_error(status: int, code: str, *, early: bool = False) -> Reply:
    """An error answer as S3 writes it."""
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>injected</Message></Error>'
    return Reply(status, text.encode(), (("Content-Type", "application/xml"),), early)


def json_error(status: int, code: str) -> Reply:
    """An error answer as SQS and Secrets Manager write it (AWS JSON)."""
    text = json.dumps({"__type": code, "message": "injected"})
    headers = (("Content-Type", "application/x-amz-json-1.0"), ("x-amzn-query-error", f"{code};Sender"))
    return Reply(status, text.encode(), headers)
