"""Lambda authorizer of API Gateway: a bearer key in, a policy out.

A refusal is a policy that denies, which the API answers with 401. API Gateway caches it like a permission; an error of
the function would raise an alarm for each wrong key. If a key cannot be looked up, that is an error and not a refusal.
"""

import time
from collections.abc import Callable
from typing import Any

from bigin_archive.api import gateway
from bigin_archive.callers.caller import Caller, is_key_of
from bigin_archive.callers.caller_key import presented
from bigin_archive.callers.caller_table import CallerTable
from bigin_archive.clock import iso

CACHE_S = 60  # how long API Gateway keeps an answer, and so the longest that an ended key still works
_NOBODY = "nobody"


class Authorizer:
    """Decides about one request at a time."""

    def __init__(self, callers: CallerTable, now: Callable[[], float] = time.time) -> None:
        self._callers = callers
        self._now = now

    def authorize(self, event: gateway.Event) -> dict[str, Any]:
        """The policy for a REQUEST event. Raises StorageUnavailableError if the key cannot be looked up."""
        key = presented(gateway.header(event, "Authorization"))
        if key is not None:  # a text of another form is nobody's key
            caller = self._callers.find(key.key_id)
            if is_key_of(key, caller, iso(self._now())):
                return _policy("Allow", event, caller)
        return _policy("Deny", event, None)


def _policy(effect: str, event: gateway.Event, caller: Caller | None) -> dict[str, Any]:
    # The answer is kept for all routes of the stage: arn:...:execute-api:region:account:api/stage/method/path.
    api_and_stage = "/".join(str(event["methodArn"]).split("/")[:2])
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": f"{api_and_stage}/*"}
    policy: dict[str, Any] = {
        "principalId": caller.key_id if caller else _NOBODY,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    }
    if caller:
        policy["context"] = {"key_id": caller.key_id, "right": caller.right, "ends_at": caller.ends_at}
    return policy
