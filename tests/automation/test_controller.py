# SPDX-License-Identifier: GPL-3.0-or-later
"""The content for a controller, held against the modules of awx.awx; and the slices of a job, as execution nodes run them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.automation.conftest import COLLECTION, COLLECTIONS, PROJECT, Fleet
from tests.integration.playbooks import read_results

CONTENT = PROJECT / "extensions" / "controller"
PLUGINS = PROJECT / "tests" / "integration" / "plugins"
# The tags of the two job templates for drift.
TENANT, INSTANCES = "mda,mdc,msem", "snow"
RUNNER = str(Path(sys.executable).parent / "ansible-runner")
CALLBACK = {"ANSIBLE_CALLBACKS_ENABLED": f"{COLLECTION}.drift"}
# Nothing listens there: modules check their options before they connect.
NOWHERE = {"CONTROLLER_HOST": "http://127.0.0.1:9", "CONTROLLER_OAUTH_TOKEN": "none", "CONTROLLER_REQUEST_TIMEOUT": "1"}


def configure(fleet: Fleet, playbook: str) -> dict[str, list[str]]:
    """Run the playbook with the options of vars.yml and return the messages of each task; each one fails."""
    path = fleet.folder / "configure.yml"
    path.write_text(playbook.replace("  gather_facts: false\n", "  gather_facts: false\n  ignore_errors: true\n"))
    results = fleet.folder / "results.jsonl"
    environment = {
        **os.environ,
        **NOWHERE,
        "ANSIBLE_COLLECTIONS_PATH": f"{os.environ['AWX_COLLECTIONS']}{os.pathsep}{COLLECTIONS}",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_CALLBACK_PLUGINS": str(PLUGINS / "callback"),
        "ANSIBLE_CALLBACKS_ENABLED": "results",
        "TEST_RESULTS_FILE": str(results),
        "TEST_SANDBOX_URL": fleet.sandbox.base_url,
    }
    command = [sys.executable, "-m", "ansible", "playbook", str(path), "-e", f"@{CONTENT / 'vars.yml'}"]
    subprocess.run(command, cwd=fleet.folder, env=environment, capture_output=True, text=True, timeout=300)
    messages: dict[str, list[str]] = {}
    for done in read_results(results):
        items = done.result.get("results", [done.result])
        messages.setdefault(done.task, []).extend(str(item["msg"]) for item in items)
    return messages


def is_accepted(message: str) -> bool:
    """Return whether a module has accepted its options: it failed as it could not connect."""
    return "connect" in message.lower()


def test_what_configures_a_controller_fits_the_options_of_its_modules(fleet: Fleet) -> None:
    playbook = (CONTENT / "configure.yml").read_text(encoding="utf-8")
    messages = configure(fleet, playbook)
    assert list(messages) == [task["name"] for task in yaml.load(playbook, Loader=Tolerant)[0]["tasks"]]
    assert not {task: texts for task, texts in messages.items() if not all(map(is_accepted, texts))}


def test_an_option_that_a_module_lacks_is_found(fleet: Fleet) -> None:
    playbook = (CONTENT / "configure.yml").read_text(encoding="utf-8").replace("job_slice_count:", "slice_count:")
    messages = configure(fleet, playbook)["Create the job templates"]
    assert not any(map(is_accepted, messages))


class Tolerant(yaml.SafeLoader):
    """Reads the tag of text that is no template."""


Tolerant.add_constructor("!unsafe", lambda _loader, node: str(node.value))


def slices(fleet: Fleet, count: int) -> list[dict[str, Any]]:
    """Return the inventory in slices: as a controller does it, all groups are in each, and each host is in one of them."""
    whole = yaml.safe_load((fleet.inventory / "fleet.yml").read_text(encoding="utf-8"))
    hosts = sorted(name for group in groups({"children": whole}) for name in group.get("hosts", {}))
    parts = []
    for number in range(count):
        kept = set(hosts[number::count])
        part = json.loads(json.dumps(whole))
        for group in groups({"children": part}):
            group["hosts"] = {name: values for name, values in (group.get("hosts") or {}).items() if name in kept}
        parts.append(part)
    return parts


def groups(group: dict[str, Any]) -> list[dict[str, Any]]:
    found = [group]
    for child in (group.get("children") or {}).values():
        found += groups(child or {})
    return found


def run_slice(
    fleet: Fleet, folder: Path, inventory: dict[str, Any], variables: dict[str, Any], tags: str, *, dies: bool = False
) -> None:
    """Run drift on a slice: it is transmitted to a worker with a folder of its own, which streams its results back.

    `variables` are the extra variables of a controller.
    """
    for name in ("inventory", "project", "env"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "inventory" / "hosts.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    (folder / "project" / "drift.yml").write_text((CONTENT / "project" / "drift.yml").read_text(), encoding="utf-8")
    (folder / "env" / "extravars").write_text(yaml.safe_dump({**backend(fleet), **variables}), encoding="utf-8")
    (folder / "env" / "cmdline").write_text(f"--tags {tags}", encoding="utf-8")
    (folder / "env" / "envvars").write_text(yaml.safe_dump(CALLBACK), encoding="utf-8")
    sent = stream([RUNNER, "transmit", str(folder), "-p", "drift.yml"], fleet, b"")
    if dies:
        sent = sent[: len(sent) // 2]
    node = folder / "node"
    node.mkdir(exist_ok=True)
    results = stream([RUNNER, "worker", "--private-data-dir", str(node)], fleet, sent)
    stream([RUNNER, "process", str(folder)], fleet, results)


def stream(command: list[str], fleet: Fleet, given: bytes) -> bytes:
    environment = fleet.environment()
    return subprocess.run(
        command, cwd=fleet.folder, env=environment, input=given, capture_output=True, timeout=300
    ).stdout


def backend(fleet: Fleet) -> dict[str, Any]:
    """Return the variables of a backend: the example with one file for each secret, outside the folder of a run."""
    files = fleet.folder / "files"
    files.mkdir(exist_ok=True)
    read = "lookup('ansible.builtin.file', secret_files ~ '/' ~ secret_host ~ '.' ~ secret_name, errors='ignore')"
    write = str(PROJECT / "examples" / "secrets" / "plain_file.yml")
    return {"secret_files": str(files), "servicenow_defender_secrets": {"read": read, "write": write}}


def passed_on(fleet: Fleet, workflow_job: int) -> dict[str, Any]:
    """Return what the first job of the workflow passes on to the others: the data of `set_stats`, which ansible-runner collects."""
    folder = fleet.folder / "start"
    for name in ("project", "env"):
        (folder / name).mkdir(parents=True)
    (folder / "project" / "start.yml").write_text((CONTENT / "project" / "start.yml").read_text(), encoding="utf-8")
    (folder / "env" / "extravars").write_text(yaml.safe_dump({"awx_workflow_job_id": workflow_job}), encoding="utf-8")
    stream([RUNNER, "run", str(folder), "-p", "start.yml"], fleet, b"")
    events = (json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("artifacts/*/job_events/*.json"))
    (stats,) = (event for event in events if event["event"] == "playbook_on_stats")
    return dict(stats["event_data"]["artifact_data"])


def parts_together(fleet: Fleet) -> dict[str, Any]:
    """Return the inventory of a job that is not divided."""
    (whole,) = slices(fleet, 1)
    return whole


def of_hosts(found: dict[str, Any]) -> dict[str, Any]:
    """Return what a report says of each host; a step to connect has the client id only in a run that reads the instance, too."""
    return {
        name: {**host, "manual_steps": [step["id"] for step in host["manual_steps"]]}
        for name, host in found["hosts"].items()
    }


def report(fleet: Fleet, folder: str) -> dict[str, Any]:
    """Return the report in a folder."""
    found: dict[str, Any] = json.loads((fleet.folder / folder / "drift.json").read_text(encoding="utf-8"))
    return found


def test_slices_of_a_job_write_one_report_and_one_that_died_is_run_again(fleet: Fleet) -> None:
    variables = fleet.folder / "variables.yml"
    variables.write_text(yaml.safe_dump(backend(fleet)), encoding="utf-8")
    given = ["-i", str(fleet.inventory), "-e", f"@{variables}"]
    play = [sys.executable, "-m", "ansible", "playbook"]
    fleet.run([*play, f"{COLLECTION}.onboard", *given], {}).check_returncode()
    fleet.run([*play, f"{COLLECTION}.drift", *given, "-e", f"drift_report_dir={fleet.folder}/whole"], CALLBACK)
    whole = report(fleet, "whole")
    parts = slices(fleet, 2)
    # The slices are a workflow job within that of the workflow.
    common = {"drift_report_dir": str(fleet.folder / "merged"), **passed_on(fleet, 4711)}
    of_tenant, of_slices = ({**common, "awx_workflow_job_id": number} for number in (4711, 4712))
    run_slice(fleet, fleet.folder / "tenant", parts_together(fleet), of_tenant, TENANT)
    for number, part in enumerate(parts):
        run_slice(fleet, fleet.folder / f"slice-{number}", part, of_slices, INSTANCES, dies=number == 1)
    assert report(fleet, "merged")["play"]["slices"] == 2
    assert of_hosts(report(fleet, "merged")) != of_hosts(whole), "the slice that died has no part in it"
    run_slice(fleet, fleet.folder / "slice-again", parts[1], of_slices, INSTANCES)
    merged = report(fleet, "merged")
    assert merged["play"]["slices"] == 3
    assert merged["play"]["run_id"] == "4711"
    assert of_hosts(merged) == of_hosts(whole)
    assert not list(fleet.folder.glob("*/node/**/servicenow_defender_secrets")), "no secret is left on a node"
