# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the integration keeps what its form asks for, which instance of it is meant, and which jobs are its own.

The private table of the form is not published; it is found by the labels of its columns
(docs/facts/configuration_compliance.md#private-configuration-table).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ...engine.errors import InvalidInput
from ...engine.snapshot import Row
from .constants import (
    ALL,
    DISTINCTIVE,
    FIRST_NAME,
    IMPLEMENTATIONS,
    JOB_TABLES,
    JOBS,
    LABELS,
    MANAGEMENT_GROUPS,
    OLD,
    OURS,
    PARAMETER_LENGTH,
    PARAMETERS,
    SUBSCRIPTIONS,
    VALIDATION_STATUS,
)
from .detection import Detected

# A form that asks for less is another one.
MIN_LABELS = 3


@dataclass(frozen=True)
class Storage:
    """Where the configuration is kept.

    `columns` holds, by option, the column of the private table, or the sys_id of the parameter's definition where
    `table` is the one of parameters. `instance_column` refers to the integration instance. `choices` holds the stored
    value of each choice of `import_from` that could be read, `lengths` the declared lengths by option.
    """

    table: str
    columns: Mapping[str, str]
    instance_column: str = ""
    validation_column: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    lengths: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_parameters(self) -> bool:
        """Whether each value is a row of its own."""
        return self.table == PARAMETERS


def find_storage(found: Detected, implementation: Row | None) -> Storage | None:
    """Return where the configuration is kept, or None when that cannot be told.

    Raises `InvalidInput` when two tables look alike.
    """
    by_table: dict[str, list[Row]] = {}
    for row in found.rows("columns"):
        if row.get("name", "").startswith(found.scope):
            by_table.setdefault(row["name"], []).append(row)
    candidates = {name: _labelled(rows) for name, rows in by_table.items()}
    fitting = {name: columns for name, columns in candidates.items() if _fits(columns)}
    most = max((len(columns) for columns in fitting.values()), default=0)
    best = sorted(name for name, columns in fitting.items() if len(columns) == most)
    if len(best) > 1:
        raise InvalidInput(
            f"the tables {', '.join(best)} all look like the configuration of Defender for Cloud; none was touched. "
            f"Enter the values in the form"
        )
    if best:
        return _private_table(found, best[0], by_table[best[0]], fitting[best[0]])
    return _parameters(found, implementation)


def _fits(columns: Mapping[str, str]) -> bool:
    return len(columns) >= MIN_LABELS and bool(DISTINCTIVE & set(columns))


def _labelled(rows: Iterable[Row]) -> dict[str, str]:
    """Return the columns whose label is one of the form's, by option."""
    options = {label.casefold(): name for name, label in LABELS.items()}
    labelled = {row.get("column_label", "").strip().casefold(): row["element"] for row in rows if row.get("element")}
    return {name: labelled[label] for label, name in options.items() if label in labelled}


def _private_table(found: Detected, table: str, rows: list[Row], columns: dict[str, str]) -> Storage:
    references = [row["element"] for row in rows if row.get("reference") == IMPLEMENTATIONS]
    validation = [row["element"] for row in rows if row.get("column_label", "").strip().casefold() == VALIDATION_STATUS]
    lengths = {row["element"]: int(row["max_length"]) for row in rows if row.get("max_length", "").isdigit()}
    choices = [
        row for row in found.rows("choices")
        if row.get("name") == table and row.get("element") == columns.get("import_from")
    ]  # fmt: skip
    return Storage(
        table,
        columns,
        references[0] if len(references) == 1 else "",
        validation[0] if validation else "",
        stored_choices((row.get("label", ""), row.get("value", "")) for row in choices),
        {name: lengths[column] for name, column in columns.items() if lengths.get(column)},
    )


def stored_choices(choices: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the stored value of each choice of `import_from`, told by its label; what is not clear is left out."""
    meant: dict[str, set[str]] = {}
    for label, value in choices:
        meant.setdefault(choice_of(label), set()).add(value)
    return {name: values.pop() for name, values in meant.items() if len(values) == 1}


def choice_of(text: str) -> str:
    """Return which choice of `import_from` a label or a stored value stands for."""
    words = text.casefold()
    if "management" in words:
        return MANAGEMENT_GROUPS
    return SUBSCRIPTIONS if "subscription" in words and "all" not in words.replace("_", " ").split() else ALL


def _parameters(found: Detected, implementation: Row | None) -> Storage | None:
    """Return the instance parameters of the integration as storage, where they carry the form's labels."""
    integration = implementation.get("integration", "") if implementation else ""
    options = {label.casefold(): name for name, label in LABELS.items()}
    columns: dict[str, str] = {}
    for row in found.rows("definitions"):
        if not integration or row.get("integration") != integration:
            continue
        for label in (row.get("label", ""), row.get("display_name", ""), row.get("name", "").replace("_", " ")):
            name = options.get(label.strip().casefold())
            if name:
                columns.setdefault(name, row["sys_id"])
    if not _fits(columns):
        return None
    lengths = dict.fromkeys(set(columns) - {"client_secret"}, PARAMETER_LENGTH)
    return Storage(PARAMETERS, columns, "implementation", lengths=lengths)


def find_implementation(found: Detected, name: str) -> Row | None:
    """Return the integration instance that is meant: the one called `name`, else the default one of this integration.

    None when none can be seen. Raises `InvalidInput` when it is not clear, or when none is called so.
    """
    rows = found.rows("implementations")
    ours = [row for row in rows if OURS.search(_told_of(row))]
    if name:
        called = [row for row in ours or rows if row.get("name") == name]
        if rows and not called:
            known = ", ".join(sorted(repr(row.get("name", "")) for row in ours)) or "none"
            raise InvalidInput(
                f"no integration instance of Defender for Cloud is called {name!r}; there are: {known}. Choose one, or add it in the form"
            )
    else:
        called = [row for row in ours if row.get("is_default") == "true"] or ours
    if len(called) > 1:
        # Both applications may be there, each with its own.
        fitting = [row for row in called if bool(FIRST_NAME.search(_told_of(row))) == (found.scope == OLD)]
        called = fitting if len(fitting) == 1 else called
    if len(called) > 1:
        names = ", ".join(sorted(f"{row.get('name', '')!r} ({row['sys_id']})" for row in called))
        raise InvalidInput(
            f"more than one integration instance can be meant: {names}. Name one with integration_instance"
        )
    return called[0] if called else None


def _told_of(row: Row) -> str:
    return " ".join(row.get(name, "") for name in ("name", "integration.name", "integration.id", "integration.source"))


@dataclass(frozen=True)
class Job:
    """A job as it was found: `row` of `table`, and which of the documented ones it is."""

    key: str
    table: str
    row: Row

    @property
    def name(self) -> str:
        """What the instance calls it."""
        return str(self.row.get("name", ""))


def find_jobs(found: Detected, implementation: Row | None) -> dict[str, list[Job]]:
    """Return the integration's jobs by key, in the order in which they run; more than one where it is not clear which."""
    jobs: dict[str, dict[str, Job]] = {kind.key: {} for kind in JOBS}
    known = {row["sys_id"] for row in found.rows("implementations")}
    for table in JOB_TABLES:
        for row in found.rows(table):
            for kind in JOBS:
                if kind.pattern.search(row.get("name", "")) and _belongs(row, kind.title, implementation, known):
                    # A table and the one that it extends show the same row.
                    jobs[kind.key].setdefault(row["sys_id"], Job(kind.key, table, row))
    return {key: list(rows.values()) for key, rows in jobs.items()}


def _belongs(row: Row, title: str, implementation: Row | None, known: set[str]) -> bool:
    """Return whether a job is ours: of our integration instance where it names one, else by what it is called."""
    owners = known & {row.get(name, "") for name in ("instance", "implementation", "integration_instance")}
    if owners and implementation:
        return implementation["sys_id"] in owners
    name = row.get("name", "")
    return bool(OURS.search(name)) or name.strip().casefold() == title.casefold()
