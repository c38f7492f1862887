# SPDX-License-Identifier: GPL-3.0-or-later
"""Expressions and aggregates of the hunting language."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from .kql_values import AGGREGATES, ARITHMETIC, FUNCTIONS, LISTS, SIGNS, json_of, ordered
from .kql_words import KqlError, Word, words_of

Row = dict[str, Any]
Term = Callable[[Row], Any]
Aggregate = Callable[[list[Row]], Any]


class Reader:
    """Reads words one after another; `columns` are those that exist at this point of the pipe."""

    def __init__(self, query: str, now: datetime) -> None:
        self._words = words_of(query)
        self._place = 0
        self.now = now
        self.columns: list[str] = []

    @property
    def word(self) -> Word:
        """The word that comes next."""
        return self._words[self._place]

    def next(self) -> Word:
        """Take a word."""
        word = self.word
        self._place += word.kind != "end"
        return word

    def take(self, *texts: str) -> str | None:
        """Take the next word if it is one of these."""
        if self.word.kind in ("name", "sign") and self.word.text in texts:
            return self.next().text
        return None

    def expect(self, *texts: str) -> str:
        """Take one of these words; raises KqlError when another comes."""
        taken = self.take(*texts)
        if taken is None:
            raise KqlError(f"Syntax error: expected {' or '.join(texts)}, found {self.word.text!r}.")
        return taken

    def name(self) -> str:
        """Take a name."""
        if self.word.kind != "name":
            raise KqlError(f"Syntax error: expected a name, found {self.word.text!r}.")
        return self.next().text

    def named(self) -> str | None:
        """Take `Name =`, if that comes."""
        following = self._words[min(self._place + 1, len(self._words) - 1)]
        if self.word.kind == "name" and (following.kind, following.text) == ("sign", "="):
            name = self.next().text
            self.next()
            return name
        return None

    def list_of(self, read: Callable[[], Any]) -> list[Any]:
        """Read things with commas between them."""
        out = [read()]
        while self.take(","):
            out.append(read())
        return out

    def column(self) -> str:
        """Take the name of a column that exists."""
        return self.known(self.name())

    def known(self, name: str) -> str:
        """The column's name again; raises KqlError when there is none."""
        if name not in self.columns:
            raise KqlError(
                f"Failed to resolve column or scalar expression named '{name}'. Fix semantic errors in your query."
            )
        return name


def term(reader: Reader) -> Term:
    """Read an expression."""
    parts = [_all(reader)]
    while reader.take("or"):
        parts.append(_all(reader))
    return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)


def _all(reader: Reader) -> Term:
    parts = [_comparison(reader)]
    while reader.take("and"):
        parts.append(_comparison(reader))
    return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)


def _comparison(reader: Reader) -> Term:
    left = _sum(reader)
    sign = reader.take(*LISTS)
    if sign:
        return _in_list(reader, left, sign)
    if reader.take("between"):
        reader.expect("(")
        low = _sum(reader)
        reader.expect("..")
        high = _sum(reader)
        reader.expect(")")
        return lambda row: (
            ordered(lambda a, b: a <= b, low(row), left(row)) and ordered(lambda a, b: a <= b, left(row), high(row))
        )
    sign = reader.take(*SIGNS)
    if not sign:
        return left
    right, test = _sum(reader), SIGNS[sign]
    return lambda row: test(left(row), right(row))


def _in_list(reader: Reader, left: Term, sign: str) -> Term:
    reader.expect("(")
    choices = reader.list_of(lambda: _sum(reader))
    reader.expect(")")
    one, negated = LISTS[sign], sign.startswith("!")
    return lambda row: any(one(left(row), choice(row)) for choice in choices) is not negated


def _sum(reader: Reader) -> Term:
    out = _product(reader)
    while sign := reader.take("+", "-"):
        out = _joined(out, sign, _product(reader))
    return out


def _product(reader: Reader) -> Term:
    out = _single(reader)
    while sign := reader.take("*", "/", "%"):
        out = _joined(out, sign, _single(reader))
    return out


def _joined(left: Term, sign: str, right: Term) -> Term:
    work = ARITHMETIC[sign]

    def joined(row: Row) -> Any:
        try:
            return work(left(row), right(row))
        except (TypeError, ZeroDivisionError):
            return None

    return joined


def _single(reader: Reader) -> Term:
    if reader.take("("):
        inner = term(reader)
        reader.expect(")")
        return inner
    if reader.take("-"):
        inner = _single(reader)
        return lambda row: -inner(row)
    word = reader.next()
    if word.kind in ("number", "text", "time", "span"):
        return _always(word.value)
    if word.kind != "name":
        raise KqlError(f"Syntax error: {word.text!r} is not expected here.")
    if word.text in ("true", "false"):
        return _always(word.text == "true")
    if reader.take("("):
        return _function(reader, word.text)
    return _member(reader, reader.known(word.text))


def _always(value: Any) -> Term:
    return lambda _row: value


def _member(reader: Reader, column: str) -> Term:
    path: list[Any] = []
    while sign := reader.take(".", "["):
        if sign == ".":
            path.append(reader.name())
        else:
            path.append(reader.next().value)
            reader.expect("]")

    def found(row: Row) -> Any:
        value = row.get(column)
        for part in path:
            value = json_of(value)
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    return found


def _function(reader: Reader, name: str) -> Term:
    arguments: list[Term] = [] if reader.word.text == ")" else reader.list_of(lambda: term(reader))
    reader.expect(")")
    now = reader.now
    if name == "ago":
        return lambda row: now - arguments[0](row)
    if name == "now":
        return _always(now)
    if name not in FUNCTIONS:
        raise KqlError(f"Unknown function: '{name}'.")
    work = FUNCTIONS[name]

    def called(row: Row) -> Any:
        try:
            return work(*(argument(row) for argument in arguments))
        except (TypeError, ValueError):
            return None

    return called


def aggregate(reader: Reader) -> tuple[str, Aggregate]:
    """Read an aggregate; gives the name of its column and how it is worked out."""
    given, kind = reader.named(), reader.name()
    reader.expect("(")
    if kind == "count":
        reader.expect(")")
        return given or "count_", len
    if kind not in AGGREGATES:
        raise KqlError(f"Unknown function: '{kind}'.")
    column, inner = reader.word.text, term(reader)
    most = reader.next().value if reader.take(",") else None
    reader.expect(")")
    prefix, work = AGGREGATES[kind]

    def worked_out(rows: list[Row]) -> Any:
        value = work([inner(row) for row in rows])
        return value[:most] if isinstance(value, list) and most is not None else value

    return given or f"{prefix}_{column if column in reader.columns else ''}", worked_out
