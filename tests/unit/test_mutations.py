"""The list of bugs that the fault suite plants follows the package."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.mutate import StaleMutationError, plant, planted
from tests.faults.mutation import Mutation
from tests.faults.mutations import MUTATIONS
from tests.faults.paths import PROJECT
from tests.faults.suite import KINDS, SHORT_FORMS


@pytest.mark.parametrize("mutation", [pytest.param(found, id=found.name) for found in MUTATIONS])
def test_bug_can_be_planted(mutation: Mutation) -> None:
    """The text that the bug replaces is there, once, and the kinds or tests that must notice it exist."""
    assert planted(mutation)
    assert set(mutation.caught_by) <= {kind.name for kind in (*KINDS, *SHORT_FORMS)}
    assert mutation.caught_by or mutation.caught_by_test
    for test in mutation.caught_by_test:
        file, _, name = test.partition("::")
        assert f"\ndef {name.partition('[')[0]}(" in (PROJECT / file).read_text(), test


def test_the_copy_has_the_bug_and_the_package_has_not(tmp_path: Path) -> None:
    """What runs with a planted bug is a copy of everything that is deployed."""
    mutation = MUTATIONS[0]

    plant(mutation, tmp_path)

    assert (tmp_path / mutation.file).read_text() == planted(mutation) != (PROJECT / mutation.file).read_text()
    assert (tmp_path / "operate").is_dir()
    assert (tmp_path / "template.yaml").is_file()


def test_names_differ() -> None:
    """A bug can be chosen by its name."""
    assert len(MUTATIONS) == len({mutation.name for mutation in MUTATIONS})


def test_bug_that_cannot_be_planted_is_an_error(tmp_path: Path) -> None:
    """If the text to replace is missing, that is an error, not a caught bug."""
    with pytest.raises(StaleMutationError):
        plant(replace(MUTATIONS[0], old="what is nowhere"), tmp_path)
