"""The numbers of template.yaml that decide how long a message waits and lives."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.faults.paths import TEMPLATE
from tests.template.parsed import load


@dataclass(frozen=True, slots=True)
class Numbers:
    """All in seconds but ``most_tries``; ``*_limit_s`` are the largest values that the parameters allow."""

    retry_first_s: int
    retry_longest_s: int
    retry_first_limit_s: int
    retry_longest_limit_s: int
    most_tries: int
    visibility_s: int
    timeout_s: int
    retention_s: int
    dead_letter_retention_s: int


@cache
def parsed() -> dict[str, Any]:
    """The whole template."""
    return load(TEMPLATE)


@cache
def numbers() -> Numbers:
    """Read them from the template."""
    template = parsed()
    first, longest = (template["Parameters"][name] for name in ("RetryDelaySeconds", "RetryDelayMaxSeconds"))
    resources = template["Resources"]
    queue = resources["Queue"]["Properties"]
    return Numbers(
        retry_first_s=first["Default"],
        retry_longest_s=longest["Default"],
        retry_first_limit_s=first["MaxValue"],
        retry_longest_limit_s=longest["MaxValue"],
        most_tries=queue["RedrivePolicy"]["maxReceiveCount"],
        visibility_s=queue["VisibilityTimeout"],
        timeout_s=resources["ArchiveQueuedFunction"]["Properties"]["Timeout"],
        retention_s=queue["MessageRetentionPeriod"],
        dead_letter_retention_s=resources["DeadLetterQueue"]["Properties"]["MessageRetentionPeriod"],
    )
