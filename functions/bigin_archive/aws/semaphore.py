"""A semaphore: it limits how many calls of the API's functions reach Bigin at one time.

Bigin allows 10 calls at once (Bigin API v2, "API limits"); the queue's workers take 8. Lambda cannot limit the
functions behind an API without reserved concurrency, which a new AWS account does not have. So a call first takes one
of two leases in a table. A lease ends by itself, so a function that dies blocks nothing for long.
"""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from bigin_archive.aws.dynamodb import write
from bigin_archive.deadline import Deadline
from bigin_archive.errors import OutOfTimeError, StorageUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

API_CALLS_AT_ONCE = 2
LEASE_S = 35  # longer than the function runs (29 s), with room for different clocks
_LOOK_AGAIN_S = 0.2
_LEAST_TIME_S = 5  # with less time left it is better to queue the request


class Semaphore:
    """``API_CALLS_AT_ONCE`` leases, kept as items of a table."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._table = table
        self._now = now
        self._sleep = sleep

    @contextmanager
    def hold(self, deadline: Deadline) -> Iterator[None]:
        """Wait for a lease, and hold it for the block. Raises OutOfTimeError when none gets free in time.

        If the table cannot be used, the call goes on without a lease: Bigin enforces its limit itself, too.
        """
        holder = uuid.uuid4().hex
        try:
            lease = self._wait(holder, deadline)
        except StorageUnavailableError:
            lease = None
        try:
            yield
        finally:
            if lease is not None:
                with suppress(StorageUnavailableError):  # the lease ends by itself
                    self._give_back(lease, holder)

    def _wait(self, holder: str, deadline: Deadline) -> str:
        while True:
            for number in range(API_CALLS_AT_ONCE):
                if self._take(f"api-{number}", holder):
                    return f"api-{number}"
            if deadline.remaining_s() < _LEAST_TIME_S:
                raise OutOfTimeError("Other requests use all calls that Bigin allows at once. Try again later.")
            self._sleep(_LOOK_AGAIN_S)

    def _take(self, lease: str, holder: str) -> bool:
        now = self._now()
        return write(
            self._client,
            "update_item",
            TableName=self._table,
            Key={"lease": {"S": lease}},
            UpdateExpression="SET ends_at = :ends_at, holder = :holder",
            ConditionExpression="attribute_not_exists(ends_at) OR ends_at < :now",
            ExpressionAttributeValues={
                ":ends_at": {"N": str(round(now + LEASE_S, 3))},
                ":now": {"N": str(round(now, 3))},
                ":holder": {"S": holder},
            },
        )

    def _give_back(self, lease: str, holder: str) -> None:
        write(
            self._client,
            "update_item",
            TableName=self._table,
            Key={"lease": {"S": lease}},
            UpdateExpression="REMOVE ends_at",
            ConditionExpression="holder = :holder",
            ExpressionAttributeValues={":holder": {"S": holder}},
        )
