"""The stack that a command works on, with the operator's credentials.

Every command imports this, also to show its help. So boto3 is imported when the account is first used.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from operate.stack.archive import Archive
    from operate.stack.aws import Account
    from operate.stack.stack import Stack


class Target:
    """A stack and its account, each looked up when it is first used. Properties and methods raise OperateError.

    ``now()`` is the clock of this machine, in seconds since 1970, ``sleep()`` waits by it.
    """

    def __init__(
        self,
        name: str | None,
        region: str | None,
        profile: str | None,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name, self.now, self.sleep = name, now, sleep
        self._region = region
        self._profile = profile

    @cached_property
    def account(self) -> Account:
        """The AWS account and region. This makes no call to AWS."""
        from operate.stack.aws import Account

        return Account(self._profile or None, self._region)

    @cached_property
    def stack(self) -> Stack:
        """The stack, as CloudFormation describes it."""
        from operate.stack.stack import find

        return find(self.account, self.name)

    @cached_property
    def archive(self) -> Archive:
        """Its objects and its ledger."""
        from operate.stack.archive import archive_of

        return archive_of(self.account, self.stack)

    def utc(self) -> datetime:
        """The time by the clock of this machine."""
        return datetime.fromtimestamp(self.now(), UTC)

    def client(self, service: str) -> Any:
        """A client of the account."""
        return self.account.client(service)
