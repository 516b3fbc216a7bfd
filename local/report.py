"""What the demo and `make up` show on the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from local.demo import Archived, Probe
from local.package import PROJECT
from local.proof import Proof
from local.stack import LocalStack

UNITS = ("B", "KiB", "MiB", "GiB")
LABELS = {
    "AWS endpoint": "aws_endpoint_url",
    "API": "api_url",
    "Callers": "callers_url",
    "Bucket": "bucket",
    "Queue": "queue_url",
    "Dead letters": "dead_letter_queue_url",
    "Events": "event_queue_url",
    "Bigin": "bigin_api_url",
}
NAME_SHOWN = 44  # characters
SHA256_SHOWN, SHA256_WHOLE = 12, 64  # hexadecimal digits
WIDE = 160  # columns in which whole checksums have room


def size_text(size_bytes: float) -> str:
    for unit in UNITS:
        if size_bytes < 1024 or unit == UNITS[-1]:
            break
        size_bytes /= 1024
    return f"{size_bytes:.0f} {unit}" if unit == "B" else f"{size_bytes:.1f} {unit}"


def _short(name: str) -> str:
    """Shorten a name to NAME_SHOWN characters, and replace what cannot be printed by question marks."""
    printable = "".join(character if character.isprintable() else "?" for character in name)
    half = NAME_SHOWN // 2
    return printable if len(printable) <= NAME_SHOWN else f"{printable[:half]}…{printable[1 - half :]}"


def _digits(sha256: str, shown: int) -> str:
    return sha256 if shown >= len(sha256) else f"{sha256[:shown]}…"


def show_files(console: Console, files: Iterable[Archived]) -> None:
    """Print the table. Names are wrapped in Text, or rich would interpret their square brackets."""
    table = Table(title="In S3 now", title_justify="left", title_style="bold", header_style="bold")
    table.add_column("Module")
    table.add_column("File name in S3", overflow="fold", ratio=1)
    table.add_column("Size", justify="right", no_wrap=True)
    table.add_column("SHA-256", no_wrap=True)
    table.add_column("Sent by", no_wrap=True)
    table.add_column("Compared with Bigin", overflow="fold")
    shown = SHA256_WHOLE if console.width >= WIDE else SHA256_SHOWN
    for file in files:
        content = file.stored
        table.add_row(
            file.attachment.module,
            Text(_short(file.key)) if file.key else Text(_short(file.attachment.name), style="dim"),
            size_text(content.size_bytes) if content else "",
            _digits(content.sha256, shown) if content else "",
            ", ".join(file.ways),
            Text(file.verdict, style="green" if file.good else "bold red"),
        )
    console.print(table)


def show_probes(console: Console, probes: Iterable[Probe]) -> None:
    table = Table(title="What else can happen", title_justify="left", title_style="bold", header_style="bold")
    table.add_column("What was done", overflow="fold")
    table.add_column("Result", overflow="fold", ratio=1)
    for probe in probes:
        table.add_row(Text(probe.deed), Text(probe.outcome, style="green" if probe.good else "bold red"))
    console.print(table)


def show_summary(console: Console, files: list[Archived], proof: Proof | None, stack: LocalStack) -> None:
    kept = [file for file in files if file.good and file.stored and file.served]
    bad = [file for file in files if not file.good]
    volume = size_text(sum(file.stored.size_bytes for file in kept if file.stored))
    line = (
        f"{len(kept)} files, {volume}: every byte in S3 equals what Bigin served."
        if not bad
        else f"{len(bad)} of {len(files)} attachments are NOT as Bigin served them."
    )
    console.print(line, style="bold green" if not bad else "bold red")
    if proof:
        colour = "green" if proof.good else "red"
        console.print(f"The audit of the whole account: {proof.verdict}. {proof.sentence}", style=f"bold {colour}")
        console.print(f"Open its page in a browser: {_relative(proof.page)}", soft_wrap=True, markup=False)
    console.print("What to do next:")
    console.print("  make up     starts the same stack and leaves it running. It prints how to open the console")
    console.print("  docs/       says how to deploy it to AWS, how to connect it to Bigin, and how to run it")
    console.print(f"The logs of this run: {_relative(stack.logs)}", soft_wrap=True)


def show_how_to_use(console: Console, stack: LocalStack) -> None:
    """For `make up`: where everything is, and what to try first."""
    about = stack.description
    table = Table.grid(padding=(0, 2))
    for label, key in LABELS.items():
        if key in about:
            table.add_row(f"  {label}", Text(about[key], overflow="fold"))
    console.print(table)
    console.print(
        f"  The same for programs: {_relative(stack.directory / 'stack.json')}    Logs: {_relative(stack.logs)}",
        soft_wrap=True,
    )
    console.print("A signed request, for example:")
    curl = [
        f"curl --cacert {about['ca_bundle']} --aws-sigv4 aws:amz:{about['region']}:execute-api --user test:test",
        "-H 'Content-Type: application/json'",
        """-d '{"module": "Contacts", "record_id": "...", "attachment_id": "..."}'""",
        f"{about['api_url']}/attachments",
    ]
    console.print("  " + " \\\n    ".join(curl), soft_wrap=True, markup=False)
    console.print("To try the commands, in another terminal, in this folder:")
    console.print(f"  . {_relative(stack.directory / 'env')}", soft_wrap=True, markup=False)
    for command in ("doctor", "sweep --watch", "console"):
        console.print(f"  .venv/project/bin/bigin-archive {command}", soft_wrap=True, markup=False)
    if url := about.get("console_url"):
        console.print(
            "To try the console as the office sees it, after a sweep (your browser does not know its certificate):"
        )
        console.print(f"  {url}", soft_wrap=True, markup=False)
        console.print("  .venv/project/bin/bigin-archive console invite you@example.com", markup=False)
        console.print(
            f"  curl -s --cacert {about['ca_bundle']} {about['aws_endpoint_url']}/_ministack/ses/messages"
            "    # the mail with the password",
            soft_wrap=True,
            markup=False,
        )
    console.print("Ctrl-C stops it.")


def _relative(path: Path) -> Path:
    return path.relative_to(PROJECT) if path.is_relative_to(PROJECT) else path
