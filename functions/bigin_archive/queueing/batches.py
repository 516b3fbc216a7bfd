"""Batches as one call to SQS takes them."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Message = TypeVar("Message")

BATCH = 10  # messages (SQS API Reference, SendMessageBatch)
MAX_BATCH_BYTES = 256 * 1024  # of one batch's bodies together, well below SQS's 1 MiB


def batches(messages: Iterable[Message], body: Callable[[Message], str]) -> Iterator[list[Message]]:
    """Groups that one call may send: ten messages, and not too many bytes unless it is a single one."""
    batch: list[Message] = []
    size = 0
    for message in messages:
        length = len(body(message).encode())
        if batch and (len(batch) == BATCH or size + length > MAX_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += length
    if batch:
        yield batch
