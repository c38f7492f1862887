# SPDX-License-Identifier: GPL-3.0-or-later
"""The grammar of encoded queries (docs/facts/servicenow_platform.md#encoded-queries).

Terms `field OP value` are joined by `^`; `^OR` binds to the term right before it, `^NQ` starts an alternative group,
`^EQ` ends the query, and a literal `^` inside a value is written `^^`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

# Longer operators first, so that NOT IN is not read as NOT, nor INSTANCEOF as IN.
_OPERATORS = (
    "GT_OR_EQUALS_FIELD",
    "LT_OR_EQUALS_FIELD",
    "GT_FIELD",
    "LT_FIELD",
    "RELATIVEGT",
    "RELATIVEGE",
    "RELATIVELT",
    "RELATIVELE",
    "INSTANCEOF",
    "ISNOTEMPTY",
    "EMPTYSTRING",
    "STARTSWITH",
    "NOT LIKE",
    "ENDSWITH",
    "ANYTHING",
    "ISEMPTY",
    "NOTLIKE",
    "BETWEEN",
    "DYNAMIC",
    "NSAMEAS",
    "NOT IN",
    "SAMEAS",
    "NOTON",
    "LIKE",
    "IN",
    "ON",
    "!=",
    "<=",
    ">=",
    "!*",
    "=",
    "<",
    ">",
    "*",
    "%",
)
# The operators of query_match rules; query_range rules have all others.
_EXACT = frozenset({"=", "!=", "IN", "NOT IN", "ISEMPTY", "ISNOTEMPTY", "SAMEAS", "NSAMEAS", "EMPTYSTRING"})
_TERM = re.compile(rf"([a-z0-9_.]+)({'|'.join(map(re.escape, _OPERATORS))})(.*)", re.DOTALL)
_TEXT_SEARCH = "123TEXTQUERY321"
_CARET = "\0"


@dataclass(frozen=True, slots=True)
class Condition:
    """One `field OP value`. An unreadable term has the operator "" and is handled like an unknown field."""

    field: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Related:
    """A condition on rows of another table: how many of them refer to this row and match a query.

    `here` is the column of this table, `column` the one of the other table; `count` is like ">=1".
    """

    here: str
    table: str
    column: str
    count: str
    query: Query


Term = Condition | Related
Group = tuple[tuple[Term, ...], ...]
"""All alternatives (inner) of every member (outer) must hold."""


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query: groups of which one must hold, and the sort order as (field, descending)."""

    groups: tuple[Group, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()

    def compared(self) -> set[tuple[str, bool]]:
        """Every field of this table in conditions and sort order, and whether it is only compared with exact values."""
        terms = (term for group in self.groups for member in group for term in member)
        found = {(term.field, term.operator in _EXACT) for term in terms if isinstance(term, Condition)}
        return found | {(field, False) for field, _descending in self.order}

    def fields(self) -> set[str]:
        """Every field of this table in the conditions."""
        return {
            term.field for group in self.groups for member in group for term in member if isinstance(term, Condition)
        }


@lru_cache(maxsize=2000)
def parse(text: str) -> Query:
    """Parse an encoded query. Never fails: a term that cannot be read becomes a condition that is dropped later."""
    return _Parser(_split(text)).parse()


def _split(text: str) -> list[str]:
    return [term.replace(_CARET, "^") for term in text.replace("^^", _CARET).split("^")]


class _Parser:
    def __init__(self, terms: list[str]) -> None:
        self.terms = terms
        self.groups: list[list[list[Term]]] = [[]]
        self.order: list[tuple[str, bool]] = []

    def parse(self) -> Query:
        while self.terms:
            self._take(self.terms.pop(0))
        groups = tuple(tuple(tuple(member) for member in group) for group in self.groups)
        if len(groups) > 1:
            groups = tuple(group for group in groups if group)
        return Query(groups, tuple(self.order))

    def _take(self, term: str) -> None:
        while term.startswith("NQ"):
            self.groups.append([])
            term = term[2:]
        if term in ("", "EQ"):
            return
        if term.startswith("ORDERBY"):
            descending = term.startswith("ORDERBYDESC")
            self.order.append((term[len("ORDERBYDESC" if descending else "ORDERBY") :], descending))
        elif term.startswith("GROUPBY"):
            self.order.append((term[len("GROUPBY") :], False))
        elif term.startswith("RLQUERY"):
            self.groups[-1].append([self._related_list(term[len("RLQUERY") :])])
        elif term.startswith("JOIN"):
            self.groups[-1].append([self._join(term[len("JOIN") :])])
        else:
            self._condition(term)

    def _condition(self, term: str) -> None:
        is_alternative = term.startswith("OR") and bool(self.groups[-1])
        condition = read_condition(term[2:] if is_alternative else term)
        if is_alternative:
            self.groups[-1][-1].append(condition)
        else:
            self.groups[-1].append([condition])

    def _related_list(self, head: str) -> Term:
        # RLQUERYtable.column,>=1[,m2m]^conditions^ENDRLQUERY
        path, _, rest = head.partition(",")
        table, _, column = path.partition(".")
        inner: list[str] = []
        while self.terms and self.terms[0] != "ENDRLQUERY":
            inner.append(self.terms.pop(0))
        del self.terms[:1]
        return Related("sys_id", table, column, rest.partition(",")[0], _Parser(inner).parse())

    def _join(self, head: str) -> Term:
        # JOINtable.column=other.column!conditions, up to the sort order
        sides, _, first = head.partition("!")
        here, _, there = sides.partition("=")
        table, _, column = there.partition(".")
        inner = [first]
        while self.terms and not self.terms[0].startswith(("ORDERBY", "NQ")):
            inner.append(self.terms.pop(0))
        return Related(here.rpartition(".")[2], table, column, ">=1", _Parser(inner).parse())


def read_condition(term: str) -> Condition:
    """Read one `field OP value`."""
    if term.startswith(_TEXT_SEARCH):
        return Condition("", _TEXT_SEARCH, term[len(_TEXT_SEARCH) + 1 :])
    found = _TERM.fullmatch(term)
    return Condition(found[1], found[2], found[3]) if found else Condition(term, "", "")
