"""How a row is changed: the expressions of DynamoDB's UpdateItem. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from bigin_archive.ledger.attachment_state import State
from bigin_archive.ledger.ledger_entry import typed


class Conditions(TypedDict, total=False):
    """When a row stays as it is: its state is ``lasting``, its version another one than ``version_id``, it is not
    there (``if_known``), or it tells of an object of the same sort with another SHA-256 (``keeps_bytes``).
    """

    lasting: Sequence[State]
    version_id: str | None
    if_known: bool
    keeps_bytes: bool


def row_update(
    given: Mapping[str, str | int | None],
    once: Mapping[str, str],
    *,
    lasting: Sequence[State] = (),
    version_id: str | None = None,
    if_known: bool = False,
    keeps_bytes: bool = False,
) -> dict[str, Any]:
    """Arguments that set what is ``given`` (None removes), and ``once`` where it is not set yet."""
    kept = {name: value for name, value in given.items() if value is not None}
    once = {name: value for name, value in once.items() if name not in kept}
    expression = "SET " + ", ".join(
        [
            *(f"#{name} = :{name}" for name in kept),
            *(f"#{name} = if_not_exists(#{name}, :{name})" for name in once),
        ]
    )
    if removed := [name for name in given if name not in kept and name not in once]:
        expression += " REMOVE " + ", ".join(f"#{name}" for name in removed)
    names = {f"#{name}": name for name in {*given, *once}}
    values = {f":{name}": typed(name, value) for name, value in {**once, **kept}.items()}
    conditions = ["attribute_exists(attachment_id)"] if if_known else []
    if lasting:
        names["#state"] = "state"
        values |= {f":lasting{number}": {"S": str(state)} for number, state in enumerate(lasting)}
        listed = ", ".join(f":lasting{number}" for number in range(len(lasting)))
        conditions.append(f"(attribute_not_exists(#state) OR NOT #state IN ({listed}))")
    if version_id:
        names["#version_id"], values[":version_id"] = "version_id", {"S": version_id}
        conditions.append("#version_id = :version_id")
    if keeps_bytes:
        names |= {"#key": "key", "#restored_from": "restored_from", "#sha256": "sha256"}
        values |= {":parked": {"S": str(State.PARKED)}}
        same = "#sha256 = :sha256 OR " if ":sha256" in values else ""
        conditions.append(
            f"({same}attribute_not_exists(#key) OR attribute_exists(#restored_from) OR NOT #state IN (:state, :parked))"
        )
    condition = {"ConditionExpression": " AND ".join(conditions)} if conditions else {}
    return {
        "UpdateExpression": expression,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
        **condition,
    }
