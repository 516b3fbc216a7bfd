"""Bugs to plant in the way back to Bigin, and in what keeps a file that was sent back the same file."""

from tests.faults.mutation import Mutation

_FAILURES = "tests/functional/test_restore_failures.py"
_COMMAND = "tests/functional/test_operate_restore.py"
_COPIES = "tests/functional/test_restored_copies.py"

RESTORE = (
    Mutation(
        "lost upload sent again without a look",
        "operate/restore/sender.py",
        "if found := self._appeared(record, copy):",
        "if found := None:",
        caught_by_test=(f"{_FAILURES}::test_a_lost_answer_makes_no_second_file",),
    ),
    Mutation(
        "name and size are enough",
        "operate/restore/record.py",
        "if self.holds(attachment_id, copy):",
        "if True:",
        caught_by_test=(f"{_FAILURES}::test_the_same_name_and_size_are_not_the_same_file",),
    ),
    Mutation(
        "bytes of the archive sent unseen",
        "operate/restore/archived_copy.py",
        "if digest != copy.sha256:",
        "if False:",
        caught_by_test=(f"{_COMMAND}::test_damaged_bytes_are_not_sent",),
    ),
    Mutation(
        "what arrived is not compared",
        "operate/restore/restorer.py",
        "if not each.sent.is_compared and not record.holds(found, each.copy):",
        "if False:",
        caught_by_test=(f"{_FAILURES}::test_other_bytes_in_bigin_are_told",),
    ),
    Mutation(
        "a note is believed whatever Bigin lists",
        "operate/restore/notes.py",
        "and is_same(listed.modified_time, row.archived_modified_time)",
        "",
        caught_by_test=(f"{_FAILURES}::test_a_copy_that_was_changed_is_no_copy_any_more",),
    ),
    Mutation(
        "grant not revoked",
        "operate/restore/grant.py",
        "if ended := ended or tokens.revoke():",
        "if ended := True:",
        caught_by_test=(f"{_COMMAND}::test_the_grant_ends_with_the_run",),
    ),
    Mutation(
        "grant forgotten though it lives",
        "operate/restore/grant.py",
        "    if not ended:\n        complain(",
        "    if False:\n        complain(",
        caught_by_test=(f"{_COMMAND}::test_a_grant_that_could_not_be_revoked_is_told",),
    ),
    Mutation(
        "restored file unknown to the bucket",
        "operate/restore/notes.py",
        "self._archive.inventory.write(copied.path, io.BytesIO(copied.to_json()), CONTENT_TYPE)",
        "copied.to_json()",
        caught_by_test=(f"{_COMMAND}::test_a_record_is_whole_again",),
    ),
    Mutation(
        "restored file without its object in the audit",
        "functions/bigin_archive/audit/object_lookup.py",
        "return entry.key if entry and entry.restored_from and not joined.keys else None",
        "return None",
        caught_by_test=(f"{_COPIES}::test_an_audit_takes_it_for_the_same_file",),
    ),
    Mutation(
        "restored file never changes",
        "functions/bigin_archive/ledger/attachment_state.py",
        "is_changed = entry.restored_from and not clock.is_same(entry.archived_modified_time, listed.modified_time)",
        "is_changed = False",
        caught_by_test=(f"{_COPIES}::test_a_sweep_queues_it_only_once_it_was_changed",),
    ),
    Mutation(
        "restored file archived again by an event of its record",
        "functions/bigin_archive/archiving/record_expander.py",
        "if is_unchanged(entry, each):",
        "if False:",
        caught_by_test=(f"{_COPIES}::test_an_event_of_its_record_fetches_it_only_once_it_was_changed",),
    ),
    Mutation(
        "restored file archived again by an event of its id",
        "functions/bigin_archive/archiving/archiver.py",
        "if not own and (first := self._first_object(request, deadline)):",
        "if first := None:",
        caught_by_test=(f"{_COPIES}::test_an_event_of_its_id_fetches_it_only_once_it_was_changed",),
    ),
    Mutation(
        "a restored file's first object believed unseen",
        "functions/bigin_archive/archiving/archiver.py",
        "is_same = there and there.is_own and",
        "is_same = there or",
        caught_by_test=(f"{_COPIES}::test_an_event_fetches_it_where_the_object_that_it_came_from_is_lost",),
    ),
    Mutation(
        "restored file forgotten by its second event",
        "functions/bigin_archive/ledger/ledger.py",
        'if stored.key.rpartition("/")[0].endswith(request.place):',
        "if True:",
        caught_by_test=(f"{_COPIES}::test_an_event_of_its_id_fetches_it_only_once_it_was_changed",),
    ),
)
