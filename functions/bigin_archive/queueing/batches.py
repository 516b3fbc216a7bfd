"""Batches that fit into one call to SQS."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Message = TypeVar("Message")

BATCH = 10  # messages (SQS API Reference, SendMessageBatch)
MAX_BATCH_BYTES = 256 * 1024  # bytes of all bodies in a batch, well below SQS's 1 MiB


def batches(messages: Iterable[Message], body: Callable[[Message], str]) -> Iterator[list[Message]]:
    """Groups for one call each: at most ten messages, and not too many bytes unless it is a single message."""
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
