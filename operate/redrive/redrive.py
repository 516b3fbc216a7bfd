"""`redrive`: finds out why messages are in the dead-letter queue, and sends chosen ones back."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from operate.redrive.dead_letter_queue import DeadLetter, DeadLetterQueue, Depth
from operate.terminal import working

MOST_LISTED = 1000  # messages shown one by one
_MOST_DETAILS = 100  # distinct details counted per reason


@dataclass(frozen=True, slots=True)
class Choice:
    """Which messages to send back: by reason, by id, or all."""

    reasons: frozenset[str] = frozenset()
    message_ids: frozenset[str] = frozenset()
    all: bool = False

    def __bool__(self) -> bool:
        return self.all or bool(self.reasons or self.message_ids)

    def takes(self, letter: DeadLetter) -> bool:
        """Whether the message is chosen."""
        return self.all or letter.reason in self.reasons or letter.message_id in self.message_ids


@dataclass(slots=True)
class Group:
    """Messages of one reason."""

    count: int = 0
    oldest: datetime | None = None
    details: Counter[str] = field(default_factory=Counter)

    def add(self, letter: DeadLetter) -> None:
        """Count one more."""
        self.count += 1
        self.oldest = min(self.oldest or letter.sent_at, letter.sent_at)
        if letter.detail in self.details or len(self.details) < _MOST_DETAILS:
            self.details[letter.detail] += 1

    @property
    def detail(self) -> str:
        """The most frequent detail."""
        return self.details.most_common(1)[0][0]


@dataclass(slots=True)
class View:
    """What one pass found: groups by reason, and some of the messages themselves.

    ``looked_at`` also counts messages that were not chosen.
    """

    depth: Depth
    looked_at: int = 0
    groups: dict[str, Group] = field(default_factory=dict)
    letters: list[DeadLetter] = field(default_factory=list)
    complete: bool = False

    @property
    def count(self) -> int:
        """How many messages are in the groups."""
        return sum(group.count for group in self.groups.values())

    def add(self, letter: DeadLetter) -> None:
        """Take one more message in."""
        self.groups.setdefault(letter.reason, Group()).add(letter)
        if len(self.letters) < MOST_LISTED:
            self.letters.append(letter)


@dataclass(slots=True)
class Sent:
    """What became of a redrive."""

    by_reason: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    missing_ids: frozenset[str] = frozenset()
    complete: bool = False

    @property
    def fine(self) -> bool:
        """Whether every chosen message went back."""
        return self.complete and not self.refused and not self.missing_ids


class _Newcomers:
    """Messages that came into the dead-letter queue after the pass began.

    SQS's Date header is the clock that dates the messages, and it has whole seconds. In the second in which the pass
    began, a message counts as new if its body was sent back already.
    """

    def __init__(self, began: datetime) -> None:
        self._began = began.replace(microsecond=0)
        self._sent_back: set[int] = set()

    def may_return(self, letters: Iterable[DeadLetter]) -> None:
        """Note messages that were sent back."""
        self._sent_back.update(hash(letter.body) for letter in letters)

    def __contains__(self, letter: DeadLetter) -> bool:
        if letter.sent_at >= self._began + timedelta(seconds=1):
            return True
        return letter.sent_at >= self._began and hash(letter.body) in self._sent_back


def look(queue: DeadLetterQueue, choice: Choice | None = None) -> View:
    """One pass over the queue. Only messages that ``choice`` takes are counted. Raises OperateError."""
    view = View(queue.depth())
    with working("Looking at dead letters") as tell, queue.one_pass() as this:
        for batch in this.batches():
            for letter in batch:
                if choice is None or choice.takes(letter):
                    view.add(letter)
            view.looked_at += len(batch)
            tell(view.looked_at)
        view.complete = this.complete
    return view


def send_back(queue: DeadLetterQueue, choice: Choice, sent: Sent) -> None:
    """One pass that sends the chosen messages back; ``sent`` is right even after an interruption. Raises OperateError.

    Messages that came after the beginning stay: a message may fail again at once, and would go round and round.
    """
    newcomers = _Newcomers(queue.depth().now)
    missing = set(choice.message_ids)
    with working("Sending back") as tell, queue.one_pass() as this:
        for batch in this.batches():
            chosen = [letter for letter in batch if choice.takes(letter) and letter not in newcomers]
            gone = this.send_back(chosen)
            newcomers.may_return(gone)
            sent.by_reason.update(letter.reason for letter in gone)
            sent.refused += len(chosen) - len(gone)
            missing -= {letter.message_id for letter in gone}
            tell(sent.by_reason.total())
            if choice.message_ids and not missing and not choice.reasons:
                break
        sent.complete = this.complete or bool(choice.message_ids and not missing and not choice.reasons)
    sent.missing_ids = frozenset(missing) if sent.complete else frozenset()
