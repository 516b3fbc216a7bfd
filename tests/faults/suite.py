"""The kinds of faults by name: what `--only` takes, and where the table's rows come from."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.faults import (
    announcements,
    answers,
    aws_faults,
    bad_requests,
    cold_starts,
    crashes,
    deliveries,
    deployment,
    downloads,
    histories,
    leases,
    links,
    names,
    outage,
    races,
    restores,
    retention,
    space,
    tokens,
    unreachable,
    wrong_keys,
)
from tests.faults.lab import Lab
from tests.faults.tally import Row


@dataclass(frozen=True, slots=True)
class Kind:
    """One function of the suite. With ``in_pytest`` it is also in the short run of ``make test``."""

    name: str
    run: Callable[[Lab], Iterable[Row]]
    in_pytest: bool = False


# What takes too long for every run of the tests, in a shorter form.
SHORT_FORMS = (
    Kind("crash-short", crashes.crash_of_a_small_file, in_pytest=True),
    Kind("restore-crash-short", restores.crash_at_the_upload),
)
KINDS = (
    Kind("crash", crashes.crash_at_every_step),
    Kind("cut", downloads.cut),
    Kind("reset", downloads.reset),
    Kind("length", downloads.wrong_length, in_pytest=True),
    Kind("framing", downloads.framings, in_pytest=True),
    Kind("slow", downloads.slow),
    Kind("time", downloads.remaining_time),
    Kind("race", races.lost_races, in_pytest=True),
    Kind("conflict", races.conflicts, in_pytest=True),
    Kind("two-workers", races.real_races, in_pytest=True),
    Kind("s3", aws_faults.s3),
    Kind("secrets", aws_faults.secrets),
    Kind("sqs", aws_faults.sqs),
    Kind("dynamodb", leases.table_fails),
    Kind("tmp-full", space.full),
    Kind("memory", space.memory),
    Kind("final", answers.final, in_pytest=True),
    Kind("transient", answers.transient),
    Kind("429", answers.throttled),
    Kind("unreachable", unreachable.nobody_there, in_pytest=True),
    Kind("concurrency", answers.concurrency),
    Kind("listing", answers.listings, in_pytest=True),
    Kind("links", links.links, in_pytest=True),
    Kind("token", tokens.expired_at_each_call, in_pytest=True),
    Kind("token-secret", tokens.stored_badly),
    Kind("herd", tokens.herd, in_pytest=True),
    Kind("cold-starts", cold_starts.storm),
    Kind("refresh", tokens.refresh),
    Kind("clock", tokens.clocks, in_pytest=True),
    Kind("names", names.pure, in_pytest=True),
    Kind("names-in-s3", names.through_s3),
    Kind("requests", bad_requests.poison, in_pytest=True),
    Kind("webhooks", bad_requests.webhooks),
    Kind("outage", outage.six_hours, in_pytest=True),
    Kind("batch", deliveries.mixed_batches, in_pytest=True),
    Kind("deliveries", deliveries.shuffled, in_pytest=True),
    Kind("histories", histories.any_order, in_pytest=True),
    Kind("template", deployment.as_deployed, in_pytest=True),
    Kind("retention", retention.outlasting, in_pytest=True),
    Kind("wrong-keys", wrong_keys.refused, in_pytest=True),
    Kind("announcements", announcements.announced, in_pytest=True),
    Kind("aws-stall", aws_faults.stalls_near_the_end),
    Kind("restore-crash", restores.crash_at_every_step),
    Kind("restore", restores.many_files, in_pytest=True),
)
