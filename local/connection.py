"""Connects a deployed stack to a Bigin by filling its two secrets, as `bigin-archive authorize` does on AWS."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from local.settings import Bigin

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN_LIFE = timedelta(hours=1)  # as Zoho's


def connect(bigin: Bigin, outputs: Mapping[str, str], *, secrets: Any, functions: Any) -> str:
    """Stores the credentials and a token. Without a token of its own it has the refresh function get one.

    Takes the clients of Secrets Manager and Lambda. Returns "" or one line that says why there is no token.
    """
    credentials = {
        "client_id": bigin.client_id,
        "client_secret": bigin.client_secret,
        "refresh_token": bigin.refresh_token,
    }
    secrets.put_secret_value(SecretId=outputs["CredentialsSecretId"], SecretString=json.dumps(credentials))
    if not bigin.access_token:
        return _refresh(outputs["RefreshTokenFunctionName"], functions)
    token = {
        "access_token": bigin.access_token,
        "expires_at": (datetime.now(UTC) + TOKEN_LIFE).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "api_domain": bigin.api_url,
    }
    secrets.put_secret_value(SecretId=outputs["TokenSecretId"], SecretString=json.dumps(token))
    return ""


def _refresh(function: str, functions: Any) -> str:
    answer = functions.invoke(FunctionName=function, Payload=b"{}")
    result = json.loads(answer["Payload"].read())
    if "FunctionError" not in answer and result.get("status") == "refreshed":
        return ""
    reason = result.get("detail") or result.get("errorMessage") or "no reason given"
    return f"Started, but no access token could be had from Bigin: {reason}"
