"""Planted bugs: what other programs were seen to get wrong, and AWS and Zoho to do."""

from tests.faults.mutation import Mutation

_TRANSPORT, _S3 = "tests/functional/test_transport.py", "tests/functional/test_s3_requests.py"
_PROBE = "tests/functional/test_probe.py"
_CONSOLE = "tests/functional/test_console.py"
_PACKAGE = "functions/bigin_archive"

WORLD = (
    Mutation(
        "a setting that is missing starts the function",
        f"{_PACKAGE}/settings.py",
        "    if field.default is not MISSING and not env.get(name):",
        "    if not env.get(name):",
        caught_by_test=("tests/unit/test_settings.py::test_missing_setting_is_named",),
    ),
    Mutation(
        "a secret that has no value taken for an outage",
        f"{_PACKAGE}/aws/secret_value.py",
        "        if code_of(error) == NOT_FOUND:\n            return NO_VALUE\n",
        "",
        caught_by_test=("tests/unit/test_access_token.py::test_a_secret_without_a_value_means_not_connected",),
    ),
    Mutation(
        "an old probe believed for ever",
        f"{_PACKAGE}/bigin/probed_answers.py",
        " <= GOOD_FOR",
        "",
        caught_by_test=(f"{_PROBE}::test_a_sweep_tries_no_list_that_the_probe_did_not_find",),
    ),
    Mutation(
        "sizes compared that a probe found wrong",
        f"{_PACKAGE}/sweep/discovery.py",
        "if not state.compares_sizes:",
        "if False:",
        caught_by_test=(f"{_PROBE}::test_a_sweep_and_its_audit_compare_no_sizes_that_the_probe_found_wrong",),
    ),
    Mutation(
        "interim answer taken for the answer",
        f"{_PACKAGE}/network/http_response.py",
        "if not 100 <= status < 200 or status == http.HTTPStatus.SWITCHING_PROTOCOLS:",
        "if True:",
        caught_by_test=(f"{_TRANSPORT}::test_interim_answers_are_skipped",),
    ),
    Mutation(
        "kept connection that ended not replaced",
        f"{_PACKAGE}/network/transport.py",
        "if watch.is_answered or not watch.is_kept or only_once:",
        "if True:",
        caught_by_test=(f"{_TRANSPORT}::test_a_kept_connection_that_ended_costs_nothing",),
    ),
    Mutation(
        "an upload sent twice",
        f"{_PACKAGE}/network/transport.py",
        "or not watch.is_kept or only_once:",
        "or not watch.is_kept:",
        caught_by_test=(f"{_TRANSPORT}::test_what_must_not_happen_twice_is_sent_once",),
    ),
    Mutation(
        "Object Lock not told the checksum's algorithm",
        f"{_PACKAGE}/storage/object_store.py",
        '            "x-amz-sdk-checksum-algorithm": "SHA256",\n',
        "",
        caught_by_test=(f"{_S3}::test_retention_is_told_the_checksums_algorithm",),
    ),
    Mutation(
        "name cut at a raw semicolon",
        f"{_PACKAGE}/storage/file_names.py",
        "following = (_END if is_name else _PARAMETER).search(text, start)",
        "following = _PARAMETER.search(text, start)",
        caught_by_test=("tests/unit/test_file_names.py::test_header_gives_the_file_name",),
    ),
    Mutation(
        "milliseconds taken for seconds",
        f"{_PACKAGE}/token/oauth.py",
        "if lifetime > _MAX_LIFETIME_S and lifetime // 1000 <= DEFAULT_LIFETIME_S:",
        "if False:",
        caught_by_test=("tests/unit/test_oauth.py::test_token_is_granted",),
    ),
    Mutation(
        "too many calls at one time pause the queue",
        f"{_PACKAGE}/archiving/circuit_breaker.py",
        "if isinstance(error, BiginConcurrencyError):",
        "if False:",
        caught_by_test=(
            "tests/unit/test_circuit_breaker.py::test_too_many_calls_at_one_time_slow_down_and_pause_nothing",
        ),
    ),
    Mutation(
        "secret forgotten with Secrets Manager out of reach",
        f"{_PACKAGE}/api/webhook_secret.py",
        "            if not known_is_good:\n                raise",
        "            raise",
        caught_by_test=("tests/unit/test_webhook_secret.py::test_what_is_known_serves_while_secrets_manager_does_not",),
    ),
    Mutation(
        "busy table asked without a pause",
        f"{_PACKAGE}/aws/dynamodb.py",
        "        sleep(pause_s * random.uniform(0.75, 1.0))",
        "        pass",
        caught_by_test=("tests/unit/test_dynamodb.py::test_a_table_that_answers_nothing_ends_it",),
    ),
    Mutation(
        "labelled archive stored unpacked",
        f"{_PACKAGE}/bigin/response_body.py",
        "(raw.size_bytes == listed_bytes and beginning == _GZIP_BEGINS)",
        "False",
        caught_by_test=(
            "tests/functional/test_content_codings.py::test_encoded_bytes_of_the_listed_size_are_the_file",
        ),
    ),
    Mutation(
        "an address told of without the key",
        f"{_PACKAGE}/console/routes.py",
        "        user = self.door.user(event)  # before anything is said of an address",
        '        user = self.door.user(event) if route in ("/search", RECORD_ROUTE, "/links", "/status") else ""',
        caught_by_test=(f"{_CONSOLE}::test_without_the_key_nothing_is_told_of_an_address",),
    ),
    Mutation(
        "the library's own page for a method without a name",
        "operate/console/server.py",
        "    def send_error(",
        "    def unused(",
        caught_by_test=(f"{_CONSOLE}::test_what_no_browser_sends_is_refused_in_the_same_form",),
    ),
    Mutation(
        "a link to a file in an archive tier",
        f"{_PACKAGE}/storage/s3_errors.py",
        "    if is_archived and ",
        "    if False and ",
        caught_by_test=(
            f"{_CONSOLE}::test_a_file_in_an_archive_tier_has_no_link",
            "tests/unit/test_signed_addresses.py::test_what_an_archive_tier_holds_cannot_be_read_now",
        ),
    ),
    Mutation(
        "a report of any length read whole",
        f"{_PACKAGE}/storage/audit_report.py",
        "content.partition(DIFFERENCES.encode())",
        'content.partition(b"no such text")',
        caught_by_test=("tests/unit/test_audit_report.py::test_the_summary_is_all_but_the_differences",),
    ),
    Mutation(
        "a size of forty digits handed to the ledger",
        f"{_PACKAGE}/bigin/listing.py",
        " and 0 <= value < _NO_SIZE else None",
        " and 0 <= value else None",
        caught_by_test=("tests/unit/test_listing.py::test_a_size_that_no_file_has_is_not_known",),
    ),
    Mutation(
        "a link's metadata without a limit",
        f"{_PACKAGE}/storage/link_shortcut.py",
        "min(room, _MAX_METADATA_URL_BYTES)",
        "_MAX_METADATA_URL_BYTES",
        caught_by_test=("tests/unit/test_listing.py::test_the_metadata_of_a_link_fit_into_two_kilobytes",),
    ),
    Mutation(
        "questions asked where the result stands",
        "operate/connect/prompts.py",
        'default="", show_default=False, err=True)',
        'default="", show_default=False)',
        caught_by_test=("tests/unit/test_operate_look.py::test_questions_leave_stdout_to_the_result",),
    ),
    Mutation(
        "a record that is gone taken for too many calls",
        f"{_PACKAGE}/bigin/classify.py",
        '    if code == "INVALID_DATA":\n',
        "    if False:\n",
        caught_by_test=("tests/unit/test_classify.py::test_answer_has_the_code_that_the_vector_names",),
    ),
    Mutation(
        "an error that is to be shown inline taken for a file",
        f"{_PACKAGE}/bigin/classify.py",
        r"(?:[a-z-]+\s*;\s*)?filename",
        r"attachment\s*;\s*filename",
        caught_by_test=("tests/unit/test_classify.py::test_answer_has_the_code_that_the_vector_names",),
    ),
    Mutation(
        "a server without pages asked for ever",
        f"{_PACKAGE}/bigin/list_reader.py",
        " and self._is_repeated(read.entries, entries):",
        " and False:",
        caught_by_test=("tests/unit/test_list_reader.py::test_a_server_that_knows_no_pages_has_one",),
    ),
    Mutation(
        "a form without a type refused",
        f"{_PACKAGE}/api/webhook_request.py",
        'media not in ("", "text/plain") or',
        "True or",
        caught_by_test=("tests/unit/test_webhook.py::test_webhook_names_its_records",),
    ),
    Mutation(
        "of several records in a form only the last archived",
        f"{_PACKAGE}/api/webhook_request.py",
        "(*_each(before), *filter(None, [value])) if before else value",
        "value",
        caught_by_test=("tests/unit/test_webhook.py::test_webhook_names_its_records",),
    ),
    Mutation(
        "a deletion in capitals taken for a change",
        f"{_PACKAGE}/api/webhook_request.py",
        '.get("operation")).lower() == "delete"',
        '.get("operation")) == "delete"',
        caught_by_test=("tests/unit/test_webhook.py::test_deletion_is_recognized",),
    ),
    Mutation(
        "a token of any scope opens the console",
        f"{_PACKAGE}/wiring/console.py",
        ' or not claims.get("sub") or not is_of_scope:',
        ' or not claims.get("sub"):',
        caught_by_test=(f"{_CONSOLE}::test_behind_cognito_only_a_verified_user_is_answered",),
    ),
    Mutation(
        "an address of another host answered",
        "operate/console/server.py",
        "!= [self.server.host] or not is_own:",
        "!= [self.server.host]:",
        caught_by_test=(f"{_CONSOLE}::test_what_no_browser_sends_is_refused_in_the_same_form",),
    ),
    Mutation(
        "KeyPrefix dropped",
        "operate/stack/stack.py",
        'key_prefix=outputs.get("KeyPrefix", "")',
        'key_prefix=""',
        caught_by_test=(
            "tests/functional/test_operate_stack.py::test_a_stack_is_read_from_its_outputs_and_parameters",
        ),
    ),
    Mutation(
        "an empty KeyPrefix is an error",
        "operate/stack/stack.py",
        'output.get("OutputValue", "")',
        'output["OutputValue"]',
        caught_by_test=("tests/functional/test_operate_stack.py::test_a_stack_may_have_no_key_prefix",),
    ),
    Mutation(
        "the local console looks beside the prefix",
        "operate/commands/console.py",
        "ArchiveFiles(client, archive.stack.bucket, archive.stack.key_prefix)",
        'ArchiveFiles(client, archive.stack.bucket, "")',
        caught_by_test=("tests/functional/test_operate_console.py::test_it_is_served_until_it_is_stopped",),
    ),
    Mutation(
        "the access check of a bare token dropped",
        "operate/connect/wizard.py",
        "        self._check_complete(access, None)\n",
        "",
        caught_by_test=(
            "tests/functional/test_operate_authorize.py"
            "::test_a_bare_access_token_that_cannot_read_everything_is_not_stored",
        ),
    ),
)
