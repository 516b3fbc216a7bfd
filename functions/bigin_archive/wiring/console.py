"""The console behind Amazon Cognito."""

from collections.abc import Mapping

from bigin_archive.api.gateway import Event
from bigin_archive.aws.clients import SIGNED, config, session
from bigin_archive.console.archive_files import ArchiveFiles
from bigin_archive.console.link_limit import TableLinkLimit
from bigin_archive.console.routes import Console, Door
from bigin_archive.errors import UnauthorizedError
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.settings import ConsoleSettings
from bigin_archive.telemetry import reporter

SCOPE = "archive/read"
_S3_TIMEOUT_S = 10  # the index of a million attachments arrives within it


def console(env: Mapping[str, str]) -> Console:
    """Raises SettingsError."""
    settings = ConsoleSettings.from_env(env)
    aws = session()
    dynamodb = aws.client("dynamodb", config=config(3, tries=2))
    s3 = aws.client("s3", config=config(_S3_TIMEOUT_S, tries=2).merge(SIGNED))

    def sign_in(event: Event) -> tuple[str, str]:
        # The client's id is not known when the function is deployed: it depends on the API, which depends on the
        # function.
        return settings.sign_in_url, str((event.get("stageVariables") or {}).get("clientId") or "")

    return Console(
        ArchiveFiles(s3, settings.bucket, settings.key_prefix),
        Ledger(dynamodb, settings.ledger_table),
        TableLinkLimit(dynamodb, settings.links_table),
        Door(signed_in, sign_in),
        reporter().report,
    )


def signed_in(event: Event) -> str:
    """The user's id in Cognito, which API Gateway has verified. Raises UnauthorizedError.

    API Gateway lets nobody else through. If it ever did, this would refuse.
    """
    claims = ((event.get("requestContext") or {}).get("authorizer") or {}).get("claims") or {}
    is_of_scope = SCOPE in str(claims.get("scope", SCOPE)).split()
    if claims.get("token_use") != "access" or not claims.get("sub") or not is_of_scope:
        raise UnauthorizedError("Sign in again.")
    return str(claims["sub"])
