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
    Mutation(
        "no margin for another clock",
        "functions/bigin_archive/clock.py",
        "moment >= since - SKEW",
        "moment >= since",
        caught_by_test=("tests/functional/test_lists.py::test_a_clock_of_bigin_that_is_behind_hides_nothing",),
    ),
    Mutation(
        "changes taken for a whole list",
        "functions/bigin_archive/sweep/closing.py",
        "began_at = state.full_since if state.since else state.started_at",
        "began_at = state.started_at",
        caught_by_test=("tests/functional/test_lists.py::test_the_verdict_says_until_when_the_lists_were_whole",),
    ),
    Mutation(
        "a time for a list that is not whole",
        "functions/bigin_archive/audit/comparison.py",
        "return None if self.failure or self.unlisted & set(self.modules) else self.listed_at",
        "return self.listed_at",
        caught_by_test=("tests/functional/test_lists.py::test_a_list_that_is_not_whole_has_no_time",),
    ),
    Mutation(
        "no alarm for an old proof",
        "functions/bigin_archive/sweep/heartbeat.py",
        "complete_age_s > OLDEST_S",
        "False",
        caught_by_test=("tests/unit/test_heartbeat.py::test_a_proof_that_is_missing_or_old_is_an_alarm",),
    ),
)
