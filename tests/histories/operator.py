"""The operator: commands of bigin-archive, on a machine with a clock of its own.

The commands are the real ones, with the operator in the place of the target that they find by name and region.
"""

import inspect
import tempfile
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import click

from bigin_archive.archive_request import MODULES
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.settings import data_center
from bigin_archive.storage.inventory import Inventory
from operate.commands.audit import audit
from operate.commands.get import get
from operate.commands.rebuild_ledger import rebuild_ledger
from operate.commands.redrive import redrive
from operate.commands.request import request
from operate.commands.sweep import sweep
from operate.errors import OperateError
from operate.stack.archive import Archive
from operate.stack.stack import Stack
from tests.histories import clients
from tests.histories.interrupts import Plan
from tests.histories.world import World

_WAITS = 400  # looks at the credits of a command that has none left; with one each minute, almost seven hours


class GaveUpWaitingError(Exception):
    """The operator has stopped a command that waited for credits."""


class Operator:
    """Who runs the commands, and the target of each. One that is killed or gives up returns None."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._waits = 0
        aws = world.aws
        ledger = Ledger(aws.client("dynamodb"), clients.LEDGER)
        inventory = Inventory(aws.client("s3"), clients.BUCKET, clients.PREFIX, threads=1)
        self.stack = _stack(world)
        self.archive = Archive(self.stack, aws.client("dynamodb"), ledger, inventory)

    # ---- As commands see their target ----

    def now(self) -> float:
        return self._world.clock() + self._world.setup.operator_ahead_s

    def utc(self) -> datetime:
        return datetime.fromtimestamp(self.now(), UTC)

    def sleep(self, seconds: float) -> None:
        """Raises GaveUpWaitingError: nobody waits for ever."""
        self._waits += 1
        if self._waits > _WAITS:
            raise GaveUpWaitingError
        self._world.clock.sleep(seconds)

    def client(self, name: str) -> Any:
        return self._world.aws.client(name)

    # ---- Commands ----

    def audit(
        self,
        plan: Plan,
        *,
        by_head: bool = False,
        by_record: bool = False,
        as_of_sweep: bool = False,
        mend: bool = False,
        deep: float = 0.0,
        modules: Sequence[str] = (),
    ) -> int | None:
        """`bigin-archive audit`, with --head, --by-record, --as-of-sweep, --repair, --deep and --module: its status."""
        return self._run(
            audit,
            plan,
            modules=tuple(modules),
            deep=deep,
            by_head=by_head,
            by_record=by_record,
            as_of_sweep=as_of_sweep,
            repairing=mend,
        )

    def dry_run(self, plan: Plan, *, by_record: bool) -> None:
        """`bigin-archive sweep --dry-run`, with --by-record."""
        self._run(sweep, plan, modules=MODULES, since=None, by_record=by_record, dry_run=True, watching=False)

    def rebuild(self, plan: Plan) -> None:
        """`bigin-archive rebuild-ledger`."""
        self._run(rebuild_ledger, plan, dry_run=False)

    def redrive(self, plan: Plan) -> None:
        """`bigin-archive redrive --all --yes`."""
        self._run(redrive, plan, reasons=(), ids=(), everything=True, each=False, dry_run=False, yes=True)

    def request(self, places: Sequence[str]) -> None:
        """`bigin-archive request MODULE/RECORD/ATTACHMENT...`."""
        self._run(request, {}, places=tuple(places))

    def get(self, ids: Sequence[str], plan: Plan) -> tuple[int | None, list[bytes]]:
        """`bigin-archive get ID...`: its status, and the files that it left."""
        with tempfile.TemporaryDirectory() as name:
            status = self._run(get, plan, ids=tuple(ids), records=(), modules=(), folder=Path(name))
            return status, [path.read_bytes() for path in Path(name).rglob("*") if path.is_file()]

    def _run(self, command: click.Command, plan: Plan, **options: Any) -> int | None:
        run: Callable[..., int] = inspect.unwrap(command.callback)  # type: ignore[arg-type]
        self._waits = 0

        def quiet() -> int | None:
            with redirect_stdout(StringIO()), redirect_stderr(StringIO()), suppress(OperateError):
                return run(target=self, machine=True, **options)
            return None

        status: int | None = self._world.run(str(command.name).partition("-")[0], quiet, plan)
        return status


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
