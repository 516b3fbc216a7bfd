"""Calls to DynamoDB: its errors as ours."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from bigin_archive.errors import StorageUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def call(client: "DynamoDBClient", operation: str, **arguments: Any) -> Any:
    """Call DynamoDB. Raises StorageUnavailableError, or ConditionFailedError where a condition does not hold."""
    try:
        return getattr(client, operation)(**arguments)
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "no code"))
        if code == "ConditionalCheckFailedException":
            raise ConditionFailedError(code) from None
        raise _unavailable(code) from error
    except BotoCoreError as error:
        raise _unavailable(type(error).__name__) from error


class ConditionFailedError(Exception):
    """The item is not as the write asks for."""


def _unavailable(reason: str) -> StorageUnavailableError:
    return StorageUnavailableError(f"The ledger cannot be used ({reason}). Try again later.")
