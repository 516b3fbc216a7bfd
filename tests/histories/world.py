"""The functions and commands of one stack, the account behind it, and who else can reach its bucket and its table."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from bigin_archive.api.webhook_endpoint import WebhookEndpoint
from bigin_archive.archiving.queue_worker import Message, Worker
from bigin_archive.aws.semaphore import Semaphore
from bigin_archive.deadline import Deadline
from bigin_archive.errors import ArchiveError
from bigin_archive.queueing.archive_queue import SENT_BACK, ArchiveQueue, Outgoing, read_correlation_id, read_hints
from bigin_archive.sweep.cursor import SweepState
from bigin_archive.sweep.sweep import Sweep, SweepRequest
from bigin_archive.wiring.archive_queued import worker
from bigin_archive.wiring.queue_records import queue
from bigin_archive.wiring.receive_webhook import webhook_endpoint
from bigin_archive.wiring.refresh_token import token_refresher
from bigin_archive.wiring.sweep_account import sweep
from tests.histories import clients
from tests.histories.account import Truth
from tests.histories.bigin import TOKEN, Bigin
from tests.histories.clients import ENVIRONMENT, Clients
from tests.histories.dynamodb import Tables
from tests.histories.interrupts import CALL_S, Clock, Interrupts, Killed, Plan
from tests.histories.journal import Journal
from tests.histories.s3 import Bucket
from tests.histories.secrets_manager import Secrets
from tests.histories.sqs import Queue, Queues

BEGAN_S = datetime(2026, 3, 2, 1, tzinfo=UTC).timestamp()
SLICE_TIME_S, BATCH_TIME_S = 840, 250  # that the functions have


@dataclass(frozen=True, slots=True)
class Setup:
    """What is the same through a whole history."""

    page_size: int = 200
    list_of_all: bool = False
    pages_by_place: bool = False  # whether entries move from page to page when others come or go
    daily_credits: int = 50_000
    bigin_ahead_s: float = 0
    s3_ahead_s: float = 0
    operator_ahead_s: float = 0
    listed_at_once: int = 1000  # versions in one answer of S3
    slice_s3_call_s: float = CALL_S  # that one of the sweep's takes: with more, an audit needs several slices
    counts_lag_s: float = 0  # how old SQS's counts of messages are (SQS API Reference, GetQueueAttributes: a minute)


class World:
    """Everything of one history."""

    def __init__(self, aws: Clients, setup: Setup) -> None:
        self.aws, self.setup, self.clock = aws, setup, Clock(BEGAN_S)
        self.bigin = Bigin(clients.BIGIN_URL, setup.page_size, lambda: self.clock() + setup.bigin_ahead_s)
        settings = {
            "module_attachments": "on" if setup.list_of_all else "off",
            "pages_begin_behind": "place" if setup.pages_by_place else "entry",
            "mint_limit": None,
        }
        self.bigin.state.settings.patch(settings)
        self.truth = Truth(self.bigin.account, self.clock, setup.bigin_ahead_s)
        self.truth.empty()
        self.bucket = Bucket(clients.BUCKET, lambda: self.clock() + setup.s3_ahead_s, setup.listed_at_once)
        self.tables = Tables({clients.LEDGER: ("record", "attachment_id"), clients.LEASES: ("lease",)}, is_late=True)
        self.queues = Queues(
            {
                clients.QUEUE: Queue(visibility_s=1800, dead_letters=clients.DEAD_LETTERS),
                clients.DEAD_LETTERS: Queue(),
                clients.RECORDS: Queue(visibility_s=60, delay_s=90, is_fifo=True),
            },
            self.clock,
            setup.counts_lag_s,
        )
        token = {"access_token": TOKEN, "api_domain": clients.BIGIN_URL}
        credentials = dict.fromkeys(("client_id", "client_secret", "refresh_token"), "test")
        secrets = {
            clients.TOKEN_SECRET: token,
            clients.CREDENTIALS_SECRET: credentials,
            clients.WEBHOOK_SECRET: {"webhook_secret": "secret"},
        }
        self.secrets = Secrets({name: json.dumps(value) for name, value in secrets.items()}, self.clock)
        self.journal = Journal(self.clock, self.bucket, self.truth, has_few_credits=setup.daily_credits < 1000)
        self.interrupts = Interrupts(self.clock, lambda step, path: None, self.journal.note)
        aws.serve(
            {
                "bigin": self.bigin,
                "s3": self.bucket,
                "dynamodb": self.tables,
                "sqs": self.queues,
                "secretsmanager": self.secrets,
            }
        )
        aws.network.exchange = self.interrupts.exchange
        self.environment = {**ENVIRONMENT, "DAILY_CREDITS": str(setup.daily_credits)}
        self._warm: dict[str, Any] = {}
        self._depth = 0  # of runs that are under way
        self.moved: set[str] = set()  # places that another run has changed beside the present one

    def run(self, what: str, call: Callable[[], Any], plan: Plan | None = None) -> Any:
        """Run something while the ``plan`` happens; None where it was killed or gave up."""
        self.interrupts.begin(plan or {})
        self.journal.begin(what)
        result = None
        try:
            result = call()
        except Killed:
            self._end_threads()
            self._warm.clear()
        except ArchiveError as error:
            self.journal.gave_up(error)
        finally:
            self.journal.end(is_clean=not self.interrupts.hits)
            self.interrupts.begin({})
        return result

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Another run while one is under way, at one of its calls: both go on as if they were alone."""
        before = self.standing()
        self._depth += 1
        with self.aws.network.beside(), self.interrupts.beside(), self.journal.beside():
            yield
        self._depth -= 1
        self.note_moved(before)

    def note_moved(self, before: dict[str, Any]) -> None:
        """Note the places where something else stands than ``before``, as :meth:`standing` gave it."""
        after = self.standing()
        self.moved |= {place for place in {*before, *after} if before.get(place) != after.get(place)}

    def standing(self) -> dict[str, Any]:
        """What stands in S3 and in the ledger, by place."""
        found: dict[str, Any] = {}
        for key, versions in self.bucket.keys.items():
            place = "/".join(key.removeprefix(clients.PREFIX).split("/")[:3])
            found.setdefault(place, []).append(versions[-1].version_id if versions else None)
        for key, item in self.tables.items[clients.LEDGER].items():
            if not key[0].startswith("#"):
                found.setdefault("/".join(key), []).append(item)
        return found

    def _end_threads(self) -> None:
        """Those of a killed worker die with it: none may go on in another run."""
        for name, warm in self._warm.items():
            if name.startswith("worker"):
                warm._pool.shutdown(wait=True, cancel_futures=True)

    # ---- The functions ----

    def slice(self, order: SweepRequest | None = None, plan: Plan | None = None) -> SweepState | None:
        """One run of the sweep's function."""
        self.interrupts.s3_call_s = self.setup.slice_s3_call_s
        try:
            work = partial(self._sweep().work, order, self._deadline(SLICE_TIME_S))
            made: SweepState | None = self.run("sweep", work, plan)
        finally:
            self.interrupts.s3_call_s = CALL_S
        return made

    def drain(self, batches: int, plan: Plan | None = None) -> int:
        """Hand so many batches of the queue to the worker, as the event source does; return how many messages."""
        count = 0
        for _ in range(batches):
            messages = self._received(clients.QUEUE)
            if not messages:
                break
            count += len(messages)
            self.journal.batch = {
                str(json.loads(each.body).get("attachment_id")): each.correlation_id for each in messages
            }
            staying = self.run("worker", partial(self._work, messages), plan)
            plan = None
            if staying is not None:
                for message in messages:
                    if message.message_id not in staying:
                        self.queues.queues[clients.QUEUE].messages.pop(message.message_id, None)
        return count

    def webhook(self, module: str, record_id: str, plan: Plan | None = None, attachment_id: str | None = None) -> None:
        """Bigin tells of a change: of a record, or of one attachment."""
        ids = {"id": record_id, "attachment_id": attachment_id} if attachment_id else {"ids": [record_id]}
        body = json.dumps({"module": module, "token": "secret", **ids})
        context = {"requestId": "webhook", "requestTimeEpoch": round(self.clock() * 1000)}
        event = {"headers": {"Content-Type": "application/json"}, "body": body, "requestContext": context}
        self.run("webhook", lambda: self._endpoint().receive(event), plan)

    def hand_on(self, plan: Plan | None = None) -> None:
        """Hand a batch of the record queue on, as the event source and its function do."""
        messages = self._received(clients.RECORDS)
        outgoing = [Outgoing(each.body, correlation_id=each.correlation_id or each.message_id) for each in messages]
        if messages and self.run("records", lambda: self._records().send(outgoing), plan) is not None:
            for message in messages:
                self.queues.queues[clients.RECORDS].messages.pop(message.message_id, None)

    def refresh(self, plan: Plan | None = None) -> None:
        """Renew the access token."""
        self.run("refresh", lambda: token_refresher(self.environment, self.aws).refresh(), plan)

    def revoke(self) -> None:
        """Bigin ends all access tokens."""
        self.bigin.state.tokens.expiries_s.clear()

    def _work(self, messages: list[Message]) -> list[str]:
        return self._worker().work(messages, self._deadline(BATCH_TIME_S))

    def _received(self, name: str) -> list[Message]:
        """As Lambda's event source receives: not a call of ours."""
        found = self.queues.receive(name, 10)
        return [
            Message(
                each.message_id,
                each.body,
                each.receipt,
                each.receives,
                read_hints(texts := {key: value["StringValue"] for key, value in each.attributes.items()}),
                read_correlation_id(texts),
                sent_at_s=each.sent_at_s,
                was_sent_back=SENT_BACK in each.attributes,
            )
            for each in found
        ]

    def _deadline(self, seconds: float) -> Deadline:
        return Deadline(seconds, self.clock)

    def _sweep(self) -> Sweep:
        semaphore = Semaphore(self.aws.client("dynamodb"), clients.LEASES, self.clock, self.clock.sleep)
        return self._kept("sweep", lambda: sweep(self.environment, self.aws, self.clock, semaphore)[0])

    def _worker(self) -> Worker:
        return self._kept("worker", lambda: worker(self.environment, self.clock, self.aws, self.clock))

    def _endpoint(self) -> WebhookEndpoint:
        return self._kept("webhook", lambda: webhook_endpoint(self.environment, self.aws))

    def _records(self) -> ArchiveQueue:
        return self._kept("records", lambda: queue(self.environment, self.aws))

    def _kept(self, name: str, make: Callable[[], Any]) -> Any:
        name = f"{name}{self._depth}"
        if name not in self._warm:
            self._warm[name] = make()
        return self._warm[name]
