# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: drift
type: aggregate
short_description: Write a drift report as JSON, JUnit XML, HTML and Markdown
version_added: 1.0.0
description:
  - Collects the results of all tasks by instance, and writes one report at the end of the run. No task and no registered
    variable is needed.
  - From every result, and from every item of a loop, it reads RV(ignore:drift), RV(ignore:unproven), RV(ignore:manual_steps),
    RV(ignore:problems), RV(ignore:posture), the hardening settings and accepted deviations in RV(ignore:results), and the
    end of refresh tokens and client secrets.
    Modules of other collections are included if they return RV(ignore:drift) in the same form.
  - An instance is C(failed) or C(unreachable) if it dropped out of the run, C(drift) if it deviates from its desired state
    or has manual steps, C(unproven) if something could not be compared, else C(in_sync). Failures that a playbook ignores or
    rescues do not count.
  - The host of the Microsoft tenant, which is in the group C(defender) or the one that C(servicenow_defender_tenant) names, is
    counted apart from the instances. A tenant that a playbook needs and that the inventory lacks is C(unproven), with the name of its group.
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
      - V(json) is C(drift.json) with all findings, for programs. Of objects in sync it has the names, by kind.
      - V(junit) is C(drift.xml), which CI systems display. A test suite is an instance, a test case an object, a failure a
        deviation, an error an instance that failed, or of the type C(unproven) an object that could not be compared.
      - V(html) is C(drift.html), one page that needs no network. Without JavaScript it cannot be filtered or sorted, and with more than 100
        hosts the details of a single one are missing. It has at most about 1.5 MB for a thousand instances, and says what it leaves out.
      - V(markdown) is C(drift.md), for a comment on a pull or merge request, with the same sections.
      - Page and Markdown list what instances share once.
    type: list
    elements: str
    choices:
      - json
      - junit
      - html
      - markdown
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
      - The play variable or extra variable C(drift_run_id) takes precedence. It cannot use variables of a host.
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
  - A report replaces the one in O(report_dir), and has what is new and what is gone since then, and the totals of up to 52 runs before, if
    they were runs of the same playbooks. A finding counts as gone if its object is in sync, or if all modules that reported the host
    then did so again, without it.
  - An earlier report that is damaged is kept as C(drift.damaged.json), with a warning.
  - A report that cannot be written to O(report_dir) is written to a new temporary directory, which a warning names.
  - A slice that ends after a later run has replaced the report of its run does not replace that one. It is kept as C(drift.run-<run_id>.json),
    with a warning, as is a report of another run that has no host in common with the one that replaces it.
  - Results that C(no_log) hides are counted, but their content is not part of the report.
  - A failed task with the tag C(drift_fail) does not mark its host as failed in the report. The tag is meant for the task
    that fails a playbook because of drift.
  - Results of tasks with the tag C(drift_ignore) are not part of the report. The tag is meant for tasks that read without comparing, such as
    those of the playbook C(doctor), which must not replace a report.
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
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.callback import CallbackBase
from ansible.template import Templar

from ..plugin_utils.fleet import DEFAULT_INSTANCES, DEFAULT_TENANT, INSTANCES_VARIABLE, TENANT_VARIABLE
from ..plugin_utils.loop_items import SKIPPED, LoopItems, part
from ..plugin_utils.report.collect import UNREACHABLE, Fleet, TaskReport
from ..plugin_utils.report.document import make, summary
from ..plugin_utils.report.objects import COLLECTION, FAILED, OK, full_name
from ..plugin_utils.report.store import ReportError, write

DIRECTORY_VARIABLE = "drift_report_dir"
RUN_VARIABLE = "drift_run_id"
VERDICT_TAG = "drift_fail"
IGNORED_TAG = "drift_ignore"


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible-core declares no types
    """Collects the findings of a run, and writes the report at its end."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "secops.servicenow_defender.drift"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._fleet = Fleet()
        self._items = LoopItems()
        self._playbooks: list[str] = []
        self._plays: list[str] = []
        self._directory = self._run_id = ""
        self._started_at = datetime.now(timezone.utc)

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """Record the name of the playbook, without its folder."""
        self._playbooks.append(os.path.basename(str(playbook._file_name)))

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """Record the name of the play, directory and run in its variables, and the hosts of the inventory."""
        self._plays.append(str(play.get_name()))
        variables = play.get_variable_manager().get_vars(play=play)
        groups = variables.get("groups", {})
        self._fleet.inventory = tuple(groups.get("all", ()))
        templar = Templar(loader=play.get_loader(), variables=variables)
        tenant = self._text(templar, variables, TENANT_VARIABLE) or DEFAULT_TENANT
        self._fleet.tenants = frozenset(groups.get(tenant, ()))
        # A host in both groups is an instance, as in the summary.
        instances = self._text(templar, variables, INSTANCES_VARIABLE) or DEFAULT_INSTANCES
        self._fleet.instances = self._fleet.tenants & frozenset(groups.get(instances, ()))
        self._directory = self._text(templar, variables, DIRECTORY_VARIABLE) or self._directory
        self._run_id = self._text(templar, variables, RUN_VARIABLE) or self._run_id

    def _text(self, templar: Any, variables: dict[str, Any], name: str) -> str:
        """Return the text of a variable, "" if it has none or is ignored with a warning."""
        if not variables.get(name):
            return ""
        try:
            value = templar.template(variables[name])
        except AnsibleError as error:
            self._display.warning(f"{name} is ignored: {error}")
            return ""
        if isinstance(value, (str, int)) and not isinstance(value, bool):
            return str(value)
        self._display.warning(f"{name} is ignored: it must be text, not {value!r}")
        return ""

    def v2_runner_on_ok(self, result: Any) -> None:
        """Add the result of a task."""
        self._add(result, OK)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Add the result and the message of a failed task."""
        self._add(result, FAILED, ignored=bool(ignore_errors))

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Add the reason why a host is unreachable."""
        self._add(result, UNREACHABLE, ignored=part(result, "task").ignore_unreachable is True)

    def v2_runner_on_skipped(self, result: Any) -> None:
        """Forget how the items of a loop ended that has no result."""
        self._items.forget(result)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        """Note how an item of a loop ended, whose result comes with that of the loop."""
        self._items.note(result)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        """Note that an item of a loop failed."""
        self._items.note(result, FAILED)

    def v2_runner_item_on_skipped(self, result: Any) -> None:
        """Note that an item of a loop was skipped."""
        self._items.note(result, SKIPPED)

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
            "run_id": self._run_id or self.get_option("run_id") or None,
        }
        directory = Path(os.path.abspath(os.path.expanduser(self._directory or str(self.get_option("report_dir")))))
        report, formats = make(self._fleet, play, now), self.get_option("formats")
        try:
            path, document = write(directory, report, formats, now)
        except ReportError as error:
            try:
                path, document = write(Path(tempfile.mkdtemp(prefix="drift-report-")), report, formats, now)
            except (ReportError, OSError):
                self._display.warning(str(error))
                return
            self._display.warning(f"{error}; it is in {path.parent} instead")
        for note in document["play"].get("notes") or []:
            self._display.warning(note)
        self._display.display(f"drift: {summary(document)}; report: {path}")

    def _add(self, result: Any, outcome: str, *, ignored: bool = False) -> None:
        # The task holds the values of its templates for this host.
        task, content = part(result, "task"), self._items.marked(result)
        if IGNORED_TAG in (task.tags or ()):
            return
        self._fleet.add(
            TaskReport(
                host=str(part(result, "host").get_name()),
                action=_full_name(task),
                result=content,
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
