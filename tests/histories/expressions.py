"""DynamoDB's expressions, as far as the project writes them; whatever else raises SyntaxError."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

Item = dict[str, dict[str, Any]]
_TOKEN = re.compile(r"\s*(<=|>=|<>|[=<>(),]|[#:]?[A-Za-z_][A-Za-z0-9_]*)")


class Expression:
    """One expression with its names and values, read from the left."""

    def __init__(self, text: str, names: Mapping[str, str], values: Mapping[str, dict[str, Any]]) -> None:
        self._text, self._names, self._values = text, names, values
        self._tokens = _tokens(text)
        self.touched: set[str] = set()  # attributes that an update names

    def holds(self, item: Item) -> bool:
        """Whether the condition holds for the item (empty where there is none)."""
        found = self._either(item)
        if self._tokens:
            raise SyntaxError(self._text)
        return found

    def changed(self, item: Item) -> Item:
        """The item after an update."""
        made = dict(item)
        while self._tokens:
            clause = self._next().upper()
            if clause not in ("SET", "REMOVE", "ADD"):
                raise SyntaxError(self._text)
            while True:
                name = self._name()
                self.touched.add(name)
                if clause == "SET":
                    self._take("=")
                    made[name] = self._assigned(item)
                elif clause == "ADD":
                    one, other = Decimal(made.get(name, {"N": "0"})["N"]), Decimal(self._values[self._next()]["N"])
                    made[name] = {"N": str(one + other)}
                else:
                    made.pop(name, None)
                if self._peek() != ",":
                    break
                self._take(",")
        return made

    def _assigned(self, item: Item) -> dict[str, Any]:
        if self._peek() != "if_not_exists":
            return self._values[self._next()]
        self._take("if_not_exists")
        self._take("(")
        there = item.get(self._name())
        self._take(",")
        given = self._values[self._next()]
        self._take(")")
        return given if there is None else there

    def _either(self, item: Item) -> bool:
        found = self._both(item)
        while self._peek() == "OR":
            self._take("OR")
            other = self._both(item)
            found = found or other
        return found

    def _both(self, item: Item) -> bool:
        found = self._single(item)
        while self._peek() == "AND":
            self._take("AND")
            other = self._single(item)
            found = found and other
        return found

    def _single(self, item: Item) -> bool:
        if self._peek() == "NOT":
            self._take("NOT")
            return not self._single(item)
        if self._peek() == "(":
            self._take("(")
            found = self._either(item)
            self._take(")")
            return found
        if self._peek() in ("attribute_exists", "attribute_not_exists"):
            wanted = self._next() == "attribute_exists"
            self._take("(")
            is_there = self._name() in item
            self._take(")")
            return is_there is wanted
        return self._compared(item.get(self._name()))

    def _compared(self, there: dict[str, Any] | None) -> bool:
        sign = self._next()
        if sign == "IN":
            self._take("(")
            given = [self._values[self._next()]]
            while self._peek() == ",":
                self._take(",")
                given.append(self._values[self._next()])
            self._take(")")
            return there in given
        other = self._values[self._next()]
        if sign == "=":
            return there == other
        if there is None or set(there) != set(other):
            return False
        one, two = _comparable(there), _comparable(other)
        if sign not in ("<", "<=", ">", ">="):
            raise SyntaxError(self._text)
        return bool({"<": one < two, "<=": one <= two, ">": one > two, ">=": one >= two}[sign])

    def _name(self) -> str:
        token = self._next()
        return self._names[token] if token.startswith("#") else token

    def _peek(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def _next(self) -> str:
        if not self._tokens:
            raise SyntaxError(self._text)
        return self._tokens.pop(0)

    def _take(self, wanted: str) -> None:
        if self._next() != wanted:
            raise SyntaxError(self._text)


_known: dict[str, list[str]] = {}


def _tokens(text: str) -> list[str]:
    if text not in _known:
        found, position = [], 0
        while position < len(text.rstrip()):
            match = _TOKEN.match(text, position)
            if not match:
                raise SyntaxError(text)
            found.append(match[1])
            position = match.end()
        _known[text] = found
    return list(_known[text])


def _comparable(value: Mapping[str, Any]) -> Any:
    ((kind, text),) = value.items()
    return Decimal(text) if kind == "N" else text
