# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints failures and the summary of a run, and not every task of every host."""

from __future__ import annotations

DOCUMENTATION = r"""
name: summary
type: stdout
short_description: Print failures and the summary only
version_added: 1.0.0
author:
  - Contributors to secops.servicenow_defender (@secops-collections)
description:
  - Prints the name of each play that runs tasks, failures, messages of C(ansible.builtin.debug), such as the summary that each playbook of
    this collection ends with, and one line of counts. Equal lines of several hosts are printed once, with their names.
  - With C(--diff), it also prints the differences of each task.
  - With C(-v) or more, it prints what P(ansible.builtin.default#callback) prints.
  - A failure is shortened when it occurs, as the summary of a playbook has it again. If no summary has, it is printed at the end.
extends_documentation_fragment:
  - ansible.builtin.default_callback
  - ansible.builtin.result_format_callback
requirements:
  - Set C(stdout_callback = secops.servicenow_defender.summary) in the section C([defaults]) of C(ansible.cfg), or the environment variable
    E(ANSIBLE_STDOUT_CALLBACK). The playbook C(init) of this collection does so.
"""

EXAMPLES = r"""
# ansible.cfg
# [defaults]
# stdout_callback = secops.servicenow_defender.summary
"""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from ansible import constants
from ansible.plugins.callback.default import CallbackModule as Default

from ..plugin_utils.loop_items import FAILED, SKIPPED, LoopItems, part
from ..plugin_utils.summary.lines import named
from ..plugin_utils.summary.screen import COUNTS, Screen, counted, texts_of

Hook = Callable[..., None]
DEBUG = ("debug", "ansible.builtin.debug", "ansible.legacy.debug")
COLORS = {"failed": constants.COLOR_ERROR, "unreachable": constants.COLOR_UNREACHABLE}


def unless_verbose(hook: Hook) -> Hook:
    """Let Ansible's default callback do the work with -v."""

    @wraps(hook)
    def chosen(self: Any, *arguments: Any, **options: Any) -> None:
        if self._display.verbosity:
            getattr(Default, hook.__name__)(self, *arguments, **options)
        else:
            hook(self, *arguments, **options)

    return chosen


class CallbackModule(Default):  # type: ignore[misc]  # ansible-core declares no types
    """Ansible's default callback, without what is as expected."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "secops.servicenow_defender.summary"

    def __init__(self) -> None:
        super().__init__()
        self._screen = Screen()
        self._items = LoopItems()
        self._title = ""

    @unless_verbose
    def v2_playbook_on_play_start(self, play: Any) -> None:
        """Keep the name of the play until one of its tasks runs."""
        self._flush()
        self._play = play
        self._title = str(play.get_name()).strip()

    @unless_verbose
    def v2_playbook_on_no_hosts_matched(self) -> None:
        """Print nothing for a play without hosts."""
        self._title = ""

    @unless_verbose
    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """Print what the task before has left."""
        self._flush()

    @unless_verbose
    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        """Print what the task before has left."""
        self._flush()

    @unless_verbose
    def v2_runner_on_ok(self, result: Any) -> None:
        """Keep the message of a debug task."""
        self._begin(result)
        task = part(result, "task")
        if str(task.action) not in DEBUG:
            self._items.forget(result)
            return
        content = self._items.marked(result)
        if not content.get("_ansible_no_log"):
            for text in texts_of(content, looped=bool(task.loop)):
                self._screen.note("", _host(result), text)

    @unless_verbose
    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Keep a failure that is not ignored."""
        self._begin(result)
        if ignore_errors:
            self._items.forget(result)
        else:
            self._keep_failure("failed", result)

    @unless_verbose
    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Keep that a host is unreachable."""
        self._begin(result)
        self._keep_failure("unreachable", result)

    @unless_verbose
    def v2_runner_on_skipped(self, result: Any) -> None:
        """Print nothing."""
        self._items.forget(result)

    @unless_verbose
    def v2_runner_item_on_ok(self, result: Any) -> None:
        """Print nothing: the result of the loop has all items."""
        self._items.note(result)

    @unless_verbose
    def v2_runner_item_on_failed(self, result: Any) -> None:
        """Print nothing: the result of the loop has all items."""
        self._items.note(result, FAILED)

    @unless_verbose
    def v2_runner_item_on_skipped(self, result: Any) -> None:
        """Print nothing."""
        self._items.note(result, SKIPPED)

    @unless_verbose
    def v2_runner_retry(self, result: Any) -> None:
        """Print nothing: the last try has the result."""

    @unless_verbose
    def v2_playbook_on_include(self, included_file: Any) -> None:
        """Print nothing."""

    @unless_verbose
    def v2_on_file_diff(self, result: Any) -> None:
        """Print the differences of a task under the name of its host."""
        found = part(result, "result")
        rows = found["results"] if part(result, "task").loop and "results" in found else [found]
        for row in rows:
            text = self._get_diff(row["diff"]) if row.get("diff") and row.get("changed") else ""
            if text:
                self._show_title()
                self._display.display(f"{_host(result)}: {_name(result)}")
                self._display.display(text)

    @unless_verbose
    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Print the counts of all hosts in one line."""
        self._flush()
        self._show(self._screen.rest())
        summaries = {host: stats.summarize(host) for host in sorted(stats.processed)}
        total = {key: sum(each[key] for each in summaries.values()) for key in COUNTS}
        self._display.display(counted(len(summaries), total))

    def _begin(self, result: Any) -> None:
        """Print the title of the play with its first task, and the warnings of a result."""
        self._show_title()
        # Not the exception, which ansible-core would display with an excerpt of the playbook: the message has the reason.
        if _may_warn(result):
            self._handle_warnings(part(result, "result"))

    def _show_title(self) -> None:
        if self._title:
            self._display.display(f"{self._title} ...")
            self._title = ""

    def _keep_failure(self, word: str, result: Any) -> None:
        found = self._items.marked(result)
        hidden = "the reason is hidden by no_log" if found.get("_ansible_no_log") else ""
        looped = bool(part(result, "task").loop)
        for text in [hidden] if hidden else texts_of(found, looped=looped, failed=True):
            self._screen.note(word, _host(result), text, task=_name(result))

    def _flush(self) -> None:
        self._show(self._screen.take())

    def _show(self, lines: Iterable[tuple[str, list[str], str]]) -> None:
        for word, hosts, text in lines:
            self._display.display(f"{word}: {named(hosts)}: {text}" if word else text, color=COLORS.get(word))


def _host(result: Any) -> str:
    return str(part(result, "host").get_name())


def _name(result: Any) -> str:
    # Without the role, which Ansible puts in front.
    return str(part(result, "task").get_name()).rpartition(" : ")[2].strip()


def _may_warn(result: Any) -> bool:
    """Return whether a result has warnings. From ansible-core 2.19 on, it is converted as a whole when it is read, which takes long."""
    known = getattr(result, "_return_data", None)
    return known is None or any(known.get(name) for name in ("warnings", "deprecations"))
