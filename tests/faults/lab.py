"""The servers of a run: simulator, emulator, and a relay in front of each."""

import logging
import random
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.emulator import Emulator
from tests.aws import Aws
from tests.bigin import Simulator
from tests.faults import aws_proxy, bigin_proxy
from tests.faults.bench import Bench
from tests.faults.relay import Relay

SHORT = 0.01  # the scale of the run that `make test` has


@dataclass(frozen=True, slots=True)
class Lab:
    """Everything that the kinds of faults share. ``scale`` is 1.0 for the whole suite, and less for a short run."""

    emulator: Emulator
    simulator: Simulator
    aws_relay: Relay
    bigin_relay: Relay
    log: Path
    seed: int = 1
    scale: float = 1.0

    def random(self, kind: str) -> random.Random:
        """Randomness for one kind, the same whichever other kinds run."""
        return random.Random(f"{self.seed}:{kind}")

    def scaled(self, count: int, least: int = 1) -> int:
        return max(least, round(count * self.scale))

    def some(self, cases: Iterable[Any]) -> list[Any]:
        """All cases; every third one in the run of `make test`."""
        return list(cases)[:: 3 if self.scale <= SHORT else 1]

    def bench(self) -> Bench:
        """Yield an empty bench."""
        self.simulator.reset()
        logging.root.manager.loggerDict.pop("bigin-archive", None)
        aws = Aws(self.emulator, self.simulator.url)
        return Bench(aws, self.simulator, self.aws_relay, self.bigin_relay, self.log)


@contextmanager
def relays(emulator: Emulator, simulator: Simulator) -> Iterator[tuple[Relay, Relay]]:
    """Start a relay in front of each server."""
    before_aws, before_bigin = aws_proxy.start(emulator), bigin_proxy.start(simulator.url)
    try:
        yield before_aws, before_bigin
    finally:
        before_aws.stop()
        before_bigin.stop()


@contextmanager
def lab(seed: int, scale: float) -> Iterator[Lab]:
    """Start the servers of one run."""
    with tempfile.TemporaryDirectory(prefix="bigin-archive-faults-") as name:
        directory = Path(name)
        emulator = Emulator.start(directory / "aws", directory / "emulator.log")
        with emulator.process:
            simulator = Simulator.start()
            try:
                emulator.wait()
                with relays(emulator, simulator) as (before_aws, before_bigin):
                    yield Lab(emulator, simulator, before_aws, before_bigin, directory / "workers.log", seed, scale)
            finally:
                simulator.stop()
