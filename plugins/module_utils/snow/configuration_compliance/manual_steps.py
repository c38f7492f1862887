# SPDX-License-Identifier: GPL-3.0-or-later
"""Manual steps for Configuration Compliance, with every value to enter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...engine.result import ManualStep
from ...engine.snapshot import Row
from .constants import (
    CONFIGURE_ROLES,
    FORM,
    IMPLEMENTATIONS,
    MANAGEMENT_GROUPS,
    NEW,
    OLD,
    OLD_NAME,
    RUN_AS,
    SUBSCRIPTIONS,
)
from .detection import BOTH, Detected
from .discovery import Job
from .settings import Settings

ROOT = "configuration_compliance"
READER = "Security Reader"


def configuration_step(settings: Settings, scope: str, implementation: Row | None) -> ManualStep:
    """Return the step to fill in the form; its reason applies if REST cannot write it."""
    name = (implementation or {}).get("name") or settings.integration_instance
    return ManualStep(
        id=f"{ROOT}:configuration",
        title="Fill in the Microsoft Defender for Cloud Configuration, then press Save and test",
        reason=f"Writing it by REST requires the role {CONFIGURE_ROLES[scope]}, and tables that other application scopes can write",
        where=FORM[scope],
        values={**({"Integration instance": name} if name else {}), **settings.form_values},
        secret_values=settings.secret_labels,
    )


def instance_step(implementation: Row) -> ManualStep:
    """Return the step to activate the integration instance."""
    name = implementation.get("name", "")
    return ManualStep(
        id=f"{ROOT}:integration_instance",
        title=f"Activate the integration instance {name}",
        reason="The record may be writable only in the scope of the application",
        where=f"All > {IMPLEMENTATIONS}.LIST > {name}",
        values={"Active": "true"},
    )


def job_step(job: Job) -> ManualStep:
    """Return the step to activate a job and set its user."""
    return ManualStep(
        id=f"{ROOT}:job:{job.key}",
        title=f"Activate the job {job.name} and set Run as to {RUN_AS}",
        reason="Run as another user, attachments on the data source multiply",
        where=f"All > {job.table}.LIST > {job.name}",
        values={"Active": "true", "Run as": RUN_AS},
    )


def run_step(jobs: Sequence[Job], scope: str) -> ManualStep:
    """Return the step to run jobs manually, in their order."""
    tables = " or ".join(dict.fromkeys(f"{job.table}.LIST" for job in jobs))
    return ManualStep(
        id=f"{ROOT}:run_jobs",
        title="Press Save and test in the configuration, then Execute Now on each job, one after the other",
        reason="Neither button has a documented REST call. The schedule starts the jobs as well; a run that ends with Complete and Success "
        "after the last change of the configuration verifies it",
        where=f"{FORM[scope]}; then All > {tables} > the job > Execute Now",
        values={str(number): job.name for number, job in enumerate(jobs, 1)},
    )


def entra_step(settings: Settings, shown: Mapping[str, object]) -> ManualStep:
    """Return the step to register the application that the integration signs in as; `shown` is the actual configuration."""
    known = {**{name: value for name, value in shown.items() if value}, **settings.values}
    values = {"Supported account types": "Single tenant", "Role": READER, "Scope of the role": _scopes(known)}
    if known.get("tenant_id"):
        values["Directory (tenant) ID"] = str(known["tenant_id"])
    if known.get("client_id"):
        values["Application (client) ID"] = str(known["client_id"])
    return ManualStep(
        id=f"{ROOT}:entra_application",
        title=f"Register an application in Microsoft Entra, with a client secret and the role {READER}",
        reason="The first run of the Assessment Integration that ends with Complete and Success verifies it. Defender for Cloud needs "
        "neither API permissions nor admin consent",
        where="Azure portal > Microsoft Entra ID > App registrations > New registration > Certificates & secrets; then the subscription or "
        "management group > Access control (IAM) > Add role assignment",
        values=values,
        secret_values=["Client secret"],
    )


def _scopes(known: Mapping[str, object]) -> str:
    groups, subscriptions = known.get(MANAGEMENT_GROUPS), known.get(SUBSCRIPTIONS)
    chosen = known.get("import_from")
    if chosen == MANAGEMENT_GROUPS and isinstance(groups, (list, tuple)):
        return ", ".join(f"/providers/Microsoft.Management/managementGroups/{name}" for name in groups)
    if chosen == SUBSCRIPTIONS and isinstance(subscriptions, (list, tuple)):
        return ", ".join(f"/subscriptions/{name}" for name in subscriptions)
    return "every subscription to import, or a management group that contains them"


def migration_steps(found: Detected) -> list[ManualStep]:
    """Return the steps to migrate from the old application (docs/facts/configuration_compliance.md#migration), in order."""
    generation = found.generation
    if generation not in (OLD, BOTH):
        return []
    reason = "The store has no REST call that uninstalls an application"
    if found.line == "usem":
        reason += ". Deactivate the integrations and jobs first"
    steps = [
        ManualStep(
            id=f"{ROOT}:migration:uninstall",
            title=f"Uninstall {OLD_NAME}",
            reason=reason,
            where="Application Manager > Installed",
            values={"Name": OLD_NAME},
        )
    ]
    if generation == OLD:
        steps.append(
            ManualStep(
                id=f"{ROOT}:migration:install",
                title=f"Install {NEW}, which replaced {OLD_NAME} in April 2026",
                reason="Its version determines the product line: 31 and later are for USEM, which is irreversible",
                where="All > System Applications > All Available Applications > All",
                values={"Application": NEW},
            )
        )
    steps.append(
        ManualStep(
            id=f"{ROOT}:migration:data",
            title="Migrate the data of the old application with Execute Now, and read the log",
            reason="Execute Now has no documented REST call. Without such a job there is no old data",
            where="All > System Definition > Scheduled Jobs",
            values={"Name": f"Migrate data of {OLD_NAME}"},
        )
    )
    return steps
