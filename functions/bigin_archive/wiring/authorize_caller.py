"""The authorizer of callers' keys."""

from collections.abc import Mapping

from bigin_archive.aws.function_aws import connection
from bigin_archive.callers.authorizer import Authorizer
from bigin_archive.callers.caller_table import CallerTable
from bigin_archive.settings import required


def authorizer(env: Mapping[str, str]) -> Authorizer:
    """Raises SettingsError."""
    # The caller waits, and nothing else repeats the call.
    dynamodb = connection(env).connect("dynamodb", 2, tries=2)
    return Authorizer(CallerTable(dynamodb, required(env, "CALLERS_TABLE")))
