"""The operator: the commands audit, rebuild-ledger, redrive and get, on a machine with a clock of its own.

What a command prints is left out; everything below it is real.
"""

import inspect
import tempfile
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from typing import Any

from bigin_archive import transport
from bigin_archive.archive_request import MODULES
from bigin_archive.audit.auditor import Auditor
from bigin_archive.audit.comparison import Audit
from bigin_archive.bigin.client import Bigin
from bigin_archive.bigin.credit_meter import CreditMeter
from bigin_archive.ledger.credit_usage import CreditUsage
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.queueing.archive_queue import ArchiveQueue
from bigin_archive.settings import data_center
from bigin_archive.storage.inventory import Inventory
from bigin_archive.token.access_token import AccessTokens
from operate.audit.bigin_listing import listing
from operate.audit.ledger_rows import Rebuilt, rebuild
from operate.audit.repair import repair
from operate.commands.audit import _of_last_sweep
from operate.commands.get import get
from operate.commands.request import request
from operate.errors import OperateError
from operate.redrive.dead_letter_queue import DeadLetterQueue
from operate.redrive.redrive import Choice, Sent, send_back
from operate.stack.archive import Archive
from operate.stack.credit_limit import CreditLimit
from operate.stack.stack import Stack
from tests.histories import clients
from tests.histories.interrupts import Plan
from tests.histories.world import World

_WAITS = 400  # looks at the credits of an audit that has none left; with one each minute, almost seven hours


class GaveUpWaitingError(Exception):
    """The operator has stopped a command that waits for credits."""


class Operator:
    """Who runs the commands. Each is given up, killed or done; what it told is returned."""

    def __init__(self, world: World) -> None:
        self._world = world
        aws = world.aws
        self._dynamodb, self._sqs = aws.client("dynamodb"), aws.client("sqs")
        ledger = Ledger(self._dynamodb, clients.LEDGER)
        inventory = Inventory(aws.client("s3"), clients.BUCKET, clients.PREFIX, threads=1)
        self.archive = Archive(_stack(world), self._dynamodb, ledger, inventory)

    def now(self) -> float:
        return self._world.clock() + self._world.setup.operator_ahead_s

    def audit(
        self,
        plan: Plan,
        *,
        by_head: bool = False,
        by_record: bool = False,
        as_of_sweep: bool = False,
        mend: bool = False,
    ) -> Audit | None:
        """`bigin-archive audit`, with --head, --by-record, --as-of-sweep and --repair."""

        def run() -> Audit:
            meter, now = CreditMeter(), self.archive.clock(self.now)
            try:
                if as_of_sweep:
                    side = _of_last_sweep(self.archive)
                else:
                    limit = CreditLimit(meter, self.archive.stack, self._dynamodb, self._sqs, now, self._patience())
                    limit.renew()
                    side = listing(
                        self._bigin(meter),
                        MODULES,
                        by_record=by_record,
                        sleep=self._world.clock.sleep,
                        more_credits=limit.wait,
                        now=self.now,
                    )
                    side.began_at = self.archive.now()
                auditor = Auditor(self.archive.ledger, self.archive.inventory, lambda: _utc(self.now()))
                made = auditor.audit(side, by_head=by_head)
            finally:
                CreditUsage(self._dynamodb, clients.LEDGER, now).add(meter.take())
            if mend and not made.failure:
                queue = ArchiveQueue(self._sqs, self.archive.stack.queue_url)
                repair(made.differences, self.archive.ledger, queue, self.archive.now())
            return made

        found: Audit | None = self._run("audit", run, plan)
        return found

    def rebuild(self, plan: Plan) -> Rebuilt | None:
        """`bigin-archive rebuild-ledger`."""
        ledger, inventory = self.archive.ledger, self.archive.inventory
        found: Rebuilt | None = self._run(
            "rebuild",
            lambda: rebuild(ledger, inventory, self.archive.now(), dry_run=False, progress=lambda _: None),
            plan,
        )
        return found

    def redrive(self, plan: Plan) -> Sent | None:
        """`bigin-archive redrive --all --yes`."""
        queue = DeadLetterQueue(self._sqs, self.archive.stack.dead_letter_queue_url, self.archive.stack.queue_url, 0)
        sent = Sent()
        self._run("redrive", lambda: send_back(queue, Choice(all=True), sent), plan)
        return sent

    def request(self, places: Sequence[str]) -> None:
        """`bigin-archive request MODULE/RECORD/ATTACHMENT...`."""
        command = inspect.unwrap(request.callback)  # type: ignore[arg-type]
        self._run("request", lambda: command(places=tuple(places), target=self, machine=True), {})

    @property
    def stack(self) -> Stack:
        """The stack, as commands ask their target for it."""
        return self.archive.stack

    def client(self, name: str) -> Any:
        """A client of AWS, as commands ask their target for it."""
        return self._world.aws.client(name)

    def get(self, ids: Sequence[str], plan: Plan) -> tuple[int, list[bytes]] | None:
        """`bigin-archive get ID...`: its status, and the files that it left."""
        command = inspect.unwrap(get.callback)  # type: ignore[arg-type]

        def run() -> tuple[int, list[bytes]]:
            with tempfile.TemporaryDirectory() as name:
                status = command(ids=tuple(ids), target=self, records=(), folder=Path(name), machine=True)
                return status, [path.read_bytes() for path in Path(name).rglob("*") if path.is_file()]

        found: tuple[int, list[bytes]] | None = self._run("get", run, plan)
        return found

    def _run(self, what: str, call: Callable[[], Any], plan: Plan) -> Any:
        def quiet() -> Any:
            with redirect_stdout(StringIO()), redirect_stderr(StringIO()), suppress(OperateError):
                return call()

        return self._world.run(what, quiet, plan)

    def _patience(self) -> Callable[[float], None]:
        looks = iter(range(_WAITS))

        def sleep(seconds: float) -> None:
            if next(looks, None) is None:
                raise GaveUpWaitingError
            self._world.clock.sleep(seconds)

        return sleep

    def _bigin(self, meter: CreditMeter) -> Bigin:
        tokens = AccessTokens(
            self._world.aws.client("secretsmanager"), clients.TOKEN_SECRET, clients.BIGIN_URL, lambda: _utc(self.now())
        )
        return Bigin(transport.session(1), clients.BIGIN_URL, tokens, meter=meter, now=self.now)


def _utc(at_s: float) -> Any:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_s, UTC)


def _stack(world: World) -> Stack:
    environment = world.environment
    return Stack(
        name="bigin-archive",
        region="us-east-1",
        hosts=data_center(environment),
        credentials_secret_id=clients.CREDENTIALS_SECRET,
        token_secret_id=clients.TOKEN_SECRET,
        bucket=clients.BUCKET,
        key_prefix=clients.PREFIX,
        ledger_table=clients.LEDGER,
        sweep_function="",
        daily_credits=world.setup.daily_credits,
        share_percent=int(environment["CREDITS_SHARE_PERCENT"]),
        queue_url=environment["QUEUE_URL"],
        dead_letter_queue_url=environment["DEAD_LETTER_QUEUE_URL"],
        refresh_function="",
        webhook_url="",
        webhook_function="",
        webhook_logs="",
        watched=(),
    )
