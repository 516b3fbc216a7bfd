"""The value of a secret in Secrets Manager: read in one place, whichever form and stage it is stored in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from bigin_archive.aws.error_codes import NOT_FOUND, code_of

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

# Secrets Manager user guide, "Secret versions": during a rotation both are in use.
CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"


@dataclass(frozen=True, slots=True, repr=False)
class SecretValue:
    """The text of one version, and when it was written; both None if the secret has no value. It has no repr."""

    text: str | None = None
    written_at: datetime | None = None


NO_VALUE = SecretValue()


def read_secret(client: SecretsManagerClient, secret_id: str, stage: str = CURRENT) -> SecretValue:
    """The version with the label ``stage``; NO_VALUE if there is none, as before the first connection.

    Raises ClientError for any other refusal, and BotoCoreError if Secrets Manager cannot be reached.
    """
    try:
        answer = client.get_secret_value(SecretId=secret_id, VersionStage=stage)
    except ClientError as error:
        if code_of(error) == NOT_FOUND:
            return NO_VALUE
        raise
    return SecretValue(secret_text(answer), answer.get("CreatedDate"))


def secret_text(answer: Mapping[str, Any]) -> str | None:
    """The text in an answer of GetSecretValue; None if the secret has no value.

    A secret that was stored from a file (``--secret-binary fileb://...``) holds bytes, which are read as UTF-8. Other
    bytes become text that is neither a token nor JSON, so that it is reported as malformed, not as missing.
    """
    text: str | None = answer.get("SecretString")
    if not text and (content := answer.get("SecretBinary")):
        text = bytes(content).decode("utf-8-sig", errors="replace")
    return text
