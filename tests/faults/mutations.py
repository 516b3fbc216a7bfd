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
        "functions/bigin_archive/bigin/response_body.py",
        "if count == 0 and self._missing:",
        "if False:",
        ("cut",),
    ),
    Mutation(
        "end of gzip ignored",
        "functions/bigin_archive/bigin/response_body.py",
        "if not self._member.eof:\n            raise",
        "if False:\n            raise",
        ("cut",),
    ),
    Mutation(
        "last byte not held back",
        "functions/bigin_archive/bigin/response_body.py",
        "if self._missing == 1 and",
        "if False and",
        ("length",),
    ),
    Mutation(
        "unknown length taken as whole",
        "functions/bigin_archive/archiving/archiver.py",
        "if listed is None and not end_is_certain:",
        "if False:",
        ("cut",),
    ),
    Mutation(
        "wrong size compare",
        "functions/bigin_archive/archiving/archiver.py",
        "if listed_bytes is not None and size_bytes != listed_bytes:",
        "if listed_bytes is not None and size_bytes > listed_bytes:",
        ("cut",),
    ),
    Mutation(
        "no condition on the write",
        "functions/bigin_archive/storage/object_store.py",
        '            "If-None-Match": "*",\n',
        "",
        ("two-workers",),
    ),
    Mutation(
        "no look before the download",
        "functions/bigin_archive/archiving/archiver.py",
        "        if present:\n            return self._already(request, present)\n        self._check_size",
        "        self._check_size",
        ("deliveries",),
    ),
    Mutation(
        "write without our checksum",
        "functions/bigin_archive/storage/object_store.py",
        "            headers[CHECKSUM] = base64.b64encode(sha256).decode()\n",
        "",
        ("s3",),
    ),
    Mutation(
        "failure acknowledged",
        "functions/bigin_archive/request_outcome.py",
        'return self.outcome != "retried"',
        "return True",
        ("cut",),
    ),
    Mutation(
        "whole batch failed on one error",
        "functions/archive_queued.py",
        "for message_id in staying]",
        "for message_id in ([m.message_id for m in messages] if staying else [])]",
        ("batch",),
    ),
    Mutation(
        "batch failed by an exception",
        "functions/archive_queued.py",
        "    staying = _worker().work(messages, deadline)\n",
        "    staying = _worker().work(messages, deadline)\n    assert not staying\n",
        ("batch",),
    ),
    Mutation(
        "parked without sending",
        "functions/bigin_archive/archiving/queue_worker.py",
        "self._queue.dead_letter(Outgoing(message.body, message.hints), outcome.error)",
        "pass",
        ("requests",),
    ),
    Mutation(
        "sleep in the handler",
        "functions/bigin_archive/archiving/queue_worker.py",
        "self._queue.delay(message.receipt_handle, wait_s)",
        "time.sleep(min(wait_s, 2))",
        ("429",),
    ),
    Mutation(
        "breaker removed",
        "functions/bigin_archive/archiving/queue_worker.py",
        "if cause and pause_s > 0:",
        "if False:",
        ("outage",),
    ),
    Mutation(
        "token cached for ever",
        "functions/bigin_archive/token/access_token.py",
        "if token is None or token.value == refused.value:",
        "if token is None:",
        ("token",),
    ),
    Mutation(
        "redirects followed",
        "functions/bigin_archive/transport.py",
        "return session.get_adapter(url).send(request, stream=True, timeout=timeout, verify=session.verify)",
        "return session.send(request, stream=True, timeout=timeout, allow_redirects=True)",
        ("transient",),
    ),
    Mutation(
        "page archived as a file",
        "functions/bigin_archive/bigin/classify.py",
        "if status == 200 and code is None and not _is_page(headers, beginning):",
        "if status == 200 and code is None:",
        ("transient",),
    ),
    Mutation(
        "deadline ignored",
        "functions/bigin_archive/deadline.py",
        "return max(0.0, self._at - self._clock())",
        "return 280.0",
        ("slow",),
    ),
    Mutation(
        "Retry-After without a limit",
        "functions/bigin_archive/bigin/classify.py",
        "return min(seconds, MAX_RETRY_AFTER_S) if seconds > 0 else None",
        "return seconds if seconds > 0 else None",
        ("429",),
    ),
    Mutation(
        "delays without a limit",
        "functions/bigin_archive/archiving/queue_worker.py",
        "min(self.longest_s, self.first_s * 2 ** min(attempt - 1, 32))",
        "self.first_s * 2 ** min(attempt - 1, 32)",
        ("retention",),
    ),
    Mutation(
        "names go into keys as they are",
        "functions/bigin_archive/storage/file_names.py",
        '_UNSAFE.sub("_", name or "")',
        '(name or "")',
        ("names",),
    ),
    Mutation(
        "gone taken for good news",
        "functions/bigin_archive/bigin/classify.py",
        'if code == "INVALID_DATA" or status in (204, 404):',
        'if code == "INVALID_DATA" or status in (204, 404, 500):',
        ("transient",),
    ),
    Mutation(
        "listed size not compared",
        "functions/bigin_archive/archiving/archiver.py",
        "if listed_bytes is not None and size_bytes != listed_bytes:",
        "if False:",
        ("cut", "length"),
    ),
    Mutation(
        "object of another size taken for the file",
        "functions/bigin_archive/archiving/archiver.py",
        "if listed is None or size == listed]",
        "if True]",
        ("conflict",),
    ),
    Mutation(
        "lost race never compared",
        "functions/bigin_archive/archiving/archiver.py",
        "        if winner.size_bytes != lost.size_bytes:\n",
        "        return Archived(winner, already=True)\n        if winner.size_bytes != lost.size_bytes:\n",
        ("conflict",),
    ),
    Mutation(
        "bytes behind the end not looked for",
        "functions/bigin_archive/bigin/response_body.py",
        "        connection: socket.socket | None = getattr(",
        "        return False\n        connection: socket.socket | None = getattr(",
        ("framing", "length"),
    ),
    Mutation(
        "chunk size that breaks off taken for the end",
        "functions/bigin_archive/transport.py",
        'if not line.endswith(b"\\n"):',
        "if False:",
        ("framing",),
    ),
    Mutation(
        "broken headers believed",
        "functions/bigin_archive/bigin/client.py",
        "if received.msg.defects or received.msg.get_payload():",
        "if False:",
        ("framing",),
    ),
    Mutation(
        "any content encoding stored as it is",
        "functions/bigin_archive/bigin/client.py",
        'if encoding not in ("", "identity", "gzip", "x-gzip"):',
        "if False:",
        ("framing",),
    ),
    Mutation(
        "no watchdog over slow connections",
        "functions/bigin_archive/transport.py",
        "                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)",
        "                pass",
        ("slow",),
    ),
    Mutation(
        "begun with no time left",
        "functions/bigin_archive/archiving/queue_worker.py",
        "if deadline.remaining_s() < LEAST_TIME_S:",
        "if False:",
        ("time",),
    ),
    Mutation(
        "acknowledged before it is stored",
        "functions/bigin_archive/archiving/queue_worker.py",
        "outcomes = [future.result() for future in futures]",
        "outcomes: list[Outcome] = []",
        ("crash-short",),
    ),
    Mutation(
        "parked without confirmation",
        "functions/bigin_archive/queueing/archive_queue.py",
        'if not answer.get("MessageId"):',
        "if False:",
        ("sqs",),
    ),
    Mutation(
        "messages of a record not confirmed",
        "functions/bigin_archive/queueing/archive_queue.py",
        "if number not in confirmed}",
        "if False}",
        ("sqs",),
    ),
    Mutation(
        "damaged listing taken for an empty one",
        "functions/bigin_archive/bigin/listing.py",
        "in data if isinstance(data, list) else [None]:",
        "in data if isinstance(data, list) else []:",
        ("listing",),
    ),
    Mutation(
        "link followed",
        "functions/bigin_archive/archiving/archiver.py",
        "        attributes, content = shortcut(self._key_prefix, request, link)\n",
        "        attributes, content = shortcut(self._key_prefix, request, link)\n"
        "        __import__('requests').get(link.url, timeout=1)\n",
        ("links",),
    ),
    Mutation(
        "secret looked at again and again",
        "functions/bigin_archive/token/access_token.py",
        "                token = self._read()\n            if token.value == refused.value:\n",
        "                for _ in range(20):\n                    token = self._read()\n"
        "            if token.value == refused.value:\n",
        ("herd",),
    ),
    Mutation(
        "token of another data centre used",
        "functions/bigin_archive/token/access_token.py",
        "if domain and domain != api_url:",
        "if False:",
        ("token-secret",),
    ),
    Mutation(
        "refresh answer of another host believed",
        "functions/bigin_archive/token/oauth.py",
        "if domain != api_url:",
        "if False:",
        ("refresh",),
    ),
    Mutation(
        "certificate not verified",
        "functions/bigin_archive/transport.py",
        "timeout=timeout, verify=session.verify)",
        "timeout=timeout, verify=False)",
        ("unreachable",),
    ),
    Mutation(
        "Retry-After ignored",
        "functions/bigin_archive/archiving/queue_worker.py",
        "wait_s = max(wait_s, outcome.error.retry_after_s or 0)",
        "pass",
        ("429",),
    ),
    Mutation(
        "retention shorter than the tries",
        "template.yaml",
        "maxReceiveCount: 100\n",
        "maxReceiveCount: 300\n",
        ("retention",),
    ),
    Mutation(
        "dead letters without an alarm",
        "template.yaml",
        "\n  DeadLetterAlarm:\n    Type: AWS::CloudWatch::Alarm\n",
        "\n  DeadLetterAlarm:\n    Type: AWS::CloudFormation::WaitConditionHandle\n",
        ("template",),
    ),
    Mutation(
        "attachments share a folder",
        "functions/bigin_archive/storage/object_attributes.py",
        "{request.place}/",
        "{request.module}/{request.record_id}/",
        ("names",),
    ),
    Mutation(
        "any webhook secret accepted",
        "functions/bigin_archive/api/webhook_request.py",
        "if not presented or not any(matches):",
        "if not presented:",
        ("webhooks",),
    ),
    Mutation(
        "webhook answered before it is queued",
        "functions/bigin_archive/api/webhook_endpoint.py",
        "            queued = self._send(requests, gateway.received_at_s(event))\n",
        "            __import__('threading').Thread(\n"
        "                target=self._send, args=(requests, gateway.received_at_s(event))\n"
        "            ).start()\n            queued = len(requests)\n",
        ("webhooks",),
    ),
    Mutation(
        "later events of a record dropped",
        "functions/bigin_archive/queueing/record_queue.py",
        'f"{request.module}-{request.record_id}-{span}"',
        'f"{request.module}-{request.record_id}"',
        ("clock",),
    ),
    Mutation(
        "lease table in the way",
        "functions/bigin_archive/aws/semaphore.py",
        "        except AWS_ERRORS:\n            lease = None\n",
        "        except ZeroDivisionError:\n            lease = None\n",
        ("dynamodb",),
    ),
    Mutation(
        "no limit to the API's calls at once",
        "functions/bigin_archive/aws/semaphore.py",
        "API_CALLS_AT_ONCE = 2",
        "API_CALLS_AT_ONCE = 20",
        ("dynamodb",),
    ),
    Mutation(
        "full disk taken for the end of the file",
        "functions/bigin_archive/bigin/response_body.py",
        "                digest.update(piece)\n                file.write(piece)\n",
        "                try:\n                    file.write(piece)\n                except OSError:\n"
        "                    size -= len(piece)\n                    break\n                digest.update(piece)\n",
        ("tmp-full",),
    ),
    Mutation(
        "whole file in memory",
        "functions/bigin_archive/storage/object_store.py",
        "        if size_bytes <= BLOCK_BYTES:\n",
        "        if True:\n",
        ("memory",),
    ),
    Mutation(
        "file name in the log",
        "functions/bigin_archive/storage/object_store.py",
        '        headers = {\n            "Content-Type"',
        '        print(attributes.key)\n        headers = {\n            "Content-Type"',
        ("length",),
    ),
    Mutation(
        "token in the log",
        "functions/bigin_archive/transport.py",
        "    request = requests.Request(method, url, headers=",
        "    print(headers)\n    request = requests.Request(method, url, headers=",
        ("length",),
    ),
    Mutation(
        "webhook given up at the first reset",
        "functions/bigin_archive/wiring/receive_webhook.py",
        "twice = config(5, tries=2)",
        "twice = config(5)",
        ("webhooks",),
    ),
)
