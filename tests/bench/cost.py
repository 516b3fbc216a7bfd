"""What archiving costs: dollars by service from list prices, and Bigin's API credits. Prints Markdown.

List prices of us-east-1 without free tiers, discounts, taxes. Storage and the fixed costs of a month stand apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass

KB, MB, GB = 1e3, 1e6, 1e9
GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars for one unit. ``seen`` names where and when it was read; empty where it could not be confirmed."""

    dollars: float
    unit: str
    seen: str = ""


PRICES: Mapping[str, Price] = {
    "Lambda, arm64": Price(0.0000133334, "GB-second", "aws.amazon.com/lambda/pricing, by cloudchipr.com, 2024"),
    "Lambda, requests": Price(0.20 / 1e6, "request", "aws.amazon.com/lambda/pricing, by cloudchipr.com, 2024"),
    "Lambda, /tmp": Price(0.0000000309, "GB-second beyond 0.5 GB"),
    "DynamoDB, on demand": Price(
        0.625 / 1e6,
        "write request of up to 1 KB",
        "airbyte.com/data-engineering-resources/dynamodb-pricing, 2025-07-21",
    ),
    "API Gateway, REST": Price(3.50 / 1e6, "call", "go-cloud.io/aws-api-gateway-pricing, 2026"),
    "SQS, standard": Price(0.40 / 1e6, "call", "cloudburn.io/blog/amazon-sqs-pricing, 2026-03"),
    "SQS, FIFO": Price(0.50 / 1e6, "call", "cloudburn.io/blog/amazon-sqs-pricing, 2026-03"),
    "S3, PUT and LIST": Price(0.005 / 1e3, "call", "cloudkaramchari.com, undated"),
    "S3, storage": Price(0.023, "GB and month", "gist of bahrmichael, 2020-12-27"),
    "CloudWatch Logs": Price(0.50, "GB ingested", "go-cloud.io/aws-api-gateway-pricing, 2026"),
    "CloudWatch, metric": Price(0.30, "metric and month"),
    "CloudWatch, alarm": Price(0.10, "alarm and month", "c3x.dev/resources/aws/aws_cloudwatch_metric_alarm, undated"),
    "CloudWatch, dashboard": Price(3.00, "dashboard and month"),
    "Secrets Manager": Price(0.40, "secret and month"),
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
# One line of the worker, its share of a metrics line and of Lambda's own lines; the same of the webhook receiver.
LOG_BYTES = 2_000.0
FIXED: Mapping[str, tuple[str, int]] = {
    "secrets (credentials, token, webhook)": ("Secrets Manager", 3),
    "metrics that alarms look at": ("CloudWatch, alarm", 10),
    "metrics": ("CloudWatch, metric", 10),
    "dashboard, the first three of an account are free": ("CloudWatch, dashboard", 1),
}
# One for each call (zoho.com/bigin/developer/docs/apis/api-limits.html): the download; and the listing of a record,
# shared by all its attachments.
CREDITS_PER_DOWNLOAD, CREDITS_PER_LISTING = 1, 1


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
        "DynamoDB": (LEDGER_WRITES + CREDITS_WRITES / messages) * price["DynamoDB, on demand"],
        "S3 requests": 2 * price["S3, PUT and LIST"],
        "CloudWatch Logs": LOG_BYTES / GB * price["CloudWatch Logs"],
    }


def markdown() -> str:
    """All tables."""
    lines = [
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
    lines.append(f"| Bigin credits, and one for each record listed | {' | '.join(used)} |")
    fixed = {name: PRICES[price].dollars * count for name, (price, count) in FIXED.items()}
    parts = ", ".join(f"{name} {dollars:.2f}" for name, dollars in fixed.items())
    lines += ["", f"Besides, each month: {sum(fixed.values()):.2f} dollars ({parts}).", "", *_prices()]
    return "\n".join(lines) + "\n"


def _pair(alone: float, backlog: float) -> str:
    return f"{alone:.4g}" if abs(alone - backlog) < alone / 100 else f"{alone:.3g} ({backlog:.3g})"


def _prices() -> list[str]:
    lines = ["| list price, us-east-1 | dollars | per | read at |", "| --- | ---: | --- | --- |"]
    for name, price in PRICES.items():
        lines.append(
            f"| {name} | {price.dollars:.12f}".rstrip("0") + f" | {price.unit} | {price.seen or 'not confirmed'} |"
        )
    return lines


if __name__ == "__main__":
    print(markdown())
