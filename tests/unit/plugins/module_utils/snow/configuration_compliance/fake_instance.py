# SPDX-License-Identifier: GPL-3.0-or-later
"""An instance with Configuration Compliance, played on rows; what is where is one possible reading.

See docs/facts/configuration_compliance.md#private-configuration-table.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.unit.plugins.module_utils.loopback import Loopback, Received, Reply, answer, failure, rows
from tests.unit.plugins.module_utils.snow.encoded_query import parse
from tests.unit.plugins.module_utils.snow.fake_batch_api import with_batches

Row = dict[str, str]
NEW, OLD = "sn_vul_msft_tvm", "sn_vul_asc"
CONFIG = "sn_vul_msft_tvm_mdc_config"
COLUMNS = {
    "api_url": "API URL", "tenant": "Tenant ID", "client": "Client ID", "secret": "Client Secret", "import_from": "Import findings from",
    "groups": "Management Group IDs", "subs": "Subscription IDs", "validation_status": "Validation status",
}  # fmt: skip
JOBS = {
    "policy_definitions": "Microsoft Defender for Cloud Policy Definition(s) Integration",
    "assessment_metadata": "Microsoft Defender for Cloud Assessment Metadata Integration",
    "compliance_standards": "Microsoft Defender for Cloud Compliance Standards & Controls Integration",
    "assessments": "Microsoft Defender for Cloud Assessment Integration",
    "comprehensive_assessments": "Microsoft Defender for Cloud Comprehensive Assessment Integration",
    "container_images": "Microsoft Defender for Cloud Container Image Vulnerabilities Integration",
}
REFERENCES = {
    "run_as": "sys_user",
    "integration": "sn_sec_int_integration",
    "super_class": "sys_db_object",
    "user": "sys_user",
}
NOW = "2026-06-25 12:00:00"
SVC = "svc_ansible"


@dataclass
class Compliant:
    """The instance. `refuses` holds tables whose rows take no writes, `hides` columns, `closed` tables that may not be read.

    `shadows` are sys_ids that are counted but not shown. `written` lists what was written: verb, table, values.
    """

    tables: dict[str, list[Row]] = field(default_factory=dict)
    refuses: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    hides: set[tuple[str, str]] = field(default_factory=set)
    shadows: set[str] = field(default_factory=set)
    written: list[tuple[str, str, Row]] = field(default_factory=list)
    other: Callable[[Received], Reply] | None = None
    clock: str = NOW
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def serve(self, server: Loopback) -> Compliant:
        server.answers_by(with_batches(self._answer))
        return self

    def add(self, table: str, **values: str) -> Row:
        row = {"sys_id": f"{next(self._numbers):032x}", "sys_mod_count": "3", "sys_created_by": "admin", **values}
        self.tables.setdefault(table, []).append(row)
        return row

    def row(self, table: str, **match: str) -> Row:
        (found,) = (row for row in self.tables[table] if all(row.get(k) == v for k, v in match.items()))
        return found

    def run(self, job: str, started: str, state: str = "Complete", substate: str = "Success", **more: str) -> Row:
        """Add a run of a job, a minute long."""
        table = next(name for name in self.tables if name.endswith("_integration") and name.startswith("sn_vul"))
        sys_id = self.row(table, name=JOBS[job])["sys_id"]
        number = f"VINTRUN{next(self._numbers):07d}"
        values = {
            "number": number,
            "integration": sys_id,
            "state": state,
            "substate": substate,
            "start_datetime": started,
        }
        ended = "" if state == "Running" else started[:-2] + "59"
        return self.add("sn_vul_integration_run", **values, end_datetime=ended, **more)

    def run_all(self, day: str = "2026-06-20") -> None:
        """Let each job have a good run, in the right order."""
        for hour, job in enumerate(JOBS, 1):
            self.run(job, f"{day} {hour:02d}:00:00")

    # -- the Table API ------------------------------------------------------------------------------------------------

    def _answer(self, request: Received) -> Reply:
        parts = request.path.strip("/").split("/")
        if parts[:3] == ["api", "now", "stats"]:
            return self._counted(request, parts[3])
        if parts[:3] != ["api", "now", "table"]:
            return self.other(request) if self.other else failure(404, "no such API")
        if request.method == "GET":
            return self._read(request, parts[3])
        return self._write(request, parts[3], parts[4] if len(parts) > 4 else "")

    def _select(self, request: Received, table: str) -> list[Row]:
        query = parse(request.query.get("sysparm_query", ""))
        found = [row for row in self.tables[table] if query.matches(self._walked(row, query))]
        for name in reversed(query.order):
            found.sort(key=lambda row: row.get(name.removeprefix("DESC"), ""), reverse=name.startswith("DESC"))
        return found

    def _walked(self, row: Row, query: Any) -> Row:
        names = [term.field for alternatives in query.conditions for term in alternatives]
        # A condition on a field that does not exist is dropped.
        return {**{name: self._value(row, name) or "" for name in names if "." in name}, **row}

    def _value(self, row: Row, name: str) -> str | None:
        first, _, rest = name.partition(".")
        if not rest or name in row:
            return row.get(name)
        target = self.tables.get(REFERENCES.get(first, ""), [])
        return next((self._value(other, rest) for other in target if other["sys_id"] == row.get(first)), None)

    def _read(self, request: Received, table: str) -> Reply:
        if table not in self.tables:
            return failure(400, f"Invalid table {table}")
        if table in self.closed:
            return failure(403, "User Not Authorized", "Failed API level ACL Validation")
        found = self._select(request, table)
        page = found[: int(request.query["sysparm_limit"])]
        wanted = request.query.get("sysparm_fields", "").split(",")
        shown = []
        for row in page:
            if row["sys_id"] in self.shadows:
                continue
            values = {name: self._value(row, name) for name in wanted if (table, name) not in self.hides}
            shown.append({name: value for name, value in values.items() if value is not None})
        return rows(*shown, total=len(found))

    def _counted(self, request: Received, table: str) -> Reply:
        if table not in self.tables or table in self.closed:
            return failure(400, f"Invalid table {table}") if table not in self.tables else failure(403, "no")
        columns = request.query["sysparm_group_by"].split(",")
        visible = [row for row in self.tables[table] if row["sys_id"] not in self.shadows]
        groups = Counter(tuple(row.get(name, "") for name in columns) for row in visible)
        return answer(
            {
                "result": [
                    {
                        "stats": {"count": str(count)},
                        "groupby_fields": [{"field": n, "value": v} for n, v in zip(columns, values, strict=True)],
                    }
                    for values, count in sorted(groups.items())
                ]
            }
        )

    def _write(self, request: Received, table: str, sys_id: str) -> Reply:
        if table in self.refuses:
            return failure(403, "Operation Failed", "ACL Exception Update Failed due to security constraints")
        values = dict(request.json)
        verb = "create" if request.method == "POST" else "update"
        self.written.append((verb, table, values))
        row = (
            self.add(table, sys_mod_count="0", sys_created_by=SVC)
            if verb == "create"
            else self.row(table, sys_id=sys_id)
        )
        if "secret" in values or "password_value" in values:
            assert request.query["sysparm_input_display_value"] == "true", "an encrypted field takes a display value"
            values = {name: f"encrypted:{value}" for name, value in values.items()}
        count = str(int(row["sys_mod_count"]) + (verb == "update"))
        row.update(values, sys_updated_on=self.clock, sys_updated_by=SVC, sys_mod_count=count)
        return answer({"result": row}, 201 if verb == "create" else 200)


def instance(**more: Any) -> Compliant:
    """Return an instance with the new application, its default configuration untouched, and no run so far."""
    it = Compliant(**more)
    admin, system = it.add("sys_user", user_name=SVC), it.add("sys_user", user_name="VR.System")
    it.add(
        "sys_user_has_role", **{"user": admin["sys_id"], "user.user_name": SVC, "role.name": "admin", "state": "active"}
    )
    for table in ("v_plugin", "sys_plugins", "sys_choice", "sn_vul_integration_run", "sn_vulc_result", "sn_vulc_test"):
        it.tables[table] = []
    it.add("v_plugin", id="com.snc.vulc", version="15.9.0", active="active")
    it.add("sys_store_app", scope=NEW, version="3.0.3", active="true")
    it.add("sys_scope", scope="global", active="true")
    for table in ("sys_user", "sn_vulc_result", "sn_sec_int_impl", CONFIG):
        it.add("sys_db_object", name=table)
    for element, label in COLUMNS.items():
        it.add(
            "sys_dictionary",
            name=CONFIG,
            element=element,
            column_label=label,
            max_length="1000" if element == "subs" else "100",
        )
    it.add(
        "sys_dictionary",
        name=CONFIG,
        element="instance_ref",
        column_label="Integration instance",
        reference="sn_sec_int_impl",
    )
    for value, label in (("0", "All"), ("1", "Specific Management Groups"), ("2", "Specific Subscriptions")):
        it.add("sys_choice", name=CONFIG, element="import_from", value=value, label=label)
    feed = it.add("sn_sec_int_integration", name="Microsoft Defender for Cloud", id="mdc", source="Defender for Cloud")
    it.add("sn_sec_int_integration", name="Qualys", id="qualys", source="Qualys")
    impl = it.add(
        "sn_sec_int_impl", name="Defender default", active="true", is_default="true", integration=feed["sys_id"]
    )
    it.add(
        "sn_sec_int_impl",
        name="Qualys",
        active="true",
        is_default="true",
        integration=it.row("sn_sec_int_integration", id="qualys")["sys_id"],
    )
    it.tables["sn_sec_int_config"] = []
    it.add(
        CONFIG, instance_ref=impl["sys_id"], validation_status="", sys_updated_on="2026-05-01 00:00:00", sys_updated_by="system",
        api_url="https://management.azure.com/", tenant="", client="", secret="", import_from="0", groups="", subs="",
    )  # fmt: skip
    for name in JOBS.values():
        it.add("sn_vul_integration", name=name, active="true", run_as=system["sys_id"], instance=impl["sys_id"])
    return it
