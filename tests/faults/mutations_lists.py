"""Bugs to plant in what reads lists, keeps time and counts credits."""

from tests.faults.mutation import Mutation

LISTS = (
    Mutation(
        "zone of a time ignored",
        "functions/bigin_archive/clock.py",
        "moment.astimezone(UTC).isoformat",
        "moment.isoformat",
        caught_by_test=("tests/unit/test_clock.py::test_a_time_has_one_form",),
    ),
)
