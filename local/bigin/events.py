"""Events of the account that are sent to others: records created, edited and deleted, attachments added."""

from collections.abc import Mapping
from typing import Any

from .deliveries import Message
from .state import State
from .watches import OPERATION_NAMES

IDS_AT_ONCE = 100  # in one notification; Bigin's own number is not published


def tell(state: State, module: str, event: str, ids: list[str]) -> None:
    """Notify the live channels that are subscribed to this event: create, edit or delete."""
    for channel in state.watches.listening(module, event):
        for start in range(0, len(ids), IDS_AT_ONCE):
            state.deliveries.notify(channel, module, OPERATION_NAMES[event], ids[start : start + IDS_AT_ONCE])


def send_webhook(state: State, data: Mapping[str, Any]) -> dict[str, int]:
    """Send what a workflow rule's webhook sends: the module, the record's id, and whatever else is given."""
    fields = {name: str(data[name]) for name in ("module", "record_id")} | dict(data.get("fields", {}))
    message = Message(str(data["url"]), fields, str(data.get("as", "json")), dict(data.get("headers", {})))
    return {"id": state.deliveries.send(message).id}
