"""Searches the chosen profiles and regions for stacks, all at the same time."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

from operate.errors import OperateError
from operate.fleet.overview import Overview, overview
from operate.stack.aws import Account
from operate.stack.stack import descriptions, from_description

_AT_ONCE = 8  # places and stacks at the same time


@dataclass(frozen=True, slots=True)
class Unseen:
    """A place that could not be searched."""

    profile: str | None
    region: str
    problem: str
    remedy: str


def look(accounts: Sequence[Account]) -> tuple[list[Overview], list[Unseen]]:
    """Every stack in the accounts' regions, by profile, region and name; and the places that could not be searched."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = list(chain.from_iterable(pool.map(_stacks, accounts)))
        seen = pool.map(lambda made: made if isinstance(made, Unseen) else made(), found)
        results = list(seen)
    rows = [made for made in results if isinstance(made, Overview)]
    return sorted(rows, key=lambda row: (row.profile or "", row.region, row.stack)), [
        made for made in results if isinstance(made, Unseen)
    ]


def _stacks(account: Account) -> list[Unseen | Callable[[], Overview]]:
    try:
        return [_look_at(account, description) for description in descriptions(account)]
    except OperateError as error:
        return [Unseen(account.profile, account.region, error.problem, error.remedy)]


def _look_at(account: Account, description: dict[str, object]) -> Callable[[], Overview]:
    def seen() -> Overview:
        try:
            return overview(account, from_description(description, account.region))
        except OperateError as error:
            name = str(description["StackName"])
            return Overview(name, account.region, account.profile, problems=[error.problem])

    return seen


def accounts(profiles: Sequence[str], regions: Sequence[str], *, all_regions: bool) -> Iterator[Account]:
    """An account for each profile and region; without any, what the AWS configuration says. Raises OperateError."""
    for profile in profiles or (None,):
        chosen: Sequence[str | None] = Account(profile, None).regions() if all_regions else regions or (None,)
        for region in chosen:
            yield Account(profile, region)
