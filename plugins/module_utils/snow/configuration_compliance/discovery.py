# SPDX-License-Identifier: GPL-3.0-or-later
"""Discover where the integration stores its configuration, which integration instance to configure, and which jobs belong to it.

The private table of the form is not published; it is found by the labels of its columns
(docs/facts/configuration_compliance.md#private-configuration-table).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ...engine.errors import InvalidInput
from ...engine.snapshot import Row
from ...option_names import named_option
from .constants import (
    ALL,
    DEFENDER_FOR_CLOUD,
    DISTINCTIVE,
    IMPLEMENTATIONS,
    JOB_TABLES,
    JOBS,
    LABELS,
    MANAGEMENT_GROUPS,
    OLD,
    OLD_PRODUCT_NAME,
    PARAMETER_LENGTH,
    PARAMETERS,
    ROLE,
    SUBSCRIPTIONS,
    VALIDATION_STATUS,
)
from .detection import Detected

# A form with fewer of these labels is a different one.
MIN_LABELS = 3


@dataclass(frozen=True)
class Storage:
    """Where the configuration is stored.

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
        """Whether each value is a separate row."""
        return self.table == PARAMETERS


def find_storage(found: Detected, implementation: Row | None) -> Storage | None:
    """Return where the configuration is stored, or None if it cannot be determined.

    Raises `InvalidInput` if two tables match.
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
            f"the tables {', '.join(best)} all match the configuration of Defender for Cloud. Nothing was changed; "
            f"enter the values in the form"
        )
    if best:
        return _private_table(found, best[0], by_table[best[0]], fitting[best[0]])
    return _parameters(found, implementation)


def _fits(columns: Mapping[str, str]) -> bool:
    return len(columns) >= MIN_LABELS and bool(DISTINCTIVE & set(columns))


def _labelled(rows: Iterable[Row]) -> dict[str, str]:
    """Return the columns that have a label of the form, by option."""
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
    """Return the stored value of each choice of `import_from`, identified by its label; ambiguous ones are omitted."""
    meant: dict[str, set[str]] = {}
    for label, value in choices:
        meant.setdefault(choice_of(label), set()).add(value)
    return {name: values.pop() for name, values in meant.items() if len(values) == 1}


def choice_of(text: str) -> str:
    """Return which choice of `import_from` a label or a stored value means."""
    name = text.casefold()
    if "management" in name:
        return MANAGEMENT_GROUPS
    return SUBSCRIPTIONS if "subscription" in name and "all" not in name.replace("_", " ").split() else ALL


def _parameters(found: Detected, implementation: Row | None) -> Storage | None:
    """Return the instance parameters of the integration as storage, if they have the labels of the form."""
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


def find_integration_instance(found: Detected, name: str) -> Row | None:
    """Return the integration instance `name`, or the default one of this integration.

    None if none is visible. Raises `InvalidInput` if it is ambiguous, or if there is none of that name.
    """
    rows = found.rows("implementations")
    ours = [row for row in rows if DEFENDER_FOR_CLOUD.search(_search_text(row))]
    if name:
        called = [row for row in ours or rows if row.get("name") == name]
        if rows and not called:
            known = ", ".join(sorted(repr(row.get("name", "")) for row in ours)) or "none"
            raise InvalidInput(
                f"there is no integration instance of Defender for Cloud named {name!r}; the instance has: {known}. Select one of them, or add it in the form"
            )
    else:
        called = [row for row in ours if row.get("is_default") == "true"] or ours
    if len(called) > 1:
        # Both applications may be installed, each with an integration instance.
        fitting = [row for row in called if bool(OLD_PRODUCT_NAME.search(_search_text(row))) == (found.scope == OLD)]
        called = fitting if len(fitting) == 1 else called
    if len(called) > 1:
        names = ", ".join(sorted(f"{row.get('name', '')!r} ({row['sys_id']})" for row in called))
        raise InvalidInput(
            f"several integration instances match: {names}. Select one with {named_option('integration_instance', ROLE)}"
        )
    return called[0] if called else None


def _search_text(row: Row) -> str:
    return " ".join(row.get(name, "") for name in ("name", "integration.name", "integration.id", "integration.source"))


@dataclass(frozen=True)
class Job:
    """A job on the instance: `row` of `table`, and the key of the documented job."""

    key: str
    table: str
    row: Row

    @property
    def name(self) -> str:
        """The name on the instance."""
        return str(self.row.get("name", ""))


def find_jobs(found: Detected, implementation: Row | None) -> dict[str, list[Job]]:
    """Return the jobs of the integration by key, in the order in which they run; more than one if it is ambiguous."""
    jobs: dict[str, dict[str, Job]] = {kind.key: {} for kind in JOBS}
    known = {row["sys_id"] for row in found.rows("implementations")}
    for table in JOB_TABLES:
        for row in found.rows(table):
            for kind in JOBS:
                if kind.pattern.search(row.get("name", "")) and _belongs(row, kind.title, implementation, known):
                    # A table and its parent table list the same row.
                    jobs[kind.key].setdefault(row["sys_id"], Job(kind.key, table, row))
    return {key: list(rows.values()) for key, rows in jobs.items()}


def _belongs(row: Row, title: str, implementation: Row | None, known: set[str]) -> bool:
    """Return whether a job belongs to the integration: by its integration instance if it has one, else by its name."""
    owners = known & {row.get(name, "") for name in ("instance", "implementation", "integration_instance")}
    if owners and implementation:
        return implementation["sys_id"] in owners
    name = row.get("name", "")
    return bool(DEFENDER_FOR_CLOUD.search(name)) or name.strip().casefold() == title.casefold()
