"""Bugs to plant: each a text of the package and what replaces it, and the kind of fault that must notice.

A text that is no longer there exactly once is an error: the list follows the package.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutation:
    """One bug; ``caught_by`` names kinds of the suite, the most likely first."""

    name: str
    file: str
    old: str
    new: str
    caught_by: tuple[str, ...]


MUTATIONS = (
    Mutation(
        "no length check",
        "bigin_archive/body.py",
        "if count == 0 and self._missing:",
        "if False:",
        ("cut",),
    ),
    Mutation(
        "end of gzip ignored",
        "bigin_archive/body.py",
        "if not self._member.eof:\n            raise",
        "if False:\n            raise",
        ("cut",),
    ),
    Mutation(
        "last byte not held back",
        "bigin_archive/body.py",
        "if self._missing == 1 and",
        "if False and",
        ("length",),
    ),
    Mutation(
        "unknown length taken as whole",
        "bigin_archive/archive.py",
        "if listed is None and not end_is_certain:",
        "if False:",
        ("cut",),
    ),
    Mutation(
        "wrong size compare",
        "bigin_archive/archive.py",
        "if listed_bytes is not None and size_bytes != listed_bytes:",
        "if listed_bytes is not None and size_bytes > listed_bytes:",
        ("cut",),
    ),
    Mutation(
        "no condition on the write",
        "bigin_archive/storage.py",
        '            "If-None-Match": "*",\n',
        "",
        ("two-workers",),
    ),
    Mutation(
        "no look before the download",
        "bigin_archive/archive.py",
        "        if present:\n            return self._already(request, present)\n        self._check_size",
        "        self._check_size",
        ("deliveries",),
    ),
    Mutation(
        "write without our checksum",
        "bigin_archive/storage.py",
        "            headers[CHECKSUM] = base64.b64encode(sha256).decode()\n",
        "",
        ("s3",),
    ),
    Mutation(
        "failure acknowledged",
        "bigin_archive/outcome.py",
        'return self.outcome != "retried"',
        "return True",
        ("cut",),
    ),
    Mutation(
        "whole batch failed on one error",
        "archive_queued.py",
        "for message_id in staying]",
        "for message_id in ([m.message_id for m in messages] if staying else [])]",
        ("batch",),
    ),
    Mutation(
        "batch failed by an exception",
        "archive_queued.py",
        "    staying = _worker().work(messages, deadline)\n",
        "    staying = _worker().work(messages, deadline)\n    assert not staying\n",
        ("batch",),
    ),
    Mutation(
        "parked without sending",
        "bigin_archive/worker.py",
        "self._queue.park(Outgoing(message.body, message.hints), fate.error)",
        "pass",
        ("requests",),
    ),
    Mutation(
        "sleep in the handler",
        "bigin_archive/worker.py",
        "self._queue.delay(message.receipt_handle, wait_s)",
        "time.sleep(min(wait_s, 2))",
        ("429",),
    ),
    Mutation(
        "brake removed",
        "bigin_archive/worker.py",
        "if cause and pause_s > 0:",
        "if False:",
        ("outage", "herd"),
    ),
    Mutation(
        "token cached for ever",
        "bigin_archive/access_token.py",
        "if token is None or token.value == refused.value:",
        "if token is None:",
        ("token",),
    ),
    Mutation(
        "redirects followed",
        "bigin_archive/transport.py",
        "return session.get_adapter(url).send(request, stream=True, timeout=timeout, verify=session.verify)",
        "return session.send(request, stream=True, timeout=timeout, allow_redirects=True)",
        ("transient",),
    ),
    Mutation(
        "page archived as a file",
        "bigin_archive/classify.py",
        "if status == 200 and code is None and not _is_page(headers, beginning):",
        "if status == 200 and code is None:",
        ("transient",),
    ),
    Mutation(
        "deadline ignored",
        "bigin_archive/deadline.py",
        "return max(0.0, self._at - self._clock())",
        "return 280.0",
        ("slow",),
    ),
    Mutation(
        "Retry-After without a limit",
        "bigin_archive/classify.py",
        "return min(seconds, MAX_RETRY_AFTER_S) if seconds > 0 else None",
        "return seconds if seconds > 0 else None",
        ("429",),
    ),
    Mutation(
        "delays without a limit",
        "bigin_archive/worker.py",
        "min(self.longest_s, self.first_s * 2 ** min(attempt - 1, 32))",
        "self.first_s * 2 ** min(attempt - 1, 32)",
        ("retention",),
    ),
    Mutation(
        "names go into keys as they are",
        "bigin_archive/file_names.py",
        '_UNSAFE.sub("_", name or "")',
        '(name or "")',
        ("names",),
    ),
    Mutation(
        "gone taken for good news",
        "bigin_archive/classify.py",
        'if code == "INVALID_DATA" or status in (204, 404):',
        'if code == "INVALID_DATA" or status in (204, 404, 500):',
        ("transient",),
    ),
)
