# SPDX-License-Identifier: GPL-3.0-or-later
"""One setting of the hardening catalogue, and helpers to declare settings.

See docs/facts/servicenow_hardening.md#hardening-catalogue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Union

PROPERTY, PLUGIN, OTHER = "property", "plugin", "other"
BOOLEAN, INTEGER, STRING, LIST, PLUGIN_TYPE = "boolean", "integer", "string", "list", "plugin"

# How the value of an instance is compared with the recommended one.
EQ, LE, LT, GE, IN = "eq", "le", "lt", "ge", "in"
EMPTY, NOT_EMPTY, CONTAINS_ALL, SUBSET_OF, NOT_CONTAINS = (
    "empty",
    "not_empty",
    "contains_all",
    "subset_of",
    "not_contains",
)
RANGE_1_720, ACTIVE, ANY_OF_ACTIVE = "range_1_720", "active", "any_of_active"
MIN_RECORDS, MIN_ACTIVE_RECORDS, REVIEW = "min_records", "min_active_records", "review"

# Labels of comparators other than equality.
COMPARATOR_LABELS = {
    LE: "at most",
    LT: "less than",
    GE: "at least",
    MIN_RECORDS: "minimum number of rows:",
    MIN_ACTIVE_RECORDS: "minimum number of active rows:",
    NOT_CONTAINS: "anything except",
    NOT_EMPTY: "not empty",
}

PLATFORM, MOBILE = "platform", "mobile"
CURRENT = "current"
ELEVATED, CHECK_WRITE_ROLES = "security_admin", "check_write_roles"
ACTIVATION, CHECK_TABLE_ACL = "plugin_activation", "check_table_acl"

# A value of the catalogue; a list is a tuple.
Wanted = Union[bool, int, str, tuple[str, ...]]  # noqa: UP007 (evaluated at run time, where pylint knows no | of classes)


@dataclass(frozen=True)
class Setting:
    """One setting of an instance that hardening evaluates.

    `name` is that of the property or plugin, or `table/sys_id`; `also` are alternative names. `recommended` is
    compared by `comparator`. `shipped_default` and `fallback` (in force without a row) are None where nothing is
    published. `since` is the baseline or release that introduced it, `gone_from` the release from which on it has no effect.
    `status`: whether it is still part of the vendor's baseline. `title` describes the recommended state.
    """

    id: str
    kind: str
    name: str
    type: str
    comparator: str
    title: str
    recommended: Wanted
    category: str
    severity: str
    cvss: float | None
    since: str
    shipped_default: Wanted | None = None
    fallback: Wanted | None = None
    gone_from: str = ""
    irreversible: bool = False
    customer_editable: bool = True
    elevation: str = CHECK_WRITE_ROLES
    status: str = CURRENT
    group: str = PLATFORM
    secure_score_control: str = ""
    side_effects: str = ""
    note: str = ""
    also: tuple[str, ...] = ()

    @property
    def application(self) -> str:
        """The application that the setting belongs to; "" for the platform."""
        return self.group.removeprefix("app:") if self.group.startswith("app:") else ""

    def as_dict(self) -> dict[str, Any]:
        """Return the setting as plain JSON types (docs/hardening.schema.json)."""
        row = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in row.items()}


@dataclass(frozen=True)
class Category:
    """Declares the settings of one category.

    A `rating` is severity and CVSS score in one text: `high 8.1`, or `high` without a score. `since` is the number of
    the baseline, or the release that first documents it. `left` names the baseline that dropped it.
    """

    name: str

    def boolean(
        self, id: str, name: str, title: str, recommended: bool, rating: str, since: Any, **more: Any
    ) -> Setting:
        """Return a property that is true or false."""
        return self._row(PROPERTY, BOOLEAN, id, name, title, recommended, rating, since, more)

    def integer(
        self, id: str, name: str, title: str, recommended: int, rating: str, since: Any, **more: Any
    ) -> Setting:
        """Return a property that is an integer; by default at most `recommended`."""
        return self._row(PROPERTY, INTEGER, id, name, title, recommended, rating, since, {"comparator": LE, **more})

    def text(self, id: str, name: str, title: str, recommended: Any, rating: str, since: Any, **more: Any) -> Setting:
        """Return a property that is a string."""
        return self._row(PROPERTY, STRING, id, name, title, recommended, rating, since, more)

    def value_list(
        self, id: str, name: str, title: str, recommended: Any, rating: str, since: Any, **more: Any
    ) -> Setting:
        """Return a property that is a comma-separated list."""
        return self._row(PROPERTY, LIST, id, name, title, recommended, rating, since, more)

    def plugin(self, id: str, name: str, title: str, rating: str, since: Any, **more: Any) -> Setting:
        """Return a plugin that must be active."""
        facts = {"comparator": ACTIVE, "elevation": ACTIVATION, **more}
        return self._row(PLUGIN, PLUGIN_TYPE, id, name, title, True, rating, since, facts)

    def record(
        self, kind: str, id: str, name: str, title: str, recommended: Any, rating: str, since: Any, **more: Any
    ) -> Setting:
        """Return a setting that is stored in rows of another table; `kind` is the type of its value."""
        facts = {"elevation": CHECK_TABLE_ACL, **more}
        return self._row(OTHER, kind, id, name, title, recommended, rating, since, facts)

    def _row(
        self,
        kind: str,
        type: str,
        id: str,
        name: str,
        title: str,
        recommended: Any,
        rating: str,
        since: Any,
        more: dict[str, Any],
    ) -> Setting:
        severity, _space, score = rating.partition(" ")
        facts: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in more.items()}
        if facts.pop("elevated", False):
            facts["elevation"] = ELEVATED
        if facts.pop("locked", False):
            facts["customer_editable"] = False
        left = facts.pop("left", "")
        if left:
            facts["status"] = f"left: {left}"
        control = facts.pop("control", "")
        if control:
            facts["secure_score_control"] = f"MDA_SNOW_{control}"
        return Setting(
            id=id,
            kind=kind,
            name=name,
            type=type,
            comparator=facts.pop("comparator", EQ),
            title=title,
            recommended=tuple(recommended)
            if isinstance(recommended, Sequence) and not isinstance(recommended, str)
            else recommended,
            category=self.name,
            severity=severity,
            cvss=float(score) if score else None,
            since=f"baseline {since}.0" if isinstance(since, int) else since,
            **facts,
        )
