"""What an audit must say, from the truth alone: what Bigin held, what lies in S3, and what stood in the table.

Each report is asked two questions: is all of it true, and does it say everything that it must? If Bigin changed while
its lists were read, either of two answers may be right, and only the first question is asked.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from bigin_archive.archive_request import MODULES
from tests.histories import clients
from tests.histories.dynamodb import Item
from tests.histories.journal import claimed
from tests.histories.report import TOLD_ONLY, Report, seconds
from tests.histories.s3 import Version
from tests.histories.stranger import Stranger
from tests.histories.world import World

OWN_FOLDERS = ("_index/", "_audit/", "_restored/")
_MISSING = ("missing_object", "not_archived", "parked", "gone_but_listed")
_SECOND_S = 2  # S3 tells its time in whole seconds

Rows = Mapping[tuple[str, ...], Item]


class Oracle:
    """Judges the report of one audit, made just now; ``rows`` are those that the table had when it began."""

    def __init__(
        self, world: World, stranger: Stranger, rows: Rows, report: Report, modules: Sequence[str] = MODULES
    ) -> None:
        self._world, self._stranger, self._report = world, stranger, report
        self._modules = modules
        self._rows = {"/".join(key): item for key, item in rows.items() if not key[0].startswith("#")}
        self._truth, self._now_s = world.truth, world.clock()
        self._since_s = min(report.listed_s, report.as_of_s or report.listed_s) - _SECOND_S
        self._objects: dict[str, dict[str, Version]] = {}  # what stands now, by place and key
        self._elsewhere: set[str] = set()
        self._sort_objects()

    def violations(self, *, may_be_partial: bool) -> Iterator[str]:
        """What is wrong with the report. With ``may_be_partial`` it had a reason to leave something out."""
        report = self._report
        if report.failure:
            return
        told = {place: kinds - set(TOLD_ONLY) for place, kinds in report.differences.items()}
        is_clean = not any(told.values()) and not report.strange and not report.not_covered
        is_clean = is_clean and self._modules == MODULES
        if (report.verdict == "complete") is not is_clean:
            yield f"the verdict is {report.verdict}, the report says otherwise"
        if report.not_covered and not may_be_partial:
            yield f"left out without a reason: {report.not_covered[0]}"
        if report.as_of_s and report.as_of_s > self._now_s + _SECOND_S:
            yield "complete as of a time to come"
        if report.verdict == "complete":
            yield from self._missing_from_a_complete_one()
        for place, kinds in report.differences.items():
            for kind in kinds:
                if place not in self._world.moved and not self._is_true(place, kind):
                    yield f"{place}: {kind} is invented"
        for path in report.strange ^ self._strange():
            if "/".join(path.split("/")[:3]) not in self._world.moved:
                yield f"{path}: unknown_object is {'invented' if path in report.strange else 'not told'}"
        for place in {*self._truth.past, *self._objects, *self._rows}:
            if place.partition("/")[0] not in self._modules:
                continue
            if place not in self._world.moved and self._truth.is_steady(place, self._since_s):
                yield from self._untold(place)

    def _missing_from_a_complete_one(self) -> Iterator[str]:
        as_of_s = self._report.as_of_s
        if as_of_s is None:
            yield "complete, and nobody knows as of when"
            return
        for place, past in self._truth.past.items():
            for held in past:
                is_listed_since = held.from_s < as_of_s - _SECOND_S and held.until_s is None
                if is_listed_since and not self._is_archived(place, is_link=held.body is None):
                    yield f"{place}: complete, and it is not archived"

    def _is_archived(self, place: str, *, is_link: bool) -> bool:
        """Whether S3 holds something that Bigin had, with its bytes. A difference in size is told by itself."""
        bodies = self._truth.bodies(place)
        return any(_is_link(found) if is_link else found.body in bodies for found in self._own(place).values())

    def _untold(self, place: str) -> Iterator[str]:
        """What the report should say, and does not, of an attachment that did not change in Bigin."""
        kinds = self._report.differences.get(place, set())
        grave, own = kinds - set(TOLD_ONLY), self._own(place)
        attachment = self._truth.places().get(place)
        is_listed = attachment is not None and bool(self._truth.past.get(place))
        if is_listed and attachment:
            fitting = [each for each in own.values() if _is_link(each) is (attachment.kind == "link")]
            if not fitting:
                if not grave.intersection(_MISSING) and not self._is_uncovered(place):
                    yield f"{place}: nothing is archived, and the report says {sorted(kinds) or 'nothing'}"
                return
            own = {key: each for key, each in own.items() if each in fitting}
        if len(own) > 1 and "second_object" not in kinds and is_listed:
            yield f"{place}: second_object is not told"
        wrong = [key for key, each in own.items() if not self._has_right_bytes(place, each)]
        if len(own) == 1 and wrong and not grave:
            yield f"{place}: the bytes are wrong, and the report says nothing"
        if len(own) != 1 or wrong:
            return
        if not self._is_row_right(place):
            if not grave:
                yield f"{place}: the row is wrong, and the report says nothing"
        elif not is_listed and not kinds and not self._report.not_covered and not self._is_young(place):
            yield f"{place}: removed_in_bigin is not told"
        elif is_listed and grave and "parked" not in grave and self._is_all_right(place, list(own.values())):
            yield f"{place}: all is right, and the report says {sorted(grave)}"

    def _is_all_right(self, place: str, fitting: Sequence[Version]) -> bool:
        """Whether nothing is wrong. A late message may have made the row name the file that became a link."""
        return not self._has_other_size(place) and self._is_row_right(place, fitting)

    def _is_uncovered(self, place: str) -> bool:
        """Whether the report says that it could not compare the attachment's module."""
        return any(each.startswith(f"{place.partition('/')[0]}: ") for each in self._report.not_covered)

    def _is_true(self, place: str, kind: str) -> bool:
        own, row = self._own(place), self._rows.get(place, {})
        state = row.get("state", {}).get("S")
        was_listed = any(True for _ in self._truth.held(place, self._since_s, self._now_s))
        if kind == "not_archived":
            # A row that waits is told where no list proves that it waits in vain: none was whole, or began after it.
            waits = state == "pending" and (self._is_uncovered(place) or self._is_young(place))
            return (was_listed or waits) and self._lacks_one(place)
        if kind == "missing_object":
            of_row = [each for each in self._fitting(place) if _is_link(each) is (state == "link")]
            is_row_stored = state in ("archived", "link")
            return not (of_row if is_row_stored else self._fitting(place)) and any(self._ever_own(place))
        if kind in ("truncated", "wrong_size", "wrong_checksum"):
            # A stranger's bytes may be some that Bigin had at another time.
            return any(
                (key, each.version_id) in self._stranger.written or not self._has_right_bytes(place, each)
                for key, each in own.items()
            )
        if kind == "no_checksum":
            return any("x-amz-checksum-sha256" not in each.headers for each in own.values())
        if kind == "size_differs_from_bigin":
            return self._has_other_size(place)
        if kind == "parked":
            return state == "parked" and place in self._world.journal.dead_letters
        if kind == "gone_but_listed":
            return was_listed and place in self._world.journal.denied
        if kind == "second_object":
            return len(own) > 1
        if kind == "ledger_wrong":
            # Of a file that becomes a link while the list is read, the list may show either.
            sorts = {held.body is None for held in self._truth.held(place, self._since_s, self._now_s)}
            is_other_sort = bool(sorts - {state == "link"})
            return bool(own) and bool(row) and (is_other_sort or not self._is_row_right(place))
        if kind == "ledger_missing":
            return bool(own) and not row
        if kind == "removed_before_archived":
            return self._was_unlisted(place) and not self._fitting(place)
        if kind == "changed_in_bigin":
            return len(self._truth.past.get(place, [])) > 1 and bool(own)
        if kind == "removed_in_bigin":
            return self._was_unlisted(place) and bool(own)
        return kind == "adopted_object"

    def _is_young(self, place: str) -> bool:
        """Whether its row was made after the list began, so that nobody knows what the row would have said before."""
        first_seen = seconds(self._rows.get(place, {}).get("first_seen", {}).get("S"))
        return first_seen is None or first_seen >= self._report.listed_s - _SECOND_S

    def _was_unlisted(self, place: str) -> bool:
        past = self._truth.past.get(place, [])
        gaps = [one.until_s for one, other in pairwise(past) if one.until_s and one.until_s < other.from_s]
        return not past or past[0].from_s > self._since_s or past[-1].until_s is not None or bool(gaps)

    def _has_right_bytes(self, place: str, found: Version) -> bool:
        if not _is_link(found):
            return found.body in self._truth.bodies(place)
        return any(
            found.body == each.body and (key, each.version_id) not in self._stranger.written
            for key, versions in self._world.bucket.keys.items()
            if key.startswith(f"{clients.PREFIX}{place}/")
            for each in versions
        )

    def _has_other_size(self, place: str) -> bool:
        sizes = {
            len(held.body) for held in self._truth.held(place, self._since_s, self._now_s) if held.body is not None
        }
        return any(sizes - {len(each.body or b"")} for each in self._own(place).values())

    def _is_row_right(self, place: str, fitting: Sequence[Version] = ()) -> bool:
        """Whether the row names an object of the attachment, one of the ``fitting`` ones if there are any."""
        row = self._rows.get(place, {})
        found = self._own(place).get(row.get("key", {}).get("S", ""))
        return (
            row.get("state", {}).get("S") in ("archived", "link")
            and found is not None
            and row.get("version_id", {}).get("S") == found.version_id
            and (not fitting or found in fitting)
        )

    def _fitting(self, place: str) -> list[Version]:
        """Own objects of the kinds (file or link) that Bigin has listed lately."""
        sorts = {held.body is None for held in self._truth.held(place, self._since_s, self._now_s)} or {True, False}
        return [each for each in self._own(place).values() if _is_link(each) in sorts]

    def _lacks_one(self, place: str) -> bool:
        """Whether of a sort that Bigin has listed lately, file or link, nothing stands."""
        sorts = {held.body is None for held in self._truth.held(place, self._since_s, self._now_s)}
        return not self._fitting(place) or bool(sorts - {_is_link(each) for each in self._own(place).values()})

    def _own(self, place: str) -> dict[str, Version]:
        return {key: each for key, each in self._objects.get(place, {}).items() if claimed(each.headers) == place}

    def _ever_own(self, place: str) -> Iterator[Version]:
        for key, versions in self._world.bucket.keys.items():
            if key.startswith(f"{clients.PREFIX}{place}/"):
                yield from (each for each in versions if each.body is not None and claimed(each.headers) == place)

    def _strange(self) -> set[str]:
        """Paths below the prefix that belong to nobody."""
        found = {
            key.removeprefix(clients.PREFIX)
            for place, objects in self._objects.items()
            for key, each in objects.items()
            if claimed(each.headers) != place
        }
        all_of_them = found | self._elsewhere
        return (
            all_of_them
            if self._modules == MODULES
            else {path for path in all_of_them if path.partition("/")[0] in self._modules}
        )

    def _sort_objects(self) -> None:
        for key in self._world.bucket.keys:
            path = key.removeprefix(clients.PREFIX)
            found = self._world.bucket.current(key)
            if found is None or path.startswith(OWN_FOLDERS):
                continue
            parts = path.split("/")
            if len(parts) == 4:
                self._objects.setdefault("/".join(parts[:3]), {})[key] = found
            else:
                self._elsewhere.add(path)


def _is_link(found: Version) -> bool:
    return "x-amz-meta-link-url" in found.headers or found.headers.get("x-amz-meta-bigin-kind") == "link"
