# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: drift
type: aggregate
short_description: Writes what deviates on which instance as JSON, JUnit and one HTML page
version_added: 0.1.0
description:
  - Gathers what the tasks of a run report about the instances they ran for, and writes one report when the run ends.
    No task and no registered variable is needed.
  - From every result, and from every item of a loop, it takes RV(ignore:drift), RV(ignore:manual_steps),
    RV(ignore:problems), RV(ignore:posture) and from RV(ignore:oauth_applications) the expiry of refresh tokens.
    Modules outside this collection take part when they return RV(ignore:drift) in the same form.
  - An instance is C(failed) or C(unreachable) when it dropped out of the run, C(drift) when something deviates
    or is left to do by hand, else C(clean). Failures that a playbook ignores or rescues do not count.
  - A deviation that was found in check mode is open. One that a real run found and changed is marked as repaired
    and does not make its instance deviate.
  - The report is only written when at least one module of this collection ran.
options:
  report_dir:
    description:
      - The directory to write the report to. It is created with mode V(0700) if it does not exist, and the files get
        mode V(0600), because a report tells where an instance is weak.
      - The play variable or extra variable C(drift_report_dir) wins over this option. It cannot use variables of a host.
        A relative path there is relative to the current directory.
    type: path
    default: ./drift-report
    env:
      - name: SERVICENOW_DEFENDER_REPORT_DIR
    ini:
      - section: callback_servicenow_defender_drift
        key: report_dir
  formats:
    description:
      - What to write.
      - V(json) is C(drift.json), everything that was found, for programs.
      - V(junit) is C(drift.xml), which any CI system shows. A test suite is an instance, a test case an object,
        a failure a deviation, an error an instance that dropped out.
      - V(html) is C(drift.html), one page that needs no network and no JavaScript.
    type: list
    elements: str
    choices:
      - json
      - junit
      - html
    default:
      - json
      - junit
      - html
    env:
      - name: SERVICENOW_DEFENDER_REPORT_FORMATS
    ini:
      - section: callback_servicenow_defender_drift
        key: formats
  run_id:
    description:
      - A name for the run. When the report that lies in O(report_dir) is of a run with the same name, this one is
        merged into it, so that the slices of one job make one report. The slices need a common directory and may end
        at the same time.
      - Of what two slices say about the same instance, the worse holds. Give a run that repeats another a name of
        its own.
      - Merging needs C(drift.json), which is then written whatever O(formats) says.
      - Without it each run replaces the report.
    type: str
    env:
      - name: SERVICENOW_DEFENDER_RUN_ID
    ini:
      - section: callback_servicenow_defender_drift
        key: run_id
requirements:
  - Enable it with C(callbacks_enabled = secops.servicenow_defender.drift) in the section C([defaults]) of
    C(ansible.cfg), or with the environment variable E(ANSIBLE_CALLBACKS_ENABLED).
notes:
  - Results that C(no_log) hides are counted, and nothing else about them is known to the report.
  - A failing task with the tag C(drift_fail) does not make its host failed in the report. It is meant for the task
    that ends a playbook because of the drift that was found.
author:
  - Contributors to secops.servicenow_defender (@secops-collections)
"""

EXAMPLES = r"""
# ansible.cfg
# [defaults]
# callbacks_enabled = secops.servicenow_defender.drift
#
# [callback_servicenow_defender_drift]
# report_dir = ./reports

# On the command line:
# ANSIBLE_CALLBACKS_ENABLED=secops.servicenow_defender.drift \
#   ansible-playbook secops.servicenow_defender.drift -i inventory.yml --check -e drift_report_dir=reports

- name: End a check with a failure where something deviates
  hosts: servicenow
  gather_facts: false
  vars:
    drift_report_dir: "{{ playbook_dir }}/reports"
  tasks:
    - name: Compare the properties
      secops.servicenow_defender.snow_properties:
        properties:
          glide.ui.session_timeout: 30
      check_mode: true
      register: compared

    - name: Fail on drift
      ansible.builtin.assert:
        that: not compared.drift
      tags:
        - always
        - drift_fail
