"""The relay in front of the Bigin simulator: kills workers, and sends answers that no HTTP server would send."""

import re

from tests.faults.http_messages import Head
from tests.faults.relay import Relay

_ATTACHMENT = re.compile(r"/Attachments/[0-9]+$")


def call_of(head: Head) -> str:
    """The name of a call to Bigin."""
    path = head.target.partition("?")[0]
    if path.startswith("/oauth/"):
        return "bigin.revoke" if path.endswith("/revoke") else "bigin.token"
    if head.start[0] == "POST" and path.endswith("/Attachments"):
        return "bigin.upload"
    return "bigin.download" if _ATTACHMENT.search(path) else "bigin.list"


def start(simulator_url: str) -> Relay:
    """Start a relay in front of the simulator."""
    return Relay.start(simulator_url, call_of)
