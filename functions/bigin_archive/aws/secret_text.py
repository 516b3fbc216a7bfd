"""The text of a secret, whichever of its two forms Secrets Manager keeps it in."""

from collections.abc import Mapping
from typing import Any


def secret_text(answer: Mapping[str, Any]) -> str | None:
    """What GetSecretValue answers, as text; None where the secret has no value.

    Who stores a file (``--secret-binary fileb://...``) stores bytes: they are read as UTF-8. What is none becomes text
    that nothing takes for a token or for JSON, so that it is told as malformed and not as missing.
    """
    text: str | None = answer.get("SecretString")
    if not text and (content := answer.get("SecretBinary")):
        text = bytes(content).decode("utf-8-sig", errors="replace")
    return text
