# SPDX-License-Identifier: GPL-3.0-or-later
"""Applications, choice lists and numbers of a saved fleet."""

from __future__ import annotations

from pathlib import Path

from tests.sandbox.fleet import Fleet


def test_applications_choice_lists_and_numbers_survive_a_restart(tmp_path: Path) -> None:
    fleet = Fleet()
    fleet.create("acme", {"configuration_compliance": "tvm", "tickets": {"close_codes": "old"}})
    fleet.run_jobs("acme", {"outcome": "success", "counts": {"unhealthy": 2}})
    fleet.save(tmp_path / "fleet.json")
    again = Fleet()
    again.load(tmp_path / "fleet.json")
    instance = again.instances["acme"].instance
    assert len(list(instance.database.scan("sn_vulc_result"))) == 2
    assert "Solved (Permanently)" in instance.database.schema.tables["incident"].columns["close_code"].choices
    last = max(row["number"] for row in instance.database.scan("sn_vul_integration_run"))
    assert instance.next_number("sn_vul_integration_run") > last
    assert again.run_jobs("acme", {"outcome": "success", "counts": {"unhealthy": 2}})["runs"][3]["vi_updated"] == 2
