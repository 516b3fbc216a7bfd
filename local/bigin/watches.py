"""Notification channels: subscribing, listing and ending them, and which of them an event concerns.

The rules are those of "Enable notifications" and "Get notification details", v2.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from . import answers
from .answers import Answer
from .settings import Settings
from .timestamps import epoch_s, iso

DEFAULT_EXPIRY_S = 2 * 3600  # recorded in October 2026; the page names none
LONGEST_EXPIRY_S = 24 * 3600
RESOURCE_IDS = {
    "Contacts": "7618134000000002179",
    "Accounts": "7618134000000002177",
    "Pipelines": "7618134000000002181",
    "Tasks": "7618134000000002193",
    "Events": "7618134000000002195",
    "Calls": "7618134000000033015",
    "Products": "7618134000000002213",
}
"""Modules that can be watched; Notes and Attachments cannot."""
OPERATIONS = ("create", "edit", "delete", "all")
OPERATION_NAMES = {"create": "insert", "edit": "update", "delete": "delete"}  # in a notification


class Watches:
    """The channels by id. An expired channel vanishes without a notification."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._channels: dict[str, dict[str, Any]] = {}

    def subscribe(self, body: object) -> Answer:
        """Add or renew channels: 201, 207 if some were refused, 400 if all were."""
        items = body.get("watch") if isinstance(body, dict) else None
        if not isinstance(items, list) or not items:
            message = "required field not found"
            return answers.error(400, "MANDATORY_NOT_FOUND", message, {"api_name": "watch"})
        results = [self._subscribe_one(item) for item in items]
        accepted = sum(result["status"] == "success" for result in results)
        status = 201 if accepted == len(results) else 207 if accepted else 400
        return answers.json_answer(status, {"watch": results})

    def listing(self) -> Answer:
        """Return the channels that have not expired, or 204."""
        live = [channel | {"channel_expiry": iso(channel["channel_expiry"])} for channel in self._live()]
        if not live:
            return answers.nothing()
        info = {"per_page": 200, "count": len(live), "page": 1, "more_records": False}
        return answers.json_answer(200, {"watch": live, "info": info})

    def listening(self, module: str, event: str) -> Iterator[Mapping[str, Any]]:
        """Return the live channels that are subscribed to an event: create, edit or delete."""
        for channel in self._live():
            if not {f"{module}.{event}", f"{module}.all"}.isdisjoint(channel["events"]):
                yield channel

    def _live(self) -> Iterator[dict[str, Any]]:
        return (channel for channel in self._channels.values() if channel["channel_expiry"] > time.time())

    def end(self, channel_ids: str) -> Answer:
        """End the channels of a comma-separated list."""
        results = [self._end_one(channel_id) for channel_id in channel_ids.split(",")]
        ended = sum(result["status"] == "success" for result in results)
        status = 200 if ended == len(results) else 207 if ended else 400
        return answers.json_answer(status, {"watch": results})

    def _subscribe_one(self, item: Mapping[str, Any]) -> dict[str, Any]:
        now_s = time.time()
        channel_id, events = str(item.get("channel_id", "")), item.get("events") or []
        if not item.get("notify_url"):
            return _refused("MANDATORY_NOT_FOUND", "required field not found", "notify_url")
        if not channel_id.isdigit():
            return _refused("INVALID_DATA", "invalid data", "channel_id")
        if len(item.get("token") or "") > 50:
            return _refused("INVALID_DATA", "invalid data", "token")
        parts = [str(event).partition(".") for event in events]
        if not parts or any(p[0] not in RESOURCE_IDS or p[2] not in OPERATIONS for p in parts):
            return _refused("INVALID_DATA", "invalid data", "events")
        try:
            expiry_s = epoch_s(item.get("channel_expiry") or iso(now_s + DEFAULT_EXPIRY_S))
        except ValueError:
            return _refused("INVALID_DATA", "invalid data", "channel_expiry")
        if not now_s < expiry_s <= now_s + LONGEST_EXPIRY_S:
            return _refused("INVALID_DATA", "invalid data", "channel_expiry")
        if self._settings.channel_lifetime_s is not None:
            expiry_s = min(expiry_s, now_s + self._settings.channel_lifetime_s)
        module = parts[0][0]
        resource = {**_resource(module), "channel_id": channel_id}
        self._channels[channel_id] = {
            "notify_on_related_action": bool(item.get("notify_on_related_action", False)),
            "channel_expiry": expiry_s,
            "return_affected_field_values": bool(item.get("return_affected_field_values", False)),
            **resource,
            "notify_url": item["notify_url"],
            "fields": None,
            "events": list(events),
            "token": item.get("token"),
        }
        details = [
            {"channel_expiry": iso(expiry_s), **_resource(name), "channel_id": channel_id}
            for name in dict.fromkeys(part[0] for part in parts)
        ]
        message = "Successfully subscribed for actions-watch of the given module"
        return _item("SUCCESS", {"events": details}, message, "success")

    def _end_one(self, channel_id: str) -> dict[str, Any]:
        channel = self._channels.pop(channel_id, None)
        if channel is None:
            return _refused("NOT_SUBSCRIBED", "the given channel is not subscribed", "channel_id")
        details = {**_resource(channel["resource_name"]), "channel_id": channel_id}
        return _item("SUCCESS", details, "Successfully un-subscribed from actions-watch", "success")


def _resource(module: str) -> dict[str, str]:
    return {
        # Recorded: the address names v1 although v2 was asked.
        "resource_uri": f"https://www.zohoapis.com/bigin/v1/{module}",
        "resource_id": RESOURCE_IDS[module],
        "resource_name": module,
    }


def _refused(code: str, message: str, name: str) -> dict[str, Any]:
    return _item(code, {"api_name": name}, message, "error")


def _item(code: str, details: object, message: str, status: str) -> dict[str, Any]:
    return {"code": code, "details": details, "message": message, "status": status}
