"""The result of one kind of fault: one row of the table."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Row:
    """Counts of one kind. ``complaints`` say in words why a count is not as it should be."""

    kind: str
    injected: int = 0
    survived: int = 0
    lost: int = 0
    wrong: int = 0
    extra: int = 0
    files: int = 0
    calls: int = 0
    note: str = ""
    complaints: list[str] = field(default_factory=list)

    @property
    def calls_per_file(self) -> float | None:
        return self.calls / self.files if self.files else None

    @property
    def is_good(self) -> bool:
        wrongs = self.lost + self.wrong + self.extra + len(self.complaints)
        return wrongs == 0 and 0 < self.injected == self.survived


def of_checks(kind: str, complaints: list[str], checked: int, note: str = "") -> Row:
    """The row of a pure check. Each complaint is one input that did not survive."""
    return Row(kind, checked, checked - min(checked, len(complaints)), complaints=complaints, note=note)
