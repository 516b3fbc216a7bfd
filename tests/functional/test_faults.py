"""The short run of the fault suite; ``make faults`` is the whole of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.emulator import Emulator
from tests.bigin import Simulator
from tests.faults.lab import SHORT, Lab, relays
from tests.faults.report import command
from tests.faults.suite import KINDS, SHORT_FORMS, Kind

SEED = 1


@pytest.fixture(scope="module")
def lab(emulator: Emulator, simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    log: Path = tmp_path_factory.mktemp("faults") / "workers.log"
    with relays(emulator, simulator) as (before_aws, before_bigin):
        yield Lab(emulator, simulator, before_aws, before_bigin, log, SEED, SHORT)


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, id=kind.name) for kind in (*SHORT_FORMS, *KINDS) if kind.in_pytest]
)
def test_nothing_is_lost_and_nothing_is_wrong(lab: Lab, kind: Kind) -> None:
    """Every fault of this kind is survived: all files whole, each once, every message accounted for."""
    rows = list(kind.run(lab))
    failures = [(row.kind, row.survived, row.injected, row.complaints) for row in rows if not row.is_good]

    assert [] == failures, f"repeat with: {command(kind.name, lab)}"
