# SPDX-License-Identifier: GPL-3.0-or-later
"""Which settings the update set of an administrator holds."""

from __future__ import annotations

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.secret_policy import NeverWrite
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.snapshot import Snapshot, merged
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.baseline import select
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.catalogue import BY_ID
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.connection_impact import Connections
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.observe import Observer
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.queries import WHOLE_ROW
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.resource import Hardening
from ansible_collections.secops.servicenow_defender.plugins.module_utils.hardening.write_policy import Allowances
from tests.unit.plugins.module_utils.hardening.fake_settings import Shown


@pytest.mark.parametrize("private", ["true", "false", ""])
def test_private_properties_are_manual_steps_and_not_imported(private: str) -> None:
    shown = Shown()
    shown.put(BY_ID["csrf.strict"], "false")
    shown.tables["sys_properties"][-1].update(write_roles="security_admin", is_private=private)
    selection = select(ids=["csrf.strict"])
    observer = Observer(selection.settings, shown.account, None, WHOLE_ROW)
    hardening = Hardening(selection, observer, Allowances(), Connections([], "basic", ""))
    reads = merged(hardening.reads())
    plan = hardening.plan(Snapshot.of(reads, shown.answer(reads), "sys_id"), NeverWrite())
    (step,) = plan.manual_steps
    assert ("an import leaves private properties out" in step.reason) == (private == "true")
    assert [entry.setting.id for entry, _value in hardening.properties_to_import()] == (
        [] if private == "true" else ["csrf.strict"]
    )
