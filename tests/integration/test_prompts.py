# SPDX-License-Identifier: GPL-3.0-or-later
"""The questions of the playbook init, answered on a terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import time
from pathlib import Path

import pytest

from tests.integration.commands import STARTED_BY, run_command
from tests.integration.playbooks import COLLECTION, Playbooks
from tests.integration.test_inventory_plugins import Project

QUESTIONS = (
    "ServiceNow instances, names or URLs",
    "User name with which Ansible signs in",
    "API URL of Defender for Cloud Apps",
)
INTERRUPT = "\x03"
# Python answers an interrupt that comes between the question and its own waiting for a key only at the next key, so it is pressed again.
AGAIN = 5
SECONDS = 120


def answered(project: Project, *answers: str) -> tuple[int, str]:
    """Run init on a pseudo terminal, type each answer once its question is shown; return the status and what was shown."""
    # STARTED_BY is a command that starts the command line of Ansible without a shell.
    words = [*STARTED_BY, "playbook", f"{COLLECTION}.init"]
    child, terminal = pty.fork()
    if not child:
        # A shell that starts tests in the background lets them ignore it.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.chdir(project.folder)
        os.execvpe(words[0], words, {**os.environ, **project.environment})
    shown, left, end = "", list(zip(QUESTIONS, answers, strict=False)), time.monotonic() + SECONDS
    while time.monotonic() < end:
        if not select.select([terminal], [], [], AGAIN)[0]:
            if INTERRUPT in answers and not left:
                os.write(terminal, INTERRUPT.encode())
        else:
            try:
                read = os.read(terminal, 65536)
            except OSError:  # the end of a terminal on Linux
                break
            if not read:
                break
            shown += read.decode(errors="replace")
        if left and left[0][0] in shown:
            os.write(terminal, left.pop(0)[1].encode())
    else:
        os.kill(child, 9)
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown


def files_of(folder: Path) -> set[str]:
    """Return the files that a project has, without what Ansible itself keeps there."""
    names = ("inventory.yml", "ansible.cfg", ".gitignore", "group_vars")
    return {str(path.relative_to(folder)) for name in names for path in [folder / name] if path.exists()}


def test_three_answers_are_a_project(playbook: Playbooks) -> None:
    project = Project(playbook)
    status, shown = answered(project, "acme-dev, acme-test\n", "svc_acme\n", "\n")
    assert status == 0, shown
    assert [question for question in QUESTIONS if question in shown] == list(QUESTIONS)
    inventory = (project.folder / "inventory.yml").read_text()
    assert "    acme-dev:\n    acme-test:\n" in inventory
    assert "snow_username: svc_acme" in inventory
    assert "defender:" not in inventory
    assert f"ansible-playbook {COLLECTION}.doctor" in " ".join(shown.split())


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (("\n", "\n", "\n"), "init_instances is empty. Name at least one ServiceNow instance"),
        (("acme dev!\n", "\n", "\n"), "init_instances has 'dev!', which is neither a name of an instance nor a URL"),
        (("acme-dev\n", "\n", "portal\n"), "init_tenant_url is 'portal', which is not a URL"),
    ],
)
def test_a_wrong_answer_is_one_sentence_and_writes_nothing(
    playbook: Playbooks, answers: tuple[str, ...], said: str
) -> None:
    project = Project(playbook)
    status, shown = answered(project, *answers)
    assert status == 2, shown
    assert said in " ".join(shown.split())
    assert "filter plugin" not in shown
    assert not files_of(project.folder)


@pytest.mark.parametrize("number", range(len(QUESTIONS)))
def test_ctrl_c_at_a_question_writes_nothing(playbook: Playbooks, number: int) -> None:
    project = Project(playbook)
    status, shown = answered(project, *["acme-dev\n"] * number, INTERRUPT)
    assert status == 99, shown
    assert "Traceback" not in shown
    assert not files_of(project.folder)


def test_without_a_terminal_a_missing_answer_is_no_instance(playbook: Playbooks) -> None:
    project = Project(playbook)
    words = [*STARTED_BY, "playbook", f"{COLLECTION}.init"]
    status, shown = run_command(words, project.folder, project.environment, SECONDS)
    assert status == 2, shown
    assert "init_instances is empty" in " ".join(shown.split())
    assert not files_of(project.folder)


def test_a_misspelt_answer_writes_nothing_elsewhere(playbook: Playbooks) -> None:
    project = Project(playbook)
    answers = ("init_instances=acme-dev", "init_username=svc", "init_tenant_url=", "init_dri=acme")
    words = [word for answer in answers for word in ("-e", answer)]
    status, shown = project.run("playbook", f"{COLLECTION}.init", *words)
    assert status == 2, shown
    assert "init_dri is not a variable of init. Did you mean init_dir? Nothing was written" in " ".join(shown.split())
    assert not files_of(project.folder)
