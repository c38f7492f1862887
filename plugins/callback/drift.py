# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: drift
type: aggregate
short_description: Write a drift report as JSON, JUnit XML and HTML
version_added: 0.1.0
description:
  - Collects the results of all tasks by instance, and writes one report at the end of the run. No task and no registered
    variable is needed.
  - From every result, and from every item of a loop, it reads RV(ignore:drift), RV(ignore:manual_steps),
    RV(ignore:problems), RV(ignore:posture) and from RV(ignore:oauth_applications) the expiry of refresh tokens.
    Modules of other collections are included if they return RV(ignore:drift) in the same form.
  - An instance is C(failed) or C(unreachable) if it dropped out of the run, C(drift) if it deviates from its desired state
    or has manual steps, else C(clean). Failures that a playbook ignores or rescues do not count.
  - A deviation that was found in check mode is open. One that a run found and corrected is marked as repaired and does not
    count as drift.
  - The report is only written if at least one module of this collection ran.
options:
  report_dir:
    description:
      - The directory to write the report to. It is created with mode V(0700) if it does not exist, and the files get
        mode V(0600), because a report shows the weaknesses of an instance.
      - The play variable or extra variable C(drift_report_dir) takes precedence. It cannot use variables of a host.
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
      - The formats to write.
      - V(json) is C(drift.json) with all findings, for programs.
      - V(junit) is C(drift.xml), which CI systems display. A test suite is an instance, a test case an object, a failure a
        deviation, an error an instance that failed.
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
      - The name of the run. If the report in O(report_dir) is from a run with the same name, the new one is merged into it,
        so that the slices of one job write one report. The slices need a common directory and may end at the same time.
      - If two slices report the same instance, the worse status counts. Use another name to repeat a run.
      - Merging requires C(drift.json), which is then written in addition to O(formats).
      - If not set, each run replaces the report.
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
  - Results that C(no_log) hides are counted, but their content is not part of the report.
  - A failed task with the tag C(drift_fail) does not mark its host as failed in the report. The tag is meant for the task
    that fails a playbook because of drift.
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

- name: Fail a check if an instance deviates
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
    """Collects the findings of a run, and writes the report at its end."""

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
        """Record the name of the playbook, without its folder."""
        self._playbooks.append(os.path.basename(str(playbook._file_name)))

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """Record the name of the play, and the directory in its variables."""
        self._plays.append(str(play.get_name()))
        variables = play.get_variable_manager().get_vars(play=play)
        if variables.get(DIRECTORY_VARIABLE):
            templar = Templar(loader=play.get_loader(), variables=variables)
            try:
                self._directory = str(templar.template(variables[DIRECTORY_VARIABLE]))
            except AnsibleError as error:
                self._display.warning(f"{DIRECTORY_VARIABLE} is ignored: {error}")

    def v2_runner_on_ok(self, result: Any) -> None:
        """Add the result of a task."""
        self._add(result, OK)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Add the result and the message of a failed task."""
        self._add(result, FAILED, ignored=bool(ignore_errors))

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Add the reason why a host is unreachable."""
        self._add(result, UNREACHABLE, ignored=_part(result, "task").ignore_unreachable is True)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Write the report, and display its summary in one line."""
        if not self._fleet.seen:
            return
        # These counts do not include failures that a rescue block handled.
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
        # The task holds the values of its templates for this host.
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

    Ansible's own attribute, `resolved_action`, causes a warning when it is read after a loop.
    """
    action = str(task.action)
    return full_name(action) if COLLECTION.rstrip(".") in (task.collections or ()) else action


def _part(result: Any, name: str) -> Any:
    """Return a part of a task's result: public from ansible-core 2.19 on, with a leading underscore before."""
    return getattr(result, name) if hasattr(result, name) else getattr(result, f"_{name}")
