"""AWS's error codes: the one place that reads them from botocore's exceptions."""

import http.client

from botocore.exceptions import BotoCoreError, ClientError

AWS_ERRORS = (ClientError, BotoCoreError)  # a refusal by the service; no answer from it
NOT_FOUND = "ResourceNotFoundException"  # Secrets Manager: no such secret, or one without a value
CONDITION_FAILED = "ConditionalCheckFailedException"  # DynamoDB: the item does not meet the condition of the write


def code_of(error: BaseException) -> str:
    """The service's error code, or the exception's name if no service answered. Never a message: it may quote data."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code") or "no code")
    return type(error).__name__


def had_ended(error: object) -> bool:
    """Whether urllib3's error says that the connection ended before a byte of an answer came (RFC 9110, 9.2.2)."""
    causes = error.args if isinstance(error, Exception) else ()
    return any(isinstance(cause, http.client.RemoteDisconnected | ConnectionError) for cause in causes)
