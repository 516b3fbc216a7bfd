"""The report of an audit, as it lies in the bucket."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bigin_archive.archive_request import MODULES
from bigin_archive.audit.auditor import latest
from bigin_archive.clock import parse
from tests.histories import clients
from tests.histories.world import World

TOLD_ONLY = ("removed_before_archived", "adopted_object", "changed_in_bigin", "removed_in_bigin")


@dataclass(frozen=True, slots=True)
class Report:
    """A report in the bucket. ``differences`` are kinds by place, or by path if there is no place."""

    verdict: str
    as_of_s: float | None
    listed_s: float
    not_covered: list[str]
    failure: str | None
    differences: dict[str, set[str]]
    strange: set[str]  # paths of unknown objects


def read(world: World, modules: Sequence[str] = MODULES) -> Report:
    """Read the last report."""
    found = world.bucket.current(f"{clients.PREFIX}{latest(modules)}.json")
    told = json.loads(found.body or b"") if found else {}
    differences: dict[str, set[str]] = {}
    strange = set()
    for each in told["differences"]:
        if each["kind"] == "unknown_object":
            strange.add(each["key"].removeprefix(clients.PREFIX))
            continue
        place = f"{each['module']}/{each['record_id']}/{each['attachment_id']}"
        differences.setdefault(place, set()).add(each["kind"])
    return Report(
        told["verdict"],
        seconds(told["complete_as_of"]),
        seconds(told["listed_at"]) or 0,
        [each for each in told["not_covered"] if not each.startswith("Modules that were left out")],
        told["failure"],
        differences,
        strange,
    )


def seconds(text: str | None) -> float | None:
    moment = parse(text)
    return moment.timestamp() if moment else None
