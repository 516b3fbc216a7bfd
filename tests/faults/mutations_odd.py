"""Bugs to plant in what is made of odd entries, and in credits and lists of rare ways."""

from tests.faults.mutation import Mutation

_LISTING = "functions/bigin_archive/bigin/listing.py"
_ENTRIES = "tests/unit/test_listing.py::test_"
_LISTS = "tests/functional/test_odd_lists.py::test_"
_CREDITS = "tests/functional/test_credits.py::test_"
_STATES = "tests/functional/test_states.py::test_"
_SIBLINGS = "tests/unit/test_audit.py::test_file_and_shortcut_of_an_attachment_are_not_compared_with_each_other"

ODD = (
    Mutation(
        "a module of any form believed",
        _LISTING,
        "            or not _MODULE.fullmatch(module)\n",
        "",
        caught_by_test=(
            f"{_ENTRIES}a_module_has_the_form_of_an_api_name",
            f"{_LISTS}a_module_that_no_module_is_called_costs_its_entry",
        ),
    ),
    Mutation(
        "any number of modules counted by name",
        "functions/bigin_archive/sweep/lists.py",
        "or len(state.uncovered) < _MOST_UNCOVERED",
        "or True",
        caught_by_test=(f"{_LISTS}more_modules_than_an_item_can_name_are_counted_together",),
    ),
    Mutation(
        "a page of any length kept",
        _LISTING,
        "if not isinstance(data, list) or len(data) > _MOST_ENTRIES:",
        "if not isinstance(data, list):",
        caught_by_test=(f"{_ENTRIES}a_page_of_far_more_entries_than_were_asked_for_is_none",),
    ),
    Mutation(
        "a page token of any length kept",
        _LISTING,
        "if isinstance(token, str) and 0 < len(token) <= _MOST_OF_A_TOKEN:",
        "if isinstance(token, str) and token:",
        caught_by_test=(f"{_ENTRIES}a_token_without_an_end_is_none",),
    ),
    Mutation(
        "an unreadable time taken for none",
        _LISTING,
        "times = tuple(_time(entry, field) or _UNREADABLE for field in told)",
        "times = tuple(time for field in told if (time := _time(entry, field)))",
        caught_by_test=(f"{_ENTRIES}what_was_changed_at_an_unreadable_time_may_have_been_changed_now",),
    ),
    Mutation(
        "a link without an address archived",
        _LISTING,
        "url=url) if url else None",
        'url=url or "") if url or entry.get("$type") == "Link URL" else None',
        caught_by_test=(f"{_ENTRIES}a_link_has_an_address",),
    ),
    Mutation(
        "a margin beyond the calendar",
        "functions/bigin_archive/clock.py",
        "since - moment <= SKEW",
        "moment >= since - SKEW",
        caught_by_test=(
            "tests/unit/test_clock.py::test_a_margin_reaches_beyond_no_calendar",
            f"{_LISTS}a_sweep_since_the_ends_of_the_calendar_comes_to_its_end",
        ),
    ),
    Mutation(
        "a page that is lost while lists are read fails for ever",
        "functions/bigin_archive/sweep/lists.py",
        "        except PageLostError:\n            list_again(state)\n            return\n",
        "        except ZeroDivisionError:\n            return\n",
        caught_by_test=(f"{_LISTS}a_stored_page_that_is_lost_while_lists_are_read_is_read_again",),
    ),
    Mutation(
        "doubted records with names of any length kept",
        "functions/bigin_archive/sweep/doubts.py",
        "if len(state.doubted) < _MOST and len(json.dumps([*state.doubted, row])) <= _MOST_BYTES:",
        "if len(state.doubted) < _MOST:",
        caught_by_test=(f"{_LISTS}doubted_records_with_long_names_fit_into_the_state",),
    ),
    Mutation(
        "other bytes taken for an adopted object without a checksum",
        "functions/bigin_archive/audit/findings.py",
        "if stored.sha256 is not None and archived.sha256 != stored.sha256:",
        "if None not in (stored.sha256, archived.sha256) and archived.sha256 != stored.sha256:",
        caught_by_test=(f"{_STATES}an_adopted_object_that_is_replaced_is_told",),
    ),
    Mutation(
        "get gives other bytes for an adopted object without a checksum",
        "operate/find/download.py",
        "if not entry or is_same:",
        "if not entry or not entry.sha256 or is_same:",
        caught_by_test=(f"{_STATES}an_adopted_object_that_is_replaced_is_told",),
    ),
    Mutation(
        "a file compared with the shortcut of the link that it was",
        "functions/bigin_archive/audit/attachment_view.py",
        "            return None if is_sibling else entry\n",
        "            return entry\n",
        caught_by_test=(_SIBLINGS,),
    ),
    Mutation(
        "a shortcut compared with the file that was there before, and is gone",
        "functions/bigin_archive/audit/attachment_view.py",
        "(self.named or is_other_sort)",
        "self.named",
        caught_by_test=(_SIBLINGS,),
    ),
    Mutation(
        "a link repaired like a file",
        "operate/audit/repair.py",
        "if one.listed and one.listed.listed.link:",
        "if False:",
        caught_by_test=(f"{_STATES}a_file_that_was_turned_into_a_link_gets_its_shortcut",),
    ),
    Mutation(
        "a file that was turned into a link taken for a conflict",
        "functions/bigin_archive/archiving/archiver.py",
        "            if listed and listed.link:\n",
        "            if False:\n",
        caught_by_test=(f"{_STATES}a_file_that_was_turned_into_a_link_gets_its_shortcut",),
    ),
    Mutation(
        "a list begun again where credits ran out",
        "operate/audit/bigin_listing.py",
        "                listed = self._patiently(lambda _: reader.next_rows())\n",
        "                listed = self._patiently(lambda _: list(reader.rest()))\n",
        caught_by_test=(f"{_LISTS}an_audit_with_few_credits_reads_a_long_list_to_its_end",),
    ),
    Mutation(
        "a page counted before it is stored",
        "functions/bigin_archive/sweep/lists.py",
        """            state.pages += cursor.store_rows(state, state.pages, [_row(state, each) for each in found])
            _count_uncovered(state, found)  # only now: what could not be stored is read again
""",
        """            _count_uncovered(state, found)
            state.pages += cursor.store_rows(state, state.pages, [_row(state, each) for each in found])
""",
        caught_by_test=(f"{_LISTS}a_page_that_is_read_again_is_counted_once",),
    ),
    Mutation(
        "a shortcut's extension taken for a part of the name",
        "operate/audit/ledger_rows.py",
        'file_name=found.name.removesuffix(".url") if found.is_link else found.name,',
        "file_name=found.name,",
        caught_by_test=(f"{_STATES}a_rebuilt_row_has_the_name_that_bigin_has",),
    ),
    Mutation(
        "a ledger that is read a moment late",
        "functions/bigin_archive/ledger/ledger.py",
        "TableName=self._table, ConsistentRead=True, **part",
        "TableName=self._table, ConsistentRead=False, **part",
        caught_by_test=("tests/unit/test_scan.py::test_what_was_written_a_moment_ago_is_read",),
    ),
    Mutation(
        "an object without a checksum ends all marks",
        "functions/bigin_archive/audit/object_lookup.py",
        "verified_mark(found) is None:",
        "found.version_id is None:",
        caught_by_test=(f"{_STATES}an_object_without_checksum_costs_no_neighbour_its_mark",),
    ),
    Mutation(
        "a meter that asks no gate",
        "functions/bigin_archive/bigin/credit_meter.py",
        '        if check := getattr(self._gates, "check", None):\n            check()\n',
        "",
        caught_by_test=(
            f"{_CREDITS}what_a_list_tells_of_a_file_is_asked_within_the_sweeps_part_of_the_credits",
            f"{_CREDITS}retries_of_what_a_sweep_queued_keep_within_its_part",
            f"{_CREDITS}an_old_size_is_looked_up_within_the_sweeps_part_of_the_credits",
        ),
    ),
    Mutation(
        "credits of waiting messages used for something else",
        "functions/bigin_archive/wiring/archive_queued.py",
        "hour.used + pending, pipeline.queue.ready(), remaining",
        "hour.used + pending, 0, remaining",
        caught_by_test=(f"{_CREDITS}lists_and_retries_leave_reserved_credits_alone",),
    ),
    Mutation(
        "credits of the batch's own first tries used for something else",
        "functions/bigin_archive/archiving/queue_worker.py",
        "self._credits_left() <= len(self._paid):",
        "self._credits_left() <= 0:",
        caught_by_test=(f"{_CREDITS}lists_and_retries_leave_the_credits_of_their_batch_alone",),
    ),
    Mutation(
        "our own limit taken for an outage of Bigin",
        "functions/bigin_archive/archiving/queue_worker.py",
        "if not isinstance(error, OutOfTimeError | CreditsSpentError):",
        "if not isinstance(error, OutOfTimeError):",
        caught_by_test=(f"{_CREDITS}a_sweeps_spent_credits_hold_up_no_event",),
    ),
    Mutation(
        "what was sent back taken for paid",
        "functions/bigin_archive/archiving/message.py",
        "self.attempt == 1 and not self.was_sent_back and",
        "self.attempt == 1 and",
        caught_by_test=(f"{_CREDITS}what_was_sent_back_is_not_paid",),
    ),
    Mutation(
        "a sweep of one module makes up for a list of everything",
        "functions/bigin_archive/sweep/sweep.py",
        "            state.full_refused = state.refused\n",
        "            state.full_refused = []\n",
        caught_by_test=(
            "tests/functional/test_sweep.py::test_a_sweep_of_one_module_makes_up_for_no_list_of_everything",
            "tests/functional/test_sweep.py::test_what_was_refused_stays_told_until_it_was_listed",
        ),
    ),
    Mutation(
        "a value of another type taken from a row",
        "functions/bigin_archive/ledger/ledger_entry.py",
        '        return value.get("S")\n',
        '        return value["S"] if value else None\n',
        caught_by_test=("tests/functional/test_odd_rows.py::test_an_odd_value_costs_its_row_at_most",),
    ),
    Mutation(
        "a time in another zone taken for another time",
        "functions/bigin_archive/clock.py",
        "return one == other or ((moment := parse(one)) is not None and moment == parse(other))",
        "return one == other",
        caught_by_test=("tests/unit/test_attachment_state.py::test_what_a_sweep_has_to_do",),
    ),
    Mutation(
        "a message from the future waited for",
        "functions/bigin_archive/ledger/attachment_state.py",
        "return -clock.SKEW <= at - sent < MESSAGE_LIFE",
        "return at - sent < MESSAGE_LIFE",
        caught_by_test=("tests/unit/test_attachment_state.py::test_what_a_sweep_has_to_do",),
    ),
    Mutation(
        "a time near the calendar's end moved beyond it",
        "functions/bigin_archive/audit/findings.py",
        "changed - archived > clock.SKEW",
        "changed > archived + clock.SKEW",
        caught_by_test=("tests/functional/test_odd_rows.py::test_an_odd_value_costs_its_row_at_most",),
    ),
    Mutation(
        "a state that cannot be read blocks every sweep",
        "functions/bigin_archive/sweep/cursor.py",
        "except (ValueError, TypeError, AttributeError):",
        "except OSError:",
        caught_by_test=("tests/functional/test_odd_rows.py::test_a_state_that_cannot_be_read_blocks_no_sweep",),
    ),
    Mutation(
        "a page's token taken for a place",
        "functions/bigin_archive/sweep/lists.py",
        'place = _THE_LIST_OF_ALL if state.strategy == "all" else state.modules[state.module]',
        'place = f"{state.module}, {reading.position}"',
        caught_by_test=(f"{_LISTS}a_list_that_contradicts_itself_under_new_page_tokens_is_left_out_after_a_day",),
    ),
    Mutation(
        "a list that is begun again taken for one that goes on",
        "functions/bigin_archive/sweep/lists.py",
        "        if not reading.contradictions:  # else only what it had read before\n            patience",
        "        if True:\n            patience",
        caught_by_test=(f"{_LISTS}a_list_that_contradicts_itself_under_new_page_tokens_is_left_out_after_a_day",),
    ),
    Mutation(
        "a call that goes out twice counted once",
        "functions/bigin_archive/bigin/client.py",
        "                before_again=self._count_unanswered,\n",
        "",
        caught_by_test=("tests/functional/test_transport.py::test_a_call_that_goes_out_twice_counts_twice",),
    ),
    Mutation(
        "Bigin's word not believed before it is entered",
        "functions/bigin_archive/wiring/archive_queued.py",
        "for remaining in (day.remaining, pipeline.meter.remaining) if",
        "for remaining in (day.remaining,) if",
        caught_by_test=(f"{_CREDITS}a_worker_believes_bigins_word_before_it_is_entered",),
    ),
    Mutation(
        "credits that nobody can read taken for none",
        "operate/stack/credit_limit.py",
        "        return self._usage.used(), self._usage.used(HOUR_S), self._queue.waiting()\n\n",
        "        return Usage(0), Usage(0), 0\n\n",
        caught_by_test=(
            "tests/functional/test_operate_sweep.py::test_where_nobody_knows_what_was_used_nothing_is_used",
        ),
    ),
    Mutation(
        "a caller told of the newest version",
        "functions/bigin_archive/storage/version_reader.py",
        "self.read(version.key, version.version_id))]",
        "self.read(version.key, None))]",
        caught_by_test=("tests/functional/test_callers.py::test_get_tells_of_what_was_archived_first",),
    ),
    Mutation(
        "a caller told of other bytes than the archived ones",
        "functions/bigin_archive/callers/lookup.py",
        "            raise conflict(",
        "            conflict(",
        caught_by_test=("tests/functional/test_callers.py::test_get_tells_of_no_other_bytes",),
    ),
    Mutation(
        "the weekly mail dates the proof by the check",
        "functions/bigin_archive/sweep/weekly_mail.py",
        'complete_as_of=parse(report.get("complete_as_of")),',
        "complete_as_of=None,",
        caught_by_test=("tests/functional/test_weekly_mail.py::test_it_says_as_of_when_the_archive_is_complete",),
    ),
    Mutation(
        "a report that somebody changed believed",
        "functions/bigin_archive/sweep/weekly_mail.py",
        "return found if isinstance(found, int) else 0",
        "return int(found)",
        caught_by_test=("tests/functional/test_weekly_mail.py::test_a_report_that_somebody_changed_holds_up_no_mail",),
    ),
    Mutation(
        "a dry run compares sizes that the sweep does not",
        "operate/sweep/estimate.py",
        "found if self.compares_sizes else [each.without_size for each in found]",
        "found",
        caught_by_test=("tests/functional/test_probe.py::test_a_dry_run_counts_as_the_sweep_does",),
    ),
)
