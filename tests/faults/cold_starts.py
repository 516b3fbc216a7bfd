"""Many containers start at the same moment: each reads its secret once, and they do not overrun Bigin."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from tests.faults.event_source import EventSource
from tests.faults.lab import Lab
from tests.faults.tally import Row

CONTAINERS = 40
BATCH = 10


def storm(lab: Lab) -> Iterator[Row]:
    """Gives a batch to each of many cold containers, all at once."""
    with lab.bench() as bench:
        workers = [bench.worker() for _ in range(lab.scaled(CONTAINERS, least=4))]
        bench.send(*[bench.file(300) for _ in range(BATCH * len(workers))])
        batches = [bench.source.receive() for _ in workers]
        before = bench.aws_relay.counts["secrets.get"]
        sources = [EventSource(bench.aws.sqs, bench.aws.queue_url) for _ in workers]
        with ThreadPoolExecutor(len(workers)) as pool:
            list(pool.map(lambda source, batch, worker: source.handle(batch, worker.invoke), sources, batches, workers))
        looks = bench.aws_relay.counts["secrets.get"] - before
        for source in sources:
            source.let_time_pass()
        bench.drain()
        bench.injected(lambda: len(workers) * BATCH)
        row = bench.row("cold starts at the same moment", f"{len(workers)} containers, {looks} looks at the secret")
        if looks > len(workers):
            row.complaints.append(f"{looks} looks at the token's secret by {len(workers)} containers")
        yield row
