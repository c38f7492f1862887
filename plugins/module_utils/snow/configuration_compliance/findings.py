# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems of the applications, the integration instance and the configuration. What cannot be read is reported as unknown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...engine.problem import ERROR, WARNING, Problem
from ...option_names import named_option
from .constants import (
    COMPLIANCE,
    CONFIGURE_ROLES,
    LABELS,
    NEW,
    NEW_NAME,
    OLD,
    PARAMETER_LENGTH,
    ROLE,
    SIGN_IN,
)
from .detection import ACTIVE, BOTH, NONE, UNKNOWN, Detected
from .discovery import Storage
from .settings import LISTS, Settings

STORE = "All > System Applications > All Available Applications > All"
ENTITLEMENT = (
    "Production requires an entitlement (a separate Store subscription); sub-production and developer instances do not"
)


def application_problems(name: str, found: Detected, *, refused: str, installing: bool) -> Iterator[Problem]:
    """Return the problems of the applications. `refused` is the message of a missing entitlement; `installing`: still in progress."""
    if refused:
        yield Problem(
            "not_entitled", ERROR, f"{name} is not entitled to Configuration Compliance or its dependencies: {refused}",
            f"{ENTITLEMENT}. Request the entitlement in the ServiceNow Store, install it under {STORE}, and run again",
        )  # fmt: skip
    elif installing:
        yield Problem(
            "installation_awaited", WARNING, f"The installation on {name} is still running; the content of its tables is not known yet",
            "Run again when it has ended",
        )  # fmt: skip
    elif found.compliance == UNKNOWN:
        yield Problem(
            "compliance_unknown", WARNING, f"The account cannot determine whether Configuration Compliance ({COMPLIANCE}) is active on {name}",
            "Grant the account the role sn_vulc.read, or read access to sys_store_app, sys_scope or v_plugin",
        )  # fmt: skip
    elif found.compliance != ACTIVE:
        yield Problem(
            "compliance_absent", ERROR, f"Configuration Compliance ({COMPLIANCE}) is not active on {name}",
            f"Set install: true, or install it under {STORE}. {ENTITLEMENT}",
        )  # fmt: skip
    if not (refused or installing):
        yield from _generation_problems(name, found)


def _generation_problems(name: str, found: Detected) -> Iterator[Problem]:
    generation = found.generation
    if generation == UNKNOWN:
        yield Problem(
            "integration_unknown", WARNING, f"The account cannot determine whether {NEW} or {OLD} is installed on {name}",
            f"Grant the account one of {', '.join(CONFIGURE_ROLES.values())}, or read access to sys_store_app, sys_scope or sys_db_object",
        )  # fmt: skip
    elif generation == NONE:
        old = found.versions.get(NEW)
        what = (
            f"{NEW} {old} contains Threat and Vulnerability Management only"
            if old
            else f"Neither {NEW} nor {OLD} is active"
        )
        yield Problem(
            "integration_absent", ERROR, f"{what} on {name}: Defender for Cloud is not imported",
            f"Set install: true, or install {NEW_NAME} 3.0.2 or later (31.0.2 or later on the USEM line) under {STORE}",
        )  # fmt: skip
    elif generation == OLD:
        yield Problem(
            "old_generation", WARNING, f"{name} has the old application ({OLD}), whose last version is 2.8.0 of December 2025",
            "Follow the migration steps",
        )  # fmt: skip
    elif generation == BOTH:
        yield Problem(
            "both_generations", WARNING, f"{name} has the old application ({OLD}) and the new one ({NEW}); the new one is configured",
            "Follow the migration steps",
        )  # fmt: skip


def no_instance(found: Detected) -> Problem:
    """Return the problem that no integration instance is visible."""
    answer = found.answers["implementations"]
    if not answer.refused and answer.total is not None and answer.total == len(answer.rows):
        return Problem(
            "instance_absent", ERROR, "The integration instance of Defender for Cloud is missing; the application ships with one",
            "Repair the application under Application Manager, or add one in the form",
        )  # fmt: skip
    return Problem(
        "instance_unknown", WARNING, f"No integration instance is visible{': ' + answer.refused if answer.refused else ''}",
        "Grant the account the role sn_sec_int.admin or sn_sec_cmn.admin",
    )  # fmt: skip


def configuration_problems(
    found: Detected,
    settings: Settings,
    storage: Storage | None,
    unreadable: Sequence[str],
    unknown: Sequence[str],
    *,
    absent: bool,
) -> Iterator[Problem]:
    """Return what is unknown of the configuration. `unreadable` are the reasons, `unknown` the fields that cannot be read."""
    remedy = f"Grant the account the role {CONFIGURE_ROLES[found.scope]}; until then check the form manually"
    if storage is None:
        reason = (
            "no table or parameter has the labels of the form"
            if found.rows("columns")
            else "the account cannot read the columns of the application in sys_dictionary"
        )
        yield Problem(
            "configuration_unknown", WARNING, f"The table of the configuration was not found: {reason}", remedy
        )
    for reason in dict.fromkeys(unreadable):
        yield Problem("configuration_unknown", WARNING, f"The configuration is unknown: {reason}", remedy)
    if absent:
        yield Problem(
            "configuration_absent", ERROR, "The configuration is missing", f"Set {SIGN_IN}, or fill in the form",
        )  # fmt: skip
    for name in unknown:
        yield Problem(
            f"field_unknown:{name}", WARNING, f"The account cannot read {LABELS[name]} of the configuration", remedy
        )
    for name in settings.values if storage else ():
        if storage and name not in storage.columns:
            yield Problem(
                f"field_unknown:{name}",
                WARNING,
                f"{storage.table} has no column labelled {LABELS[name]}",
                "Check the form manually",
            )
    yield from _length_problems(settings, storage)


def _length_problems(settings: Settings, storage: Storage | None) -> Iterator[Problem]:
    for name in LISTS:
        length = len(",".join(settings.values.get(name) or ()))
        limit = (storage.lengths.get(name) if storage else None) or PARAMETER_LENGTH
        if length > limit:
            yield Problem(
                f"ids_too_long:{name}", WARNING, f"{name} needs {length} characters; the field holds {limit}",
                f"Use {named_option('management_groups', ROLE)}, which contain many subscriptions, or several integration instances; check what is imported",
            )  # fmt: skip
