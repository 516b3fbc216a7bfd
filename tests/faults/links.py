"""Links among the attachments are kept as shortcuts. They are never followed or fetched."""

from collections.abc import Iterator

from tests.faults.lab import Lab
from tests.faults.tally import Row

RECORDS = 10


def links(lab: Lab) -> Iterator[Row]:
    """Lists links to Bigin's own host and to others among files, and requests some by themselves."""
    with lab.bench() as bench:
        for number in range(RECORDS):
            record_id = str(83_000 + number)
            addresses = (f"{bench.bigin.url}/{number}", f"{lab.bigin_relay.url}/{number}", "https://example.com/?a=b&c")
            requests = [bench.link(url, f"link {url[:4]}", record_id=record_id) for url in addresses]
            for request in requests:
                bench.injected(lambda: 1, request)
            bench.file(100, record_id=record_id)
            bench.send({"module": "Contacts", "record_id": record_id})
            bench.drain()
            bench.send(*requests, {"module": "Contacts", "record_id": record_id})  # once more, and by themselves
        bench.drain()
        alone = bench.link("https://example.com/", "alone")
        bench.send(alone)
        bench.drain()
        row = bench.row("link among the files")
        followed = bench.bigin.calls()["by_call"].get("other", 0) + sum(bench.bigin_relay.counts.values())
        if followed:
            row.complaints.append(f"links were followed {followed} times")
        yield row
