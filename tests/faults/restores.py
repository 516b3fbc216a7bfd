"""Sends files back to Bigin while the process is killed before and after every side effect; and 2,000 files at once."""

from collections import Counter
from collections.abc import Iterator, Sequence

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.bigin.listing import Link
from bigin_archive.ledger.ledger_entry import LedgerEntry
from bigin_archive.settings import DataCenter
from bigin_archive.storage import link_shortcut
from operate.restore.grant import scope_line
from operate.restore.notes import RestoreNotes
from operate.stack.archive import Archive as OperatorsArchive
from operate.stack.stack import Stack
from tests.archived import PREFIX, Archive
from tests.aws import Aws
from tests.faults import paths
from tests.faults.lab import Lab
from tests.faults.relay import PHASES, Kill, Phase
from tests.faults.runtime import CommandProcess
from tests.faults.tally import Row
from tests.functional.test_operate_stack import deploy

FILES, KILLS, FILES_OF_A_RECORD = 2000, 20, 20
TIMEOUT_S = 900  # for one run
MOST_RUNS = 10  # after the last kill
KINDS = ("pdf", "docx", "xlsx", "png", "jpg", "txt", "csv", "zip", "html", "json")
SCRIPTS = ("Angebot", "Þórdís", "Смета", "عرض", "见积书", "सूची", "견적서", "הצעה")
# A tenth of all calls of each kind.
FAULTY = (
    ("upload", {"kind": "reset-before-headers"}, 0.04),
    ("upload", {"kind": "answer", "status": 503}, 0.03),
    ("upload", {"kind": "answer", "status": 429, "body": {"code": "TOO_MANY_REQUESTS", "message": "concurrent"}}, 0.03),
    ("list", {"kind": "answer", "status": 500}, 0.05),
    ("list", {"kind": "cut", "after": "half"}, 0.05),
    ("download", {"kind": "cut", "after": "half"}, 0.05),
    ("download", {"kind": "answer", "status": 503}, 0.05),
)
UPLOAD = ("bigin.upload", 0, PHASES)
OTHER = ("arrived", "committed", "answered")
# The calls of a run over two files and a link, in their order: name, how many of that name come before, when.
POINTS: tuple[tuple[str, int, Sequence[Phase]], ...] = (
    ("DynamoDB_20120810.Query", 0, ("answered",)),
    ("DynamoDB_20120810.PutItem", 0, OTHER),  # the grant is noted
    ("bigin.token", 0, OTHER),
    ("bigin.list", 0, OTHER),
    ("s3.head", 0, ("answered",)),
    ("s3.get", 0, ("arrived", "midway", "answered")),
    UPLOAD,
    ("bigin.upload", 1, PHASES),
    ("bigin.upload", 2, PHASES),
    ("bigin.list", 1, OTHER),
    ("bigin.download", 0, PHASES),
    ("bigin.download", 1, PHASES),
    ("s3.put", 0, PHASES),  # the first copy is noted in S3
    ("DynamoDB_20120810.PutItem", 1, OTHER),  # its row
    ("dynamodb.update", 0, OTHER),  # the original's row
    ("s3.put", 2, PHASES),
    ("bigin.revoke", 0, OTHER),
    ("DynamoDB_20120810.DeleteItem", 0, OTHER),  # the grant's note
)


