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
    Mutation(
        "a list of several pages believed at once",
        "functions/bigin_archive/bigin/list_reader.py",
        "is_still = is_at_once or reading.total == reading.total_before",
        "is_still = True",
        caught_by_test=("tests/unit/test_list_reader.py::test_what_moved_past_the_reader_is_found",),
    ),
    Mutation(
        "an end that was not told believed",
        "functions/bigin_archive/bigin/list_reader.py",
        "goes_on = page.has_more is True or (page.has_more is None and bool(fresh))",
        "goes_on = page.has_more is True",
        caught_by_test=("tests/unit/test_list_reader.py::test_an_end_that_is_not_told_is_looked_for",),
    ),
    Mutation(
        "nothing after more records taken for the end",
        "functions/bigin_archive/bigin/list_reader.py",
        "if reading.is_promised and not read.entries:",
        "if False:",
        caught_by_test=(
            "tests/unit/test_list_reader.py::test_more_that_was_promised_and_is_not_there_is_asked_for_again",
        ),
    ),
    Mutation(
        "a list that repeats its page read for ever",
        "functions/bigin_archive/bigin/list_reader.py",
        "if goes_on and (not fresh or page.following is None):",
        "if goes_on and page.following is None:",
        caught_by_test=("tests/unit/test_list_reader.py::test_a_list_that_contradicts_itself_is_left_for_a_while",),
    ),
    Mutation(
        "an entry twice on a page counted twice",
        "functions/bigin_archive/bigin/list_reader.py",
        "fresh = [entry for key, entry in entries.items() if key not in self._passed]",
        "fresh = [entry for entry in read.entries if entry and entry.key not in self._passed]",
        caught_by_test=("tests/unit/test_list_reader.py::test_an_entry_twice_on_a_page_counts_once",),
    ),
    Mutation(
        "a list with an unreadable entry believed",
        "functions/bigin_archive/bigin/list_reader.py",
        "is_still and not reading.unreadable",
        "is_still",
        caught_by_test=("tests/unit/test_list_reader.py::test_an_entry_that_cannot_be_read_costs_no_neighbour",),
    ),
)
