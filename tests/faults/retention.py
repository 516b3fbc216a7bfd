"""How long a message is tried, compared with how long SQS keeps it, by the template's own numbers."""

import random
from collections.abc import Iterator

from bigin_archive.archiving.message import Delays
from bigin_archive.bigin.classify import MAX_RETRY_AFTER_S
from tests.faults.lab import Lab
from tests.faults.tally import Row, of_checks
from tests.faults.template import numbers

DAY_S = 24 * 3600
LEFT_FOR_PEOPLE_S = 7 * DAY_S


def outlasting(lab: Lab) -> Iterator[Row]:
    """A message lives through days of tries and a week as a dead letter, with any delays that the parameters allow."""
    found = numbers()
    complaints, spent_s = [], []
    pairs = [(found.retry_first_s, found.retry_longest_s), (found.retry_first_limit_s, found.retry_longest_limit_s)]
    for first_s, longest_s in pairs:
        for retry_after_s in (0, MAX_RETRY_AFTER_S):
            for jitter in (lambda least, most: most, lab.random("retention").uniform):
                total_s = _spent(first_s, longest_s, retry_after_s, jitter)  # type: ignore[arg-type]
                spent_s.append(total_s)
                if total_s > found.retention_s - LEFT_FOR_PEOPLE_S:
                    complaints.append(f"delays {first_s} to {longest_s} s: {total_s / DAY_S:.1f} days of tries")
    # A worker that crashes each time gives no delay: the visibility time-out is what passes.
    crashing_s = found.most_tries * (found.visibility_s + found.timeout_s)
    if crashing_s > found.retention_s - LEFT_FOR_PEOPLE_S:
        complaints.append(f"crashes alone take {crashing_s / DAY_S:.1f} days")
    if spent_s[1] < 3 * DAY_S:
        complaints.append(f"given up after {spent_s[1] / DAY_S:.1f} days: a long weekend is longer")
    if found.visibility_s < 6 * found.timeout_s:
        complaints.append("the visibility time-out is shorter than six function time-outs")
    note = f"tried for {spent_s[1] / DAY_S:.1f} of {found.retention_s // DAY_S} days"
    yield of_checks("message outlasts its tries", complaints, len(spent_s) + 3, note)


def _spent(first_s: int, longest_s: int, retry_after_s: int, jitter: "random.Random") -> float:
    delays = Delays(first_s, longest_s, jitter)  # type: ignore[arg-type]
    found = numbers()
    waits = (max(delays.after(attempt), retry_after_s) for attempt in range(1, found.most_tries + 1))
    return float(sum(waits) + found.most_tries * found.timeout_s)
