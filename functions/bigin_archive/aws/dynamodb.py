"""Calls to DynamoDB: its errors as ours."""

from typing import TYPE_CHECKING, Any

from bigin_archive.aws.error_codes import AWS_ERRORS, CONDITION_FAILED, code_of
from bigin_archive.errors import StorageUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def call(client: "DynamoDBClient", operation: str, **arguments: Any) -> Any:
    """Call DynamoDB. Raises StorageUnavailableError, or ConditionFailedError where a condition does not hold."""
    try:
        return getattr(client, operation)(**arguments)
    except AWS_ERRORS as error:
        code = code_of(error)
        if code == CONDITION_FAILED:
            raise ConditionFailedError(code) from None
        raise _unavailable(code) from error


class ConditionFailedError(Exception):
    """The item is not as the write asks for."""


def _unavailable(reason: str) -> StorageUnavailableError:
    return StorageUnavailableError(f"The ledger cannot be used ({reason}). Try again later.")
