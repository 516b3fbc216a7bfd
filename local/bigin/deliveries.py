"""What the simulator sends: notifications of live channels, and webhooks as workflow rules send them.

Each is sent once, in the background, to this machine alone. Bigin's pages tell of no repetition, order or time-out.
"""

import asyncio
import ipaddress
import ssl
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

TIMEOUT_S = 30  # of one delivery
AT_ONCE = 10
LOG_LENGTH = 10_000
FORMS = ("json", "form", "query", "multipart")


@dataclass(slots=True)
class Delivery:
    """One message on its way; `status` is None until it is answered, and stays so if it never is.

    The address is shown without its query, which may hold a secret.
    """

    id: int
    url: str
    channel_id: str | None
    at_s: float = field(default_factory=time.time)
    status: int | None = None
    error: str | None = None
    done: bool = False

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: fields in one of FORMS, with headers."""

    url: str
    fields: Mapping[str, Any]
    form: str = "json"
    headers: Mapping[str, str] = field(default_factory=dict)

    def arguments(self) -> dict[str, Any]:
        """Return the message as aiohttp's arguments."""
        match self.form:
            case "json":
                return {"json": dict(self.fields)}
            case "form":
                return {"data": dict(self.fields)}
            case "query":
                return {"params": dict(self.fields)}
        writer = aiohttp.MultipartWriter("form-data")
        for name, value in self.fields.items():
            writer.append(str(value)).set_content_disposition("form-data", name=name)
        return {"data": writer}


class Deliveries:
    """Everything sent since the start or the last reset; `ca` is the PEM that receivers are verified by."""

    def __init__(self, ca: Path | None = None) -> None:
        self.log: deque[Delivery] = deque(maxlen=LOG_LENGTH)
        self._ca = ca
        self._count = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)

    def send(self, message: Message, channel_id: str | None = None) -> Delivery:
        """Send in the background.

        Raises:
            ValueError: the address is not one of this machine, or the form is unknown.
        """
        if message.form not in FORMS:
            raise ValueError(f"as {message.form!r} is not one of {', '.join(FORMS)}")
        if not is_local(message.url):
            raise ValueError("only addresses of this machine are called: http or https on 127.0.0.1 or localhost")
        return self._begin(message, channel_id)

    def notify(self, channel: Mapping[str, Any], module: str, operation: str, ids: list[str]) -> None:
        """Tell a channel of records, with the fields of the published example of a notification."""
        fields = {
            "server_time": int(time.time() * 1000),
            "query_params": {},
            "module": module,
            "resource_uri": channel["resource_uri"],
            "ids": ids,
            "affected_fields": [],
            "operation": operation,
            "channel_id": channel["channel_id"],
        }
        if channel["token"]:
            fields["token"] = channel["token"]
        self._begin(Message(channel["notify_url"], fields), channel["channel_id"])

    def forget(self) -> None:
        """Stop what is on its way, and count from zero."""
        for task in self._tasks:
            task.cancel()
        self.log.clear()

    def as_json(self) -> dict[str, Any]:
        """Return the counts and the log as the control interface shows them."""
        delivered = sum(entry.delivered for entry in self.log)
        pending = sum(not entry.done for entry in self.log)
        return {
            "delivered": delivered,
            "pending": pending,
            "undelivered": len(self.log) - delivered - pending,
            "log": [asdict(entry) | {"delivered": entry.delivered} for entry in self.log],
        }

    def _begin(self, message: Message, channel_id: str | None) -> Delivery:
        self._count += 1
        entry = Delivery(self._count, message.url.partition("?")[0], channel_id)
        self.log.append(entry)
        task = asyncio.get_running_loop().create_task(self._deliver(entry, message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return entry

    async def _deliver(self, entry: Delivery, message: Message) -> None:
        try:
            if not is_local(message.url):
                raise ConnectionRefusedError
            async with self._slots, aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(TIMEOUT_S)) as session:
                headers, arguments = dict(message.headers), message.arguments()
                answer = await session.post(
                    message.url, headers=headers, ssl=self._tls(), allow_redirects=False, **arguments
                )
                entry.status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            entry.error = type(error).__name__
        finally:
            entry.done = True

    def _tls(self) -> ssl.SSLContext:
        # Read at each delivery: the receiver may make its certificate after the simulator's start.
        return ssl.create_default_context(cafile=self._ca)


def is_local(url: str) -> bool:
    """Say whether an address is one of this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return parts.scheme in ("http", "https") and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
    except ValueError:
        return False