class Way:
    """The archive of one stack, whose files go back to Bigin through the relays."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        lab.simulator.reset()
        lab.simulator.control("PATCH", "settings", {"api_domain": lab.bigin_relay.url})
        self.aws = Aws(lab.emulator, lab.bigin_relay.url)
        self.archive = Archive(self.aws, lab.simulator)
        self.archive.empty_bigin()
        self.stack = deploy(self.aws)
        self.runs = 0

    def __enter__(self) -> "Way":
        return self

    def __exit__(self, *_: object) -> None:
        self.lab.aws_relay.clear()
        self.lab.bigin_relay.clear()
        self.lab.simulator.control("PATCH", "settings", {"api_domain": None})

    def files(self, count: int, record_id: str, **fields: str) -> list[LedgerEntry]:
        """Archived files of a record that has none of them in Bigin."""
        self.lab.simulator.control("POST", "records", {"module": "Contacts", "record_id": record_id})
        return self.archive.new(count, module="Contacts", record_id=record_id, **fields)

    def link(self, record_id: str) -> LedgerEntry:
        """An archived link of a record."""
        (made,) = self.files(1, record_id)
        self.archive.drop_row(made)
        link = Link("Zeichnung", "https://example.com/?a=b")
        request = ArchiveRequest("Contacts", record_id, f"{made.attachment_id}7")
        attributes, body = link_shortcut.shortcut(PREFIX, request, link)
        stored = self.archive.storage.put(attributes, body)
        entry = LedgerEntry(
            request.module, record_id, str(request.attachment_id), "link", key=stored.key, version_id=stored.version_id,
            size_bytes=stored.size_bytes, sha256=stored.sha256, file_name=link.title, archived_at=made.archived_at,
        )  # fmt: skip
        assert self.archive.ledger.put(entry)
        return entry

    def run(self, *arguments: str, aws_relay: bool = True) -> int:
        """Run the command once, which a relay may kill; return its exit status."""
        self.runs += 1
        code = f"code-{self.runs}"
        self.lab.simulator.control("POST", "codes", {"code": code, "scope": scope_line(("Contacts",))})
        env = {
            **self.aws.environment,
            "BIGIN_CLIENT_ID": "test",
            "BIGIN_CLIENT_SECRET": "test",
            "BIGIN_GRANT_CODE": code,
            **({"AWS_ENDPOINT_URL": self.lab.aws_relay.url} if aws_relay else {}),
        }
        command = ["restore", "--stack", self.stack, "--yes", "--json", *arguments]
        process = CommandProcess(command, env, paths.FUNCTIONS, self.lab.log)
        self.lab.aws_relay.on_kill = self.lab.bigin_relay.on_kill = process.kill
        return process.wait(TIMEOUT_S)

    def open_grants(self) -> int:
        """How many grants are reported as not revoked."""
        hosts, names = DataCenter(self.lab.bigin_relay.url, self.lab.bigin_relay.url), Stack.__dataclass_fields__
        stack = Stack(**{**dict.fromkeys(names, ""), "hosts": hosts, "ledger_table": self.aws.ledger_table})  # type: ignore[arg-type]
        operators = OperatorsArchive(stack, self.aws.dynamodb, self.archive.ledger, self.archive.inventory)
        return len(RestoreNotes(operators).open_grants())

    def judge(self, row: Row, entries: Sequence[LedgerEntry]) -> list[str]:
        """Count in ``row`` what is not there exactly once, with its bytes, and known to the ledger."""
        wanted = Counter((entry.record_id, entry.file_name, _told(entry)) for entry in entries)
        ids = {entry.record_id for entry in entries}
        found = Counter(
            (one["record_id"], one["file_name"], "link" if one["kind"] == "link" else one["sha256"])
            for one in self.lab.simulator.attachments()
            if one["record_id"] in ids
        )
        there = {(record_id, name) for record_id, name, _ in found}
        missing, extra = wanted - found, found - wanted
        wrong = [key for key in missing if key[:2] in there]
        rows = self.archive.ledger.find([entry.request for entry in entries])
        unknown = [place for place, known in rows.items() if not known.restored_as]
        row.files += len(entries)
        row.lost += missing.total() - len(wrong)
        row.wrong += len(wrong)
        row.extra += extra.total()
        names = {"missing or wrong": list(missing), "too many": list(extra), "unknown to the ledger": unknown}
        return [f"{name}: {kept[:3]}" for name, kept in names.items() if kept]


def _told(entry: LedgerEntry) -> str:
    return "link" if entry.state == "link" else str(entry.sha256)


def crash_at_every_step(lab: Lab) -> Iterator[Row]:
    """Kills the command at each call, in each phase, once and twice."""
    for times in (1, 2):
        yield _crash(lab, POINTS, times, f"restore killed, {'once' if times == 1 else 'twice'}")


def crash_at_the_upload(lab: Lab) -> Iterator[Row]:
    """Kills the command at the upload only, once."""
    yield _crash(lab, (UPLOAD,), 1, "restore killed at the upload")


def _crash(lab: Lab, points: Sequence[tuple[str, int, Sequence[Phase]]], times: int, name: str) -> Row:
    row = Row(name)
    with Way(lab) as way:
        cases = [(call, skip, phase) for call, skip, phases in points for phase in phases]
        for number, (call, skip, phase) in enumerate(cases):
            record_id = f"{88_000 + number}"
            entries = [*way.files(2, record_id), way.link(record_id)]
            relay = lab.bigin_relay if call.startswith("bigin.") else lab.aws_relay
            rules = []
            for _ in range(times):
                rules.append(relay.fault(Kill(phase), call, skip=skip))
                status = way.run("--record", f"Contacts/{record_id}")
                relay.disarm()
            if status != 0:
                status = way.run("--record", f"Contacts/{record_id}")
            fired = sum(rule.fired for rule in rules)
            row.injected += fired
            complaints = way.judge(row, entries)
            complaints += [] if status == 0 else [f"the last run ended with {status}"]
            # Once the files are there, a repetition makes fewer calls: then the second kill has nothing to strike.
            complaints += [] if rules[0].fired else ["the fault never struck"]
            row.survived += 0 if complaints else fired
            row.complaints += [f"{call} {skip} {phase}: {text}" for text in complaints]
        living = lab.simulator.control("GET", "tokens")["refresh_tokens"] - 1
        if living > way.open_grants():
            row.complaints.append(f"{living} grants live, {way.open_grants()} are told")
        row.note = f"{len(cases)} points, {way.runs} runs"
    return row


def many_files(lab: Lab) -> Iterator[Row]:
    """Sends files to an empty account while a tenth of the calls fail and the command is killed at random."""
    count, kills = lab.scaled(FILES, 40), lab.scaled(KILLS, 3)
    choose = lab.random("restore")
    row = Row("files restored, killed at random")
    with Way(lab) as way:
        entries = _named(way, count)
        lab.simulator.control("DELETE", "calls")
        for call, fault, fraction in FAULTY:
            lab.simulator.fault(fault, call=call, fraction=fraction, seed=lab.seed, times=None)
        for _ in range(2 * kills):  # a run may end before its kill, where too many calls in a row are faulty
            if row.injected == kills:
                break
            phase: Phase = choose.choice(PHASES)
            rule = lab.bigin_relay.fault(Kill(phase), "bigin.", skip=choose.randrange(2, 2 + count // 8))
            way.run("--module", "Contacts", aws_relay=False)
            lab.bigin_relay.disarm()
            row.injected += rule.fired
        status = 1
        for _ in range(MOST_RUNS):
            status = way.run("--module", "Contacts", aws_relay=False)
            if status == 0:
                break
        struck = row.injected
        row.injected += sum(int(rule["fired"]) for rule in lab.simulator.control("GET", "faults"))
        row.complaints += way.judge(row, entries)
        row.complaints += [] if status == 0 else [f"the last run ended with {status}"]
        row.survived = 0 if row.complaints else row.injected
        used, records = lab.simulator.calls()["credits_used"], len({entry.record_id for entry in entries})
        least = 2 * count + 2 * records
        row.calls = used
        row.note = (
            f"{count} files, {struck} kills, {row.injected - struck} faulty calls; credits {used} of {least} at least"
        )
    yield row


def _named(way: Way, count: int) -> list[LedgerEntry]:
    """Files of ten kinds, with names in eight scripts."""
    made: list[LedgerEntry] = []
    for start in range(0, count, FILES_OF_A_RECORD):
        record_id = f"{89_000 + start}"
        entries = way.files(min(FILES_OF_A_RECORD, count - start), record_id)
        for number, entry in enumerate(entries, start):
            name = f"{SCRIPTS[number % len(SCRIPTS)]} {number}.{KINDS[number % len(KINDS)]}"
            made.append(way.archive.change_row(entry, file_name=name))
    return made