"""

import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.callback import CallbackBase
from ansible.template import Templar

from ..plugin_utils.report.collect import UNREACHABLE, Fleet, TaskReport
from ..plugin_utils.report.document import make, summary
from ..plugin_utils.report.objects import COLLECTION, FAILED, OK, full_name
from ..plugin_utils.report.store import ReportError, write

DIRECTORY_VARIABLE = "drift_report_dir"
VERDICT_TAG = "drift_fail"


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible-core declares no types
    """Turns Ansible's events into findings, and the findings into a report when the run ends."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "secops.servicenow_defender.drift"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._fleet = Fleet()
        self._playbooks: list[str] = []
        self._plays: list[str] = []
        self._directory = ""
        self._started_at = datetime.now(timezone.utc)

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """Remember the playbook's name; its folder is nobody's business."""
        self._playbooks.append(os.path.basename(str(playbook._file_name)))

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """Remember the play's name, and the directory its variables ask for."""
        self._plays.append(str(play.get_name()))
        variables = play.get_variable_manager().get_vars(play=play)
        if variables.get(DIRECTORY_VARIABLE):
            templar = Templar(loader=play.get_loader(), variables=variables)
            try:
                self._directory = str(templar.template(variables[DIRECTORY_VARIABLE]))
            except AnsibleError as error:
                self._display.warning(f"{DIRECTORY_VARIABLE} is ignored: {error}")

    def v2_runner_on_ok(self, result: Any) -> None:
        """Take in what a task reported."""
        self._add(result, OK)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Take in what a failed task reported all the same, and why it failed."""
        self._add(result, FAILED, ignored=bool(ignore_errors))

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Take in why a host could not be reached."""
        self._add(result, UNREACHABLE, ignored=_part(result, "task").ignore_unreachable is True)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Write the report, and say so in one line."""
        if not self._fleet.seen:
            return
        # What a rescue block handled is not in these counts.
        self._fleet.settle({host: stats.failures.get(host, 0) + stats.dark.get(host, 0) for host in stats.processed})
        now = datetime.now(timezone.utc)
        play = {
            "playbooks": sorted(set(self._playbooks)),
            "plays": list(dict.fromkeys(self._plays)),
            "started_at": self._started_at.isoformat(timespec="seconds"),
            "run_id": self.get_option("run_id") or None,
        }
        directory = Path(os.path.abspath(os.path.expanduser(self._directory or str(self.get_option("report_dir")))))
        try:
            path, document = write(directory, make(self._fleet, play, now), self.get_option("formats"), now)
        except ReportError as error:
            self._display.warning(str(error))
            return
        self._display.display(f"drift: {summary(document)}; report: {path}")

    def _add(self, result: Any, outcome: str, *, ignored: bool = False) -> None:
        # The task carries the values that its templates had for this host.
        task = _part(result, "task")
        self._fleet.add(
            TaskReport(
                host=str(_part(result, "host").get_name()),
                action=_full_name(task),
                result=_part(result, "result"),
                task=str(task.get_name()).strip(),
                outcome=outcome,
                check_mode=task.check_mode is True,
                loop=bool(task.loop_with or task.loop is not None),
                ignored=ignored,
                verdict=VERDICT_TAG in (task.tags or ()),
            )
        )


def _full_name(task: Any) -> str:
    """Return the full name of a task's module, also where the play uses the short one (keyword `collections`).

    Ansible's own answer, `resolved_action`, comes with a warning when it is asked for after a loop.
    """
    action = str(task.action)
    return full_name(action) if COLLECTION.rstrip(".") in (task.collections or ()) else action


def _part(result: Any, name: str) -> Any:
    """Return a part of a task's result: public from ansible-core 2.19 on, with a leading underscore before."""
    return getattr(result, name) if hasattr(result, name) else getattr(result, f"_{name}")
