"""What went over the network in a history, and which of it must never happen."""

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bigin_archive.errors import ArchiveError
from bigin_archive.queueing.archive_queue import REPAIR, SWEEP
from tests.histories import clients
from tests.histories.account import Truth
from tests.histories.network import Reply, Request
from tests.histories.s3 import Bucket

_HOUR_S, _DAY_S = 3600, 24 * 3600
# Calls that a killed function had made and not yet entered in the book: those of one batch of the worker at most.
_LOST_CALLS = 25
# Calls that one of two runs beside each other makes before it looks at what the other one has spent.
_UNSEEN_CALLS = 10
_IN_FLIGHT = 2
_OWN = ("_index/", "_audit/", "_restored/")


@dataclass(slots=True)
class Journal:
    """Notes of all runs. ``batch`` holds the worker's messages now: correlation ids by attachment."""

    now: Callable[[], float]
    bucket: Bucket
    truth: Truth
    has_few_credits: bool = False
    violations: list[str] = field(default_factory=list)
    batch: dict[str, str] = field(default_factory=dict)
    limited: list[float] = field(default_factory=list)  # when each call was made that the sweep's share limits
    calls: int = 0
    fault_times: list[float] = field(default_factory=list)  # of runs that were cut off, or in which a call failed
    beside_times: list[float] = field(default_factory=list)  # of runs beside another one
    dead_letters: Counter[str] = field(default_factory=Counter)  # by place
    denied: set[str] = field(default_factory=set)  # attachments whose download Bigin denied, rightly or not
    errors: Counter[str] = field(default_factory=Counter)
    # When each was downloaded: in the present run, and in an earlier one in which nothing failed.
    _fetched: dict[tuple[str, bytes], float] = field(default_factory=dict)
    _settled: dict[tuple[str, bytes], float] = field(default_factory=dict)
    _empty: set[str] = field(default_factory=set)  # places in which the present run has found no own object
    _run: str = ""
    _record: list[str] = field(default_factory=list)  # of the last download, and what its message came from
    _cause: str = ""

    def begin(self, what: str) -> None:
        self._run = what
        self._fetched.clear()
        self._empty.clear()
        self._record, self._cause = [], ""

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Keep the notes of the run under way while another one comes and goes."""
        run, batch, fetched, empty = self._run, self.batch, dict(self._fetched), set(self._empty)
        record, cause = self._record, self._cause
        self.beside_times.append(self.now())
        yield
        self._run, self.batch, self._record, self._cause, self._empty = run, batch, record, cause, empty
        self._fetched.update(fetched)

    def end(self, *, is_clean: bool) -> None:
        if is_clean:
            self._settled.update(self._fetched)
        else:
            self.fault_times.append(self.now())
        self.batch = {}

    def gave_up(self, error: ArchiveError) -> None:
        self.errors[error.code] += 1

    def may_be_fetched_again(self, place: str) -> None:
        """Allow another download: somebody has changed the attachment in S3 or in Bigin."""
        self._settled = {each: at_s for each, at_s in self._settled.items() if each[0] != place}

    def note(self, name: str, request: Request, reply: Reply | None, is_hit: bool) -> None:
        """Note one exchange. An interrupted one (``is_hit``) proves nothing."""
        self.calls += 1
        if name == "bigin" and reply:
            self._bigin(request, reply, is_hit=is_hit)
        elif name == "s3" and request.method in ("PUT", "DELETE"):
            self._written(request, reply)
        elif name == "s3" and reply and not is_hit and "prefix" in request.query:
            self._looked(request.query["prefix"])
        elif name == "sqs" and "SendMessage" in request.headers["x-amz-target"]:
            asked = json.loads(request.body)
            if asked["QueueUrl"].endswith(clients.DEAD_LETTERS):
                body = json.loads(asked["MessageBody"])
                self.dead_letters[f"{body['module']}/{body['record_id']}/{body.get('attachment_id')}"] += 1

    def _bigin(self, request: Request, reply: Reply, *, is_hit: bool) -> None:
        parts = request.path.removeprefix("/bigin/v2/").split("/")
        is_download = len(parts) == 4 and parts[2] == "Attachments"
        is_counted = reply.status not in (401, 429) and not request.path.startswith("/oauth")
        if is_counted and (self._run in ("sweep", "audit") or self._is_limited(parts)):
            self.limited.append(self.now())
        if not is_download:
            return
        place = f"{parts[0]}/{parts[1]}/{parts[3]}"
        if reply.status == 200:
            self._downloaded(place, reply.body, is_hit=is_hit)
        elif reply.status in (204, 400, 404):
            self.denied.add(place)

    def _looked(self, folder: str) -> None:
        place = folder.removeprefix(clients.PREFIX).rstrip("/")
        if self.own_keys(place):
            self._empty.discard(place)
        else:
            self._empty.add(place)

    def _is_limited(self, parts: list[str]) -> bool:
        """Whether the worker makes the call for a message of a sweep or a repair: its download, or a list after it."""
        if len(parts) == 4:
            self._record, self._cause = parts[:2], self.batch.get(parts[3], "")
        # Whole records have no attachment's id, and are listed for an event.
        is_for_it = self._run == "worker" and parts[:2] == self._record and "None" not in self.batch
        return is_for_it and len(parts) >= 3 and self._cause.startswith((SWEEP, REPAIR))

    def _downloaded(self, place: str, body: bytes, *, is_hit: bool) -> None:
        if self._is_archived_with(place, body):
            # Two workers may have a message for it, and look for its object before either has stored it.
            if place not in self._empty:
                self.violations.append(f"{place}: downloaded although it is archived")
        elif self._is_settled(place, body):
            self.violations.append(f"{place}: downloaded again, without a cause")
        if not is_hit:
            self._fetched[place, body] = self.now()

    def _is_archived_with(self, place: str, body: bytes) -> bool:
        key = next(iter(self.own_keys(place)), None)
        there = self.bucket.current(key) if key else None
        return there is not None and there.body == body

    def _is_settled(self, place: str, body: bytes) -> bool:
        """Whether it was downloaded before, and nothing that is known has undone that."""
        # Without credits nobody asks for the new size of a file that was replaced: an hour later it is tried anew.
        is_replaced = self.has_few_credits and len({len(each) for each in self.truth.bodies(place)}) > 1
        fetched_s = self._settled.get((place, body))
        return fetched_s is not None and not is_replaced and not self._came_back(place, body, fetched_s)

    def _came_back(self, place: str, body: bytes, since_s: float) -> bool:
        """Whether Bigin lost it after a download and has it again.

        A file that was replaced, and removed before its list was asked for the new size, is not stored: nothing proves
        that it is whole. Out of the bin it is listed anew, and has to be downloaded. If it is archived, that is told
        above.
        """
        return any(held.body == body and held.from_s > since_s for held in self.truth.past.get(place, []))

    def _written(self, request: Request, reply: Reply | None) -> None:
        key = request.path.removeprefix(f"/{clients.BUCKET}/")
        path = key.removeprefix(clients.PREFIX)
        if request.method == "DELETE":
            self.violations.append(f"{path}: deleted by the product")
        if path.startswith(_OWN) or reply is None or reply.status != 200:
            return
        place = "/".join(path.split("/")[:3])
        self._empty.discard(place)
        versions = self.bucket.keys[key]
        if len(versions) > 1 and versions[-2].body is not None:
            self.violations.append(f"{path}: overwritten by the product")
        is_link = any(name in request.headers for name in ("x-amz-meta-link-url", "x-amz-meta-bigin-kind"))
        if not is_link and request.body not in self.truth.bodies(place):
            self.violations.append(f"{place}: archived with bytes that it never had")

    def own_keys(self, place: str) -> list[str]:
        """The keys below the attachment's place whose current objects name it in their metadata."""
        folder = f"{clients.PREFIX}{place}/"
        return [
            key
            for key in self.bucket.keys
            if key.startswith(folder) and (found := self.bucket.current(key)) and claimed(found.headers) == place
        ]

    def overspent(self, share: int) -> Iterator[str]:
        """How a sweep exceeded its part of the ``share``, in a day or in an hour."""
        for span, seconds, part in (("a day", _DAY_S, int(share * 0.9)), ("an hour", _HOUR_S, share // 8)):
            for at_s in self.limited:
                used, faults, besides = (
                    bisect_right(times, at_s) - bisect_right(times, at_s - seconds)
                    for times in (self.limited, self.fault_times, self.beside_times)
                )
                allowed = part + _IN_FLIGHT + _LOST_CALLS * faults + _UNSEEN_CALLS * besides
                if used > allowed:
                    yield f"{used} credits in {span}, {allowed} are allowed"
                    break


def claimed(headers: dict[str, str]) -> str:
    """The place that an object's metadata name."""
    return "/".join(headers.get(f"x-amz-meta-bigin-{name}", "") for name in ("module", "record-id", "attachment-id"))
