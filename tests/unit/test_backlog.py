"""A backlog: how much of the concurrency that Bigin allows is used until it is empty."""

import pytest

from bigin_archive.archive_request import Hints
from bigin_archive.archiving.message import Message, start_order
from tests.bench.backlog import FORMER_BATCH, Poller, deployed, simulate


@pytest.mark.parametrize("known", [1, 0.5, 0])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_backlog_uses_what_bigin_allows(seed: int, known: float) -> None:
    """With the template's event source, nine of ten allowed downloads run at any time, and never more than allowed."""
    poller = deployed()

    usage = simulate(poller, known=known, seed=seed)

    assert usage.share >= 0.90
    assert usage.most == poller.concurrency * poller.threads


def test_small_batches_leave_threads_idle() -> None:
    """Why the event source has large batches: ten messages at a time leave four in ten downloads unused."""
    allowed = deployed()

    assert simulate(Poller(FORMER_BATCH, allowed.concurrency, allowed.threads)).share < 0.65


def test_a_batch_is_begun_with_what_takes_longest() -> None:
    """A batch begins with retried messages, then those of unknown size, then the largest files."""
    small, large, unknown, retried = (
        Message(name, "", "", attempt, Hints(size_bytes=size))
        for name, attempt, size in (("small", 1, 0), ("large", 1, 9), ("unknown", 1, None), ("retried", 2, 5))
    )

    assert [retried, unknown, large, small] == start_order([small, large, unknown, retried])
