"""What archiving costs: dollars by service from list prices, and Bigin's API credits. Prints Markdown.

List prices of us-east-1 without discounts and taxes. Free is what AWS gives every account each month, without an end.
"""

from collections.abc import Mapping
from dataclasses import dataclass

KB, MB, GB = 1e3, 1e6, 1e9


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars for one unit, of which ``free`` are given each month. ``seen``: where and when it was read."""

    dollars: float
    unit: str
    seen: str
    free: float = 0


_CLOUDWATCH = "factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards, 2026-06-13"
_LAMBDA = "docs.aws.amazon.com/whitepapers/latest/how-aws-pricing-works/lambda.html, 2026-11-25"
_DYNAMODB = "airbyte.com/data-engineering-resources/dynamodb-pricing, 2025-07-21"
_SECRETS = "hivebook.wiki/wiki/aws-secrets-manager-rotated-secrets-dynamic-db-credentials-kms, 2026-11-25"
_S3 = "devnotes.tech/understanding-aws-s3-pricing-a-complete-cost-breakdown-with-examples, 2026-11-25"
_SQS = "cloudburn.io/blog/amazon-sqs-pricing, 2026-03"
PRICES: Mapping[str, Price] = {
    "Lambda, arm64": Price(
        0.0000133334, "GB-second", "aws.amazon.com/lambda/pricing, by cloudchipr.com, 2024", free=400_000
    ),
    "Lambda, requests": Price(0.20 / 1e6, "request", _LAMBDA, free=1e6),
    "Lambda, /tmp": Price(
        0.0000000309, "GB-second beyond 0.5 GB", "AWS's price list of AWSLambda, us-east-2, as quoted on 2026-08-21"
    ),
    "DynamoDB, writes": Price(0.625 / 1e6, "write request of up to 1 KB", _DYNAMODB),
    "DynamoDB, reads": Price(0.125 / 1e6, "read request of up to 4 KB", _DYNAMODB),
    "API Gateway, REST": Price(3.50 / 1e6, "call", "go-cloud.io/aws-api-gateway-pricing, 2026"),
    "SQS, standard": Price(0.40 / 1e6, "call", _SQS, free=1e6),
    "SQS, FIFO": Price(0.50 / 1e6, "call", _SQS, free=1e6),
    "S3, PUT and LIST": Price(0.005 / 1e3, "call", _S3),
    "S3, GET and HEAD": Price(0.0004 / 1e3, "call", _S3),
    "S3, storage": Price(0.023, "GB and month", _S3),
    "CloudWatch Logs": Price(0.50, "GB ingested", _CLOUDWATCH, free=5),
    "CloudWatch, metric": Price(0.30, "metric and month", "cal53.calculator.city, 2026-11-25", free=10),
    "CloudWatch, alarm": Price(0.10, "metric of an alarm and month", "c3x.dev/resources/aws, 2026-11-25", free=10),
    "CloudWatch, dashboard": Price(3.00, "dashboard and month", _CLOUDWATCH, free=3),
    "EventBridge Scheduler": Price(
        1.00 / 1e6, "invocation", "cloudburn.io/blog/amazon-eventbridge-pricing, 2026-03-13", free=14e6
    ),
    "CloudWatch, composite alarm": Price(0.50, "alarm and month", "c3x.dev/resources/aws, 2026-11-25"),
    "Secrets Manager": Price(0.40, "secret and month", _SECRETS),
    "Secrets Manager, calls": Price(0.05 / 1e4, "call", _SECRETS),
}

SIZES: Mapping[str, float] = {"200 KB": 200 * KB, "5 MB": 5 * MB, "50 MB": 50 * MB}
COUNTS = (1_000, 100_000)

# The template's numbers.
WORKER_GIB, WORKER_TMP_GB, WORKER_THREADS = 512 / 1024, 5120 / 1024, 4
WEBHOOK_GIB = 256 / 1024
# Assumptions, since Bigin publishes no figures: seconds to the first byte, and bytes per second of one download.
FIRST_BYTE_S, DOWNLOAD_B_S = 0.5, 5 * MB
# S3's answers to LIST and PUT, and the worker's own time (seconds); the webhook's seconds, mostly SQS's answer.
S3_S, WEBHOOK_S = 0.1, 0.05
# The ledger's entry, of less than 1 KB, and the account's credits, once for each batch.
LEDGER_WRITES, CREDITS_WRITES = 1, 1
LEDGER_READS = 1  # whoever lists a record asks for each attachment whether a restore has sent it back
# One line of the worker, its share of a metrics line and of Lambda's own lines; the same of the webhook receiver.
LOG_BYTES = 2_000.0
DAYS = 30
SLICES, TICKS, RENEWALS = DAYS * 96, DAYS * 288, DAYS * 48  # every 15, 5 and 30 minutes
# Lambda polls a queue with five connections, each for 20 s (Lambda developer guide, "SQS event source").
LOOKS = 5 * DAYS * 86_400 / 20
# Seconds of a slice with nothing to do, and of a run of the refresher that renews nothing; bytes of their log lines.
SLICE_S, TICK_S, LINES_BYTES = 0.4, 0.1, 1_500.0
SWEEP_GIB = 1769 / 1024
# What a stack uses in a month in which nothing happens: the price, and how many of its units.
IDLE: Mapping[str, tuple[str, float]] = {
    "three secrets: credentials, access token, webhook": ("Secrets Manager", 3),
    "calls for the token: a check of its age, and two for each renewal": (
        "Secrets Manager, calls",
        TICKS + 3 * RENEWALS,
    ),
    "ten alarms, each on one metric": ("CloudWatch, alarm", 10),
    "ten metrics": ("CloudWatch, metric", 10),
    "one dashboard": ("CloudWatch, dashboard", 1),
    # The dearer price for both queues: a million calls are free, whatever the queue.
    "Lambda's polls of two queues, and counts of dead letters": ("SQS, FIFO", 2 * LOOKS + 3 * SLICES),
    "schedules": ("EventBridge Scheduler", SLICES + TICKS + RENEWALS + DAYS),
    "scheduled functions, seconds": (
        "Lambda, arm64",
        SLICES * SLICE_S * SWEEP_GIB + (TICKS + RENEWALS) * TICK_S * WEBHOOK_GIB,
    ),
    "scheduled functions, calls": ("Lambda, requests", SLICES + TICKS + RENEWALS),
    "their log lines": ("CloudWatch Logs", (SLICES + TICKS + RENEWALS) * LINES_BYTES / GB),
    "reads of the sweep's state and credits": ("DynamoDB, reads", 3 * SLICES),
}
# What proving an archive takes each night, for each attachment: the audit lists versions, 1,000 a call, and scans the
# ledger's rows of 0.8 KB (4 KB a unit); the sweep looks each row up, which is a unit, writes none that did not change,
# and stores Bigin's list and its own state: what `python -m tests.unchanged_sweep` and `tests.audit_growth` print. The
# milliseconds are theirs, and as many for the network.
PROVED = (3_000, 30_000, 300_000)
VERSIONS_A_CALL, ROW_KB, LIST_WRITES, SWEEP_MS, AUDIT_MS = 1_000, 0.8, 0.05, 0.4, 0.6
# Table, checksums and search of the index, by attachment; 30 days of former ones are kept (template, lifecycle rules).
INDEX_BYTES, INDEX_FILES, KEPT_INDEXES = 520.0, 8, 31
# Each call takes one (zoho.com/bigin/developer/docs/apis/api-limits.html). The list of a record takes one more, which
# its attachments share; the table says so in words.
CREDITS_PER_DOWNLOAD = 1


def per_attachment(size_bytes: float, at_once: int) -> dict[str, float]:
    """Dollars by service for one attachment of its own record, announced by a webhook.

    ``at_once`` is how many share the worker's seconds: 1 where attachments come one by one, the worker's threads in a
    backlog.
    """
    busy_s = (FIRST_BYTE_S + size_bytes / DOWNLOAD_B_S + S3_S) / at_once
    messages = 10 if at_once > 1 else 1  # per batch
    # Three messages on the way, each sent, received and deleted: the record's in the record queue and then in the queue
    # of requests, and the attachment's.
    calls = 1 + 2 / messages
    price = {name: found.dollars for name, found in PRICES.items()}
    return {
        "Lambda": (busy_s + FIRST_BYTE_S / at_once) * WORKER_GIB * price["Lambda, arm64"]
        + busy_s * max(0.0, WORKER_TMP_GB - 0.5) * price["Lambda, /tmp"]
        # The webhook's receiver, and what hands the record on.
        + WEBHOOK_S * (1 + 1 / messages) * WEBHOOK_GIB * price["Lambda, arm64"]
        + (1 + 3 / messages) * price["Lambda, requests"],
        "API Gateway": price["API Gateway, REST"],
        "SQS": calls * price["SQS, FIFO"] + 2 * calls * price["SQS, standard"],
        "DynamoDB": (LEDGER_WRITES + CREDITS_WRITES / messages) * price["DynamoDB, writes"]
        + LEDGER_READS * price["DynamoDB, reads"],
        "S3 requests": 2 * price["S3, PUT and LIST"],
        "CloudWatch Logs": LOG_BYTES / GB * price["CloudWatch Logs"],
    }


def markdown() -> str:
    """All tables."""
    lines = [
        *_summary(),
        "",
        "## In detail",
        "",
        "`.venv/project/bin/python -m tests.bench.cost` computes these tables from list prices. The first figure is",
        "for attachments that a webhook announces one by one. The figure in brackets is for a backlog, where four",
        "attachments share the function's time.",
        "",
        "| dollars, one by one (in a backlog) | " + " | ".join(f"{n:,} x {s}" for n in COUNTS for s in SIZES) + " |",
        "| --- |" + " ---: |" * (len(COUNTS) * len(SIZES)),
    ]
    alone = {size: per_attachment(number, 1) for size, number in SIZES.items()}
    backlog = {size: per_attachment(number, WORKER_THREADS) for size, number in SIZES.items()}
    for service in next(iter(alone.values())):
        cells = [_pair(alone[s][service] * n, backlog[s][service] * n) for n in COUNTS for s in SIZES]
        lines.append(f"| {service} | {' | '.join(cells)} |")
    totals = [_pair(sum(alone[s].values()) * n, sum(backlog[s].values()) * n) for n in COUNTS for s in SIZES]
    lines.append(f"| **all** | {' | '.join(totals)} |")
    stored = [f"{number * n / GB * PRICES['S3, storage'].dollars:.2f}" for n in COUNTS for number in SIZES.values()]
    lines.append(f"| storage, each month | {' | '.join(stored)} |")
    used = [f"{CREDITS_PER_DOWNLOAD * n:,}" for n in COUNTS for _ in SIZES]
    lines.append(f"| Bigin API credits; one more for each record listed | {' | '.join(used)} |")
    lines += ["", *_idle(), "", *_proved(), "", *_prices()]
    return "\n".join(lines) + "\n"


def dollars(name: str, units: float, *, free: bool) -> float:
    """What so many units cost, less those that are given each month where ``free``."""
    price = PRICES[name]
    return price.dollars * max(0.0, units - (price.free if free else 0))


def idle(*, free: bool) -> float:
    """Dollars of a month in which nothing happens."""
    return sum(dollars(name, units, free=free) for name, units in IDLE.values())


def proving(attachments: int) -> dict[str, tuple[str, float]]:
    """What a month of nightly sweeps and audits uses, by item: the price, and how many of its units."""
    nights = DAYS
    listings = -(-attachments // VERSIONS_A_CALL) + 7  # each module's last page is not full
    return {
        "lists of versions, and the audit's files": ("S3, PUT and LIST", nights * (listings + INDEX_FILES)),
        "earlier indexes and reports, kept for 30 days": ("S3, storage", attachments * INDEX_BYTES * KEPT_INDEXES / GB),
        "reads of the ledger, by audit and sweep": ("DynamoDB, reads", nights * attachments * (ROW_KB / 4 + 1)),
        "writes of the sweep: its lists and its state": ("DynamoDB, writes", nights * attachments * LIST_WRITES),
        "function of the sweep": ("Lambda, arm64", nights * attachments * (SWEEP_MS + AUDIT_MS) / 1000 * SWEEP_GIB),
    }


def _summary() -> list[str]:
    rows = {
        "each month, without any file": idle(free=True),
        "to archive 1,000 files of 200 KB, once": 1_000 * sum(per_attachment(200 * KB, 1).values()),
        "to archive 1,000 files of 5 MB, once": 1_000 * sum(per_attachment(5 * MB, 1).values()),
        "to store 100 GB, each month": 100 * PRICES["S3, storage"].dollars,
        "with `Events` = `ON`, each month: polling one more queue": dollars("SQS, standard", LOOKS, free=False),
    }
    return ["| what | dollars |", "| --- | ---: |", *(f"| {what} | {usd:.2f} |" for what, usd in rows.items())]


def _idle() -> list[str]:
    lines = [
        f"A month in which nothing happens: **{idle(free=True):.2f} dollars**, {idle(free=False):.2f} without the free "
        "tier. That tier is for the whole AWS account, each month:",
        "",
        "| dollars a month, idle | units | without the free tier | with it |",
        "| --- | ---: | ---: | ---: |",
    ]
    for what, (name, units) in IDLE.items():
        cells = [dollars(name, units, free=free) for free in (False, True)]
        lines.append(f"| {what} | {_units(units)} | {cells[0]:.3f} | {cells[1]:.3f} |")
    return [*lines, f"| **all** | | {idle(free=False):.2f} | {idle(free=True):.2f} |"]


def _units(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.2g}"


def _proved() -> list[str]:
    lines = [
        "A sweep and an audit of everything each night cost in addition, by the number of attachments:",
        "",
        "| dollars a month | " + " | ".join(f"{count:,}" for count in PROVED) + " |",
        "| --- |" + " ---: |" * len(PROVED),
    ]
    for what in proving(1):
        cells = [dollars(*proving(count)[what], free=False) for count in PROVED]
        lines.append(f"| {what} | {' | '.join(f'{cell:.3f}' for cell in cells)} |")
    for title, free in (("**all**", False), ("**all, with the free tier**", True)):
        sums = [sum(dollars(*item, free=free) for item in proving(count).values()) for count in PROVED]
        lines.append(f"| {title} | {' | '.join(f'{cell:.2f}' for cell in sums)} |")
    return lines


def _pair(alone: float, backlog: float) -> str:
    return f"{alone:.4g}" if abs(alone - backlog) < alone / 100 else f"{alone:.3g} ({backlog:.3g})"


def _prices() -> list[str]:
    lines = [
        "| list price, us-east-1 | dollars | per | free each month | read at |",
        "| --- | ---: | --- | ---: | --- |",
    ]
    for name, price in PRICES.items():
        number = f"{price.dollars:.12f}".rstrip("0").rstrip(".")
        free = f"{price.free:,.0f}" if price.free else ""
        lines.append(f"| {name} | {number} | {price.unit} | {free} | {price.seen} |")
    return lines


if __name__ == "__main__":
    print(markdown())
