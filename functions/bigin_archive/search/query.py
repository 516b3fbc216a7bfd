"""A query: the words, and the limits of the results. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Query:
    """``words`` are folded (:func:`folding.words`). Empty ``modules`` and ``states`` mean all; days are inclusive."""

    words: tuple[str, ...] = ()
    modules: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()
    since: str | None = None
    until: str | None = None

    @property
    def is_of_all(self) -> bool:
        """Whether it has no limits."""
        return not (self.modules or self.states or self.since or self.until)

    def chooses(self, module: str, day: str, state: str) -> bool:
        """Whether an attachment is among what is looked at; one without a day is in no span of days."""
        return (
            (not self.modules or module in self.modules)
            and (not self.states or state in self.states)
            and (not self.since or day >= self.since)
            and (not self.until or (bool(day) and day <= self.until))
        )

    def matches(self, names: str, *ids: str) -> bool:
        """Whether each word is in the folded names, or in an id."""
        return all(word in names or any(word in one for one in ids) for word in self.words)
