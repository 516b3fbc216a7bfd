"""Keys that nobody issued: each is refused, none reaches what the authorizer guards, and the time of a check is
measured.
"""

import secrets
import statistics
import time
import uuid
from collections.abc import Iterator

from bigin_archive.callers import caller_key
from bigin_archive.callers.authorizer import Authorizer
from bigin_archive.callers.caller import Caller
from bigin_archive.callers.caller_table import CallerTable
from bigin_archive.clock import iso
from tests.faults.lab import Lab
from tests.faults.tally import Row, of_checks

KEYS = 10_000
ARN = "arn:aws:execute-api:us-east-1:123456789012:api/v1/POST/callers/attachments"


def refused(lab: Lab) -> Iterator[Row]:
    """Sends unknown keys, and known ids with other secrets: one call to the table each, and no other call."""
    with lab.bench() as bench:
        table = f"callers-{uuid.uuid4().hex[:8]}"
        dynamodb = bench.aws.client("dynamodb")
        dynamodb.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "key_id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "key_id", "KeyType": "HASH"}],
        )
        calls: list[str] = []
        dynamodb.meta.events.register("before-send.*.*", lambda event_name, **_: calls.append(event_name))
        callers = CallerTable(dynamodb, table)
        known = caller_key.new(secrets.token_bytes)
        now_s = time.time()
        callers.add(Caller(known.key_id, "known", "link", known.sha256, iso(now_s), iso(now_s + 3600)))
        calls.clear()
        authorizer, count = Authorizer(callers), lab.scaled(KEYS, 50)
        complaints, times_ms = [], []
        for number in range(count):
            text = caller_key.new(secrets.token_bytes).text
            if number % 2:
                text = f"bak_{known.key_id}_{text[-43:]}"
            started = time.perf_counter()
            policy = authorizer.authorize({"methodArn": ARN, "headers": {"Authorization": f"Bearer {text}"}})
            times_ms.append((time.perf_counter() - started) * 1000)
            if policy["policyDocument"]["Statement"][0]["Effect"] != "Deny":
                complaints.append(f"key {number} was admitted")
        if calls != ["before-send.dynamodb.GetItem"] * count:
            complaints.append(f"{len(calls)} calls for {count} keys: {sorted(set(calls))}")
        if bench.bigin.calls()["total"]:
            complaints.append("Bigin was called")
    p50, p99 = statistics.median(times_ms), statistics.quantiles(times_ms, n=100)[98]
    yield of_checks(
        "callers: wrong keys", complaints, count, f"a check takes {p50:.1f} ms, 99 of 100 within {p99:.1f} ms"
    )
