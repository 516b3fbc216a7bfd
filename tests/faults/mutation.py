"""A bug to plant."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutation:
    """One bug; ``caught_by`` names kinds of the suite, the most likely first, ``caught_by_test`` tests of pytest.

    A test is named as pytest does it, ``tests/unit/test_audit.py::test_name``; all of its parameters are tried.
    """

    name: str
    file: str
    old: str
    new: str
    caught_by: tuple[str, ...] = ()
    caught_by_test: tuple[str, ...] = ()
