"""The stack that a command works on, with the operator's credentials."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from operate.stack.archive import Archive, archive_of
from operate.stack.aws import Account
from operate.stack.stack import Stack, find


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
        return Account(self._profile or None, self._region)

    @cached_property
    def stack(self) -> Stack:
        """The stack, as CloudFormation describes it."""
        return find(self.account, self.name)

    @cached_property
    def archive(self) -> Archive:
        """Its objects and its ledger."""
        return archive_of(self.account, self.stack)

    def utc(self) -> datetime:
        """The time by the clock of this machine."""
        return datetime.fromtimestamp(self.now(), UTC)

    def client(self, service: str) -> Any:
        """A client of the account."""
        return self.account.client(service)
