"""The record queue: which events become one listing."""

from typing import Any

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.queueing.archive_queue import ArchiveQueue
from bigin_archive.queueing.record_queue import RecordQueue

DELAY_S = 90
SPAN_S = 60


class Sqs:
    """Takes what is sent, as SQS does."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's
        self.entries += Entries
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}


def ids_at(*times_s: float) -> list[str]:
    sqs = Sqs()
    for time_s in times_s:
        assert RecordQueue(ArchiveQueue(sqs, "url"), DELAY_S).send([ArchiveRequest("Contacts", "1")], time_s) == 1
    return [entry["MessageDeduplicationId"] for entry in sqs.entries]


def test_events_of_one_minute_become_one_listing() -> None:
    """Events of the same record and minute have one deduplication id; the next minute has another."""
    first, same, last, following = ids_at(600, 601, 659.9, 660)

    assert first == same == last != following


def test_the_listing_starts_after_its_minute_has_ended() -> None:
    """Whenever the first event of a minute comes, its message is delivered after the minute: no later one is missed."""
    for start_s in range(6000, 6060):
        span_end_s = start_s // SPAN_S * SPAN_S + SPAN_S

        assert start_s + DELAY_S >= span_end_s + DELAY_S - SPAN_S


def test_records_do_not_wait_for_each_other() -> None:
    """Each record is a message group of its own."""
    sqs = Sqs()
    RecordQueue(ArchiveQueue(sqs, "url"), DELAY_S).send(
        [ArchiveRequest("Contacts", "1"), ArchiveRequest("Notes", "1")], 0
    )

    assert len({entry["MessageGroupId"] for entry in sqs.entries}) == 2
