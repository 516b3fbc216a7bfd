"""Bugs to plant in the list of versions, in audits that go on where another function stopped, and in AWS clients."""

from tests.faults.mutation import Mutation

_LIST = "tests/unit/test_version_listing.py::test_"
_SLICES = "tests/functional/test_audit_slices.py::test_"
_SWEEP = "tests/functional/test_stored_list.py::test_"
_AUDITOR = "functions/bigin_archive/audit/auditor.py"
_VERSIONS = "functions/bigin_archive/storage/version_listing.py"
_PARSER = "functions/bigin_archive/aws/page_parser.py"
_CLIENT = "functions/bigin_archive/aws/json_client.py"
_ALONE = "functions/bigin_archive/aws/function_aws.py"
_CALLS = "tests/functional/test_json_client.py::test_"
_KEPT = "functions/bigin_archive/network/kept_connections.py"
_REQUESTS = "tests/functional/test_s3_requests.py::test_"

AUDIT = (
    Mutation(
        "a marker of the list of versions leaps over keys",
        _VERSIONS,
        'if found and following["KeyMarker"] > found[-1].key:',
        "if False:",
        caught_by_test=(f"{_LIST}a_marker_that_leaps_ahead_leaves_nothing_out",),
    ),
    Mutation(
        "a list of versions that goes round",
        _VERSIONS,
        'if "KeyMarker" not in following or following == start:',
        'if "KeyMarker" not in following:',
        caught_by_test=(f"{_LIST}a_list_that_breaks_off_proves_nothing",),
    ),
    Mutation(
        "versions out of order",
        _VERSIONS,
        "if version.key < previous:",
        "if False:",
        caught_by_test=(f"{_LIST}a_list_that_breaks_off_proves_nothing",),
    ),
    Mutation(
        "the next page of versions comes only behind the last one",
        _VERSIONS,
        """            if start is not None:
                page = ahead.submit(call, "list_object_versions", Prefix=prefix, **start)
            for version in found:
                if version.key < previous:
                    raise StorageUnavailableError("S3's list of versions is not in the order of its keys.")
                previous = version.key
                yield version
""",
        """            for version in found:
                if version.key < previous:
                    raise StorageUnavailableError("S3's list of versions is not in the order of its keys.")
                previous = version.key
                yield version
            if start is not None:
                page = ahead.submit(call, "list_object_versions", Prefix=prefix, **start)
""",
        caught_by_test=(f"{_LIST}the_next_page_comes_while_one_is_worked_on",),
    ),
    Mutation(
        "IsLatest missing, and the first version taken for the latest",
        _VERSIONS,
        "return latest[0] if len(latest) == 1 else None",
        "return latest[0] if latest else self.versions[0]",
        caught_by_test=(f"{_LIST}what_a_list_of_versions_tells",),
    ),
    Mutation(
        "IsLatest missing, and taken for true",
        _PARSER,
        """    if "IsLatest" in texts:
        texts["IsLatest"] = _TRUTH[texts["IsLatest"]]""",
        """    texts["IsLatest"] = _TRUTH[texts.get("IsLatest", "true")]""",
        caught_by_test=("tests/unit/test_page_parser.py::test_a_list_of_versions_is_read_as_botocore_reads_it",),
    ),
    Mutation(
        "delete markers left out of a page",
        _PARSER,
        '_ENTRIES = {"Version": "Versions", "DeleteMarker": "DeleteMarkers"}',
        '_ENTRIES = {"Version": "Versions"}',
        caught_by_test=("tests/unit/test_page_parser.py::test_a_list_of_versions_is_read_as_botocore_reads_it",),
    ),
    Mutation(
        "a formula in the first cell of the index",
        "functions/bigin_archive/audit/manifest.py",
        '_AFTER_SEPARATOR.search("," + ",".join(cells))',
        '_AFTER_SEPARATOR.search(",".join(cells))',
        caught_by_test=("tests/unit/test_audit.py::test_no_separator_begins_a_formula",),
    ),
    Mutation(
        "where an audit stands is lost between two slices",
        "functions/bigin_archive/sweep/closing.py",
        "state.audit = None if isinstance(made, Audit) else made",
        "state.audit = None",
        caught_by_test=(f"{_SLICES}the_end_of_a_sweep_keeps_where_its_audit_stands",),
    ),
    Mutation(
        "the last place of a slice is compared again by the next",
        "functions/bigin_archive/audit/merge_join.py",
        "self._entries.read() if at > after",
        "self._entries.read() if at >= after",
        caught_by_test=(f"{_SLICES}slices_make_the_same_report",),
    ),
    Mutation(
        "a slice forgets the rows that it has not yet written to disk",
        _AUDITOR,
        "            join.flush()\n",
        "",
        caught_by_test=(f"{_SLICES}slices_make_the_same_report",),
    ),
    Mutation(
        "a slice forgets its differences",
        _AUDITOR,
        "            audit.differences.save(folder)\n",
        "",
        caught_by_test=(f"{_SLICES}slices_make_the_same_report",),
    ),
    Mutation(
        "another file taken for the one that was kept",
        "functions/bigin_archive/storage/saved_folder.py",
        "if digest.hexdigest() != sha256:",
        "if False:",
        caught_by_test=(f"{_SLICES}what_was_lost_between_two_slices_is_done_again",),
    ),
    Mutation(
        "the ledger is read on from the wrong page",
        "functions/bigin_archive/ledger/ledger.py",
        "                    scan[segment] = following\n",
        "                    scan[segment] = None\n",
        caught_by_test=("tests/unit/test_scan.py::test_a_scan_goes_on_where_it_was_left",),
    ),
    Mutation(
        "a sweep writes no row of what changed in Bigin",
        "functions/bigin_archive/sweep/discovery.py",
        "entry.is_stored and entry.repeats(each.listed, each.record_name)",
        "entry.is_stored",
        caught_by_test=(f"{_SWEEP}what_changed_is_written_into_its_row",),
    ),
    Mutation(
        "what a record lists is not stored with the state",
        "functions/bigin_archive/sweep/discovery.py",
        "            cursor.note(found)\n",
        "            pass\n",
        caught_by_test=(f"{_SWEEP}a_sweep_writes_no_row_of_what_did_not_change",),
    ),
    Mutation(
        "a page of another sweep taken for this one's",
        "functions/bigin_archive/ledger/stored_list.py",
        'or item.get("sweep", {}).get("S", self.sweep) != self.sweep',
        "",
        caught_by_test=(f"{_SWEEP}a_list_that_is_lost_proves_nothing",),
    ),
    Mutation(
        "a sweep stores its list over the last whole one",
        "functions/bigin_archive/sweep/sweep.py",
        "if not (last and last.full_list and last.full_list[1] == shelf))",
        ")",
        caught_by_test=(f"{_SWEEP}a_row_that_is_lost_is_named",),
    ),
    Mutation(
        "an answer that is no JSON object taken for success",
        _CLIENT,
        "    if not isinstance(parsed, dict):\n        raise UnreadableAnswerError\n",
        "    if not isinstance(parsed, dict):\n        return {}\n",
        caught_by_test=(f"{_CALLS}what_is_no_answer_is_no_success",),
    ),
    Mutation(
        "the error codes of SQS's new protocol in place of the known ones",
        _CLIENT,
        'if query_error := answer.headers.get("x-amzn-query-error"):',
        'if query_error := answer.headers.get("x-amzn-none"):',
        caught_by_test=(f"{_CALLS}a_refusal_has_the_code_that_boto3_gives_it",),
    ),
    Mutation(
        "a call goes out twice, though its connection was new",
        _KEPT,
        "if is_kept and not is_begun:",
        "if not is_begun:",
        caught_by_test=(f"{_CALLS}a_kept_connection_that_ended_costs_nothing",),
    ),
    Mutation(
        "a call goes out twice, though its answer had begun",
        _KEPT,
        "except (ConnectionError, ssl.SSLEOFError) as error:",
        "except (OSError, http.client.HTTPException) as error:",
        caught_by_test=(f"{_REQUESTS}only_a_kept_connection_without_an_answer_is_replaced",),
    ),
    Mutation(
        "a large body sent before S3 wants it",
        _KEPT,
        "if not (asks and _is_readable(connection, _CONTINUE_WAIT_S)):",
        "if True:",
        caught_by_test=(f"{_REQUESTS}a_large_body_waits_for_s3s_word",),
    ),
    Mutation(
        "signed with the key of yesterday",
        "functions/bigin_archive/aws/signed_http.py",
        "if known != (secret_key, scope):",
        "if not key:",
        caught_by_test=(f"{_REQUESTS}a_signature_is_botocores",),
    ),
    Mutation(
        "a webhook's queue that is asked too often given up",
        _CLIENT,
        " or bool(_TOO_OFTEN.search(code_of(error)))",
        "",
        caught_by_test=(f"{_CALLS}a_call_for_which_nobody_else_retries_is_made_twice",),
    ),
    Mutation(
        "a variable of AWS that nobody knows is not heeded",
        _ALONE,
        "and heeded <= _HEEDED and",
        "and",
        caught_by_test=(f"{_CALLS}what_the_environment_alone_does_not_tell_is_left_to_boto3",),
    ),
    Mutation(
        "another partition called in the domain of the first",
        _ALONE,
        "bool(_REGION.fullmatch(env[_KEYS[2]]))",
        "True",
        caught_by_test=(f"{_CALLS}the_addresses_are_boto3s",),
    ),
)
