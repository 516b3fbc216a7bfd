"""A worker's process is killed before and after every side effect, once and twice; its messages come back."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.faults.bench import Bench, Request
from tests.faults.lab import Lab
from tests.faults.relay import PHASES, Kill
from tests.faults.runtime import CrashedError, WorkerProcess
from tests.faults.tally import Row
from tests.lambdas import api_event

MIB = 1024 * 1024
_HAS_HALF = ("s3.put", "bigin.download")  # calls whose bodies are worth a kill in their middle
ERROR = {"status": "error", "message": "m", "details": {}}


@dataclass(frozen=True, slots=True)
class Flow:
    """A way through the worker, with the calls that only it makes."""

    name: str
    calls: tuple[str, ...]
    prepare: Callable[[Bench], Request]
    env: dict[str, str] = field(default_factory=dict)


def _framed(framing: str) -> Callable[[Bench], Request]:
    def prepare(bench: Bench) -> Request:
        request = bench.file(2000, record_id=str(90000 + len(bench.expected_outcomes)))
        bench.bigin.fault({"kind": "framing", "framing": framing}, times=None, attachment_id=request["attachment_id"])
        return request

    return prepare


def _refused(bench: Bench) -> Request:
    request = bench.file(10, outcome="bigin_refused")
    bench.bigin.answer(403, {"code": "NO_PERMISSION", **ERROR}, attachment_id=request["attachment_id"], times=None)
    return request


def _cut_once(bench: Bench) -> Request:
    request = bench.file(2000)
    bench.bigin.fault({"kind": "cut", "after": "half"}, attachment_id=request["attachment_id"])
    return request


def _record(bench: Bench) -> Request:
    record_id = str(95000 + len(bench.expected_outcomes))
    requests = [bench.file(100, record_id=record_id) for _ in range(3)]
    return {"module": requests[0]["module"], "record_id": record_id}


def _links(bench: Bench) -> Request:
    record_id = str(97000 + len(bench.expected_outcomes))
    requests = [bench.link(f"https://example.com/{number}", "a link", record_id=record_id) for number in range(2)]
    return {"module": requests[0]["module"], "record_id": record_id}


FLOWS = (
    Flow("small file", ("secrets.get", "s3.list", "bigin.download", "s3.put"), lambda bench: bench.file(2000)),
    Flow("streamed file", ("bigin.download", "s3.put", "s3.head"), lambda bench: bench.file(3 * MIB)),
    Flow("spooled file", ("bigin.download", "s3.put"), _framed("chunked")),
    Flow("file of unknown length", ("bigin.download", "bigin.list", "s3.put"), _framed("close")),
    Flow("refused file", ("bigin.download", "sqs.send-one"), _refused),
    Flow("cut file", ("bigin.download", "sqs.delay"), _cut_once),
    Flow("record", ("bigin.list", "sqs.send-batch"), _record),
    Flow("record of links", ("s3.list", "s3.put"), _links),
)


def crash_at_every_step(lab: Lab) -> Iterator[Row]:
    """Kills the worker in each flow, at each call, in each phase, once and twice."""
    for times in (1, 2):
        row = Row(f"worker killed, {'once' if times == 1 else 'twice'}")
        points = 0
        for flow in FLOWS:
            with lab.bench() as bench:
                bench.through_bigin_relay()
                points += _crash(bench, flow, times)
                _add(row, bench.row(flow.name))
        row.note = f"{points} points"
        yield row
    yield _api(lab)


def crash_of_a_small_file(lab: Lab) -> Iterator[Row]:
    """Kills the worker in the first flow only, once."""
    with lab.bench() as bench:
        bench.through_bigin_relay()
        points = _crash(bench, FLOWS[0], 1)
        yield bench.row("worker killed over a small file", f"{points} points")


def _crash(bench: Bench, flow: Flow, times: int) -> int:
    points = 0
    for call in flow.calls:
        for phase in PHASES:
            if phase == "midway" and call not in _HAS_HALF:
                continue
            if call == "secrets.get":
                bench.next_is_cold()
            request = flow.prepare(bench)
            relay = bench.bigin_relay if call.startswith("bigin.") else bench.aws_relay
            rule = relay.fault(Kill(phase), call, times=times)
            bench.injected(lambda rule=rule: rule.fired)  # type: ignore[misc]
            bench.send(request)
            bench.drain()
            bench.disarm()
            points += 1
    return points


def _api(lab: Lab) -> Row:
    """Does the same to POST /attachments: a caller who got no answer asks again."""
    with lab.bench() as bench:
        bench.through_bigin_relay()
        for call in ("secrets.get", "s3.list", "bigin.download", "s3.put"):
            for phase in PHASES:
                request = bench.file(2000)
                relay = bench.bigin_relay if call.startswith("bigin.") else bench.aws_relay
                rule = relay.fault(Kill(phase), call)
                bench.injected(lambda rule=rule: rule.fired, request)  # type: ignore[misc]
                _post_until_answered(bench, request)
                bench.end_leases()
        return bench.row("API function killed")


def _post_until_answered(bench: Bench, request: Request) -> None:
    for _ in range(3):
        function = WorkerProcess(bench.env, bench.functions, bench.log, "archive_now")
        bench.aws_relay.on_kill = bench.bigin_relay.on_kill = function.kill
        try:
            if function.invoke(api_event(request), 29)["statusCode"] in (200, 201):
                return
        except CrashedError:
            bench.end_leases()
        finally:
            function.stop()


def _add(total: Row, part: Row) -> None:
    for name in ("injected", "survived", "lost", "wrong", "extra", "files", "calls"):
        setattr(total, name, getattr(total, name) + getattr(part, name))
    total.complaints += [f"{part.kind}: {text}" for text in part.complaints]
