# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows the whole job on this machine, with no account anywhere, and fails when any step ends differently than expected.

Three simulated instances are onboarded, connected to a simulated tenant by a learned contract, verified, tampered with,
checked, repaired and checked once more; then recommendations of Defender for Cloud become tickets. All with the playbooks that
users run. `python -m tests.demo [folder]`: where inventory, secrets and report are left.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

import yaml

from tests.demo.adopted import adopt_instance
from tests.demo.stored_secrets import lose_secrets
from tests.demo.tickets import keep_tickets
from tests.sandbox.process import SandboxProcess
from tests.sandbox.tenant.cloud_apps.captures import capture

COLLECTION = "secops.servicenow_defender"
ROOT = Path(__file__).resolve().parents[2]
RECAP = re.compile(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.M)
BOLD, PLAIN = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")


class Demo:
    """The steps, one by one; `folder` keeps everything that is written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inventory = folder / "inventory.yml"
        self.report = folder / "report"
        self.started = time.monotonic()
        self.wrong: list[str] = []

    def say(self, text: str) -> None:
        """Print a heading."""
        print(f"\n{BOLD}== {text}{PLAIN}  [{time.monotonic() - self.started:.0f} s]", flush=True)

    def play(self, playbook: str, *arguments: str, inventory: Path | None = None) -> dict[str, tuple[int, int]]:
        """Run a playbook as a user would and return (changed, failed) of each host; the report is of the demo's own inventory."""
        command = ["ansible-playbook", f"{COLLECTION}.{playbook}", "-i", str(inventory or self.inventory), *arguments]
        print(f"$ {' '.join(command)}", flush=True)
        environment = {
            **os.environ,
            "ANSIBLE_CALLBACKS_ENABLED": f"{COLLECTION}.drift",
            "SERVICENOW_DEFENDER_REPORT_DIR": str(
                self.report if playbook == "drift" and not inventory else self.folder / "reports" / playbook
            ),
            "ANSIBLE_FORCE_COLOR": "1" if sys.stdout.isatty() else "0",
        }
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        print(done.stdout, flush=True)
        text = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
        return {
            host: (int(changed), int(failed) + int(unreachable))
            for host, changed, unreachable, failed in RECAP.findall(text)
        }

    def expect(self, what: str, held: bool) -> None:
        """Print whether `what` is true; remember when it is not."""
        print(f"   {'ok' if held else 'WRONG'}: {what}", flush=True)
        if not held:
            self.wrong.append(what)


def enter_access_rules(fleet: SandboxProcess, instances: Iterable[str], role: str, tables: Iterable[str]) -> None:
    """Do the manual step of an administrator: REST cannot, so the rows of the simulated instance are written directly."""
    for name in instances:
        role_id = next(row["sys_id"] for row in fleet.state(name, "sys_user_role") if row["name"] == role)
        for table in tables:
            rule = {"name": table, "type": "record", "operation": "read", "active": "true"}
            (rule_id,) = fleet.tamper(name, "sys_security_acl", rule, insert=True)
            link = {"sys_security_acl": rule_id, "sys_user_role": role_id}
            fleet.tamper(name, "sys_security_acl_role", link, insert=True)


def run_story(demo: Demo, fleet: SandboxProcess) -> None:
    """Run the story, step by step."""
    names = ["acme-dev", "acme-test", "acme-prod"]
    defaults = yaml.safe_load((ROOT / "roles/snow_connection/defaults/main.yml").read_text())
    tables = defaults["snow_connection_tables"]

    demo.say("What does the project need, and who trusts whom?")
    hosts = demo.play("doctor")
    demo.expect(
        "doctor answers for every host",
        {*names, "tenant"} <= hosts.keys() and not any(failed for _changed, failed in hosts.values()),
    )

    demo.say("What would onboarding change? (check mode: nothing is written)")
    hosts = demo.play("onboard", "--check")
    demo.expect(
        "every instance would change, none failed",
        all(hosts[name][0] for name in names) and not any(failed for _changed, failed in hosts.values()),
    )
    demo.expect(
        "nothing was written",
        not any(row["name"] == "defender_cloud_apps_reader" for row in fleet.state(names[0], "sys_user_role")),
    )

    demo.say("Onboard the fleet")
    hosts = demo.play("onboard")
    demo.expect("three instances changed, none failed", all(hosts[n][0] and not hosts[n][1] for n in names))

    demo.say("An administrator enters the access rules that no API may write (the manual step above)")
    enter_access_rules(fleet, names, "defender_cloud_apps_reader", tables)

    connect_to_defender(demo, fleet)
    harden_fleet(demo, fleet, names)

    demo.say("Onboard again: nothing to do")
    hosts = demo.play("onboard")
    demo.expect("changed=0 everywhere", len(hosts) == 4 and not any(c or f for c, f in hosts.values()))

    demo.say("Verify: a token for each instance, and events in Defender for Cloud Apps")
    hosts = demo.play("verify")
    demo.expect(
        "every instance is connected", len(hosts) == 4 and all(not failed for _changed, failed in hosts.values())
    )

    demo.say("Who signed in, who failed to, and what was uploaded?")
    hosts = demo.play("activity", "-e", "activity_since_days=7")
    demo.expect("the events of the fleet are shown", bool(hosts) and not any(f for _c, f in hosts.values()))

    demo.say("A token lifespan on acme-test is shortened, and the account on acme-prod loses its role")
    tamper(fleet)
    hosts = demo.play("drift")
    demo.expect(
        "drift names acme-test and acme-prod, and only those",
        sorted(host for host, (changed, _failed) in hosts.items() if changed) == ["acme-prod", "acme-test"],
    )
    demo.expect(
        "the report is written", (demo.report / "drift.html").exists() and (demo.report / "drift.json").exists()
    )

    correct_under_approval(demo, fleet)

    demo.say("Compare again")
    hosts = demo.play("drift")
    demo.expect(
        "the fleet and the tenant are in sync", len(hosts) == 4 and all(not c and not f for c, f in hosts.values())
    )

    adopt_instance(demo, fleet)
    lose_secrets(demo)
    keep_tickets(demo, fleet)


def correct_under_approval(demo: Demo, fleet: SandboxProcess) -> None:
    """Correct the deviations with an approved change request, and nothing else."""
    options = demo.folder / "change.yml"
    fields = {
        "assignment_group": "Change Control",
        "start_date": "2026-01-01 00:00:00",
        "end_date": "2099-12-31 00:00:00",
    }
    names = {"": True, "_instance": "acme-dev", "_fields": fields}
    options.write_text(yaml.safe_dump({f"servicenow_defender_change{name}": value for name, value in names.items()}))

    demo.say("Under change control, onboard opens a change request with its plan")
    demo.play("onboard", "-e", f"@{options}")
    (change,) = fleet.state("acme-dev", "change_request")
    demo.expect("the plan names what is to be corrected", "access_token_lifespan: " in change["implementation_plan"])

    demo.say("The change request is approved: the same command applies exactly this plan, and closes it")
    fleet.tamper(
        "acme-dev", "change_request", {"state": "-2", "approval": "approved"}, match={"number": change["number"]}
    )
    hosts = demo.play("onboard", "-e", f"@{options}")
    (change,) = fleet.state("acme-dev", "change_request")
    demo.expect("it is closed, and nothing failed", change["state"] == "3" and not any(f for _c, f in hosts.values()))


def connect_to_defender(demo: Demo, fleet: SandboxProcess) -> None:
    """Make a contract of one manual connection in the portal, then connect the whole fleet."""
    demo.say(
        "Defender for Cloud Apps has no API to connect an app: learn from a browser's record of one manual connection"
    )
    record, typed = capture("connector_wizard", fleet.base_url)
    har, values, contract = (demo.folder / name for name in ("wizard.har", "typed.yml", "contract.yml"))
    har.write_text(json.dumps(record))
    values.write_text(yaml.safe_dump({"learn_contract_values": typed}))
    options = {"har": har, "name": "sandbox portal", "file": contract, "confirm": "false"}
    words = [word for option, value in options.items() for word in ("-e", f"learn_contract_{option}='{value}'")]
    demo.play("learn_contract", "-e", f"@{values}", *words)
    demo.expect("the contract is saved", contract.exists())

    demo.say("Connect all three by that contract")
    session = demo.folder / "session.yml"
    session.write_text(yaml.safe_dump(fleet.portal_session()))
    session.chmod(0o600)
    demo.play(
        "onboard",
        "-e",
        f"@{session}",
        "-e",
        f"mda_connection_contract={contract}",
        "-e",
        "mda_connection_poll_interval=1",
    )
    states = {row["name"]: row["state"] for row in fleet.tenant_state("connectors")}
    demo.expect(f"three connectors are connected ({states})", list(states.values()) == ["connected"] * 3)


def harden_fleet(demo: Demo, fleet: SandboxProcess, names: Iterable[str]) -> None:
    """Apply the baseline of Secure Score: by REST what may be written, manually what requires elevation."""
    demo.say("What is the posture of the fleet, and what would hardening change? (check mode: nothing is written)")
    demo.play("harden", "--check", "--diff")
    demo.say("Harden: settings that cannot be rolled back or have side effects must be allowed")
    answers = {
        "snow_hardening_max_writes": 0,
        "snow_hardening_allow_irreversible": True,
        "snow_hardening_accept_side_effects": [
            "auth.mfa_enabled",
            "auth.lockout_action_unlock",
            "soap.content_type",
            "acl.ccsi_public",
            "request_auth.scripted_processor",
        ],
        "snow_hardening_update_set_file": str(demo.folder / "hardening-{{ inventory_hostname }}.xml"),
    }
    variables = demo.folder / "hardening.yml"
    variables.write_text(yaml.safe_dump(answers))
    hosts = demo.play("harden", "-e", f"@{variables}")
    demo.expect("three instances changed, none failed", all(hosts[n][0] and not hosts[n][1] for n in names))

    demo.say("An administrator imports the update set with the settings that require an elevated role")
    for name in names:
        updates = ElementTree.parse(demo.folder / f"hardening-{name}.xml").getroot().findall("sys_update_xml")
        for update in updates:
            row = ElementTree.fromstring(update.findtext("payload") or "")[0]
            match = {"name": row.findtext("name") or ""}
            fleet.tamper(name, "sys_properties", {"value": row.findtext("value") or ""}, match=match)
    hosts = demo.play("harden", "-e", f"@{variables}")
    demo.expect("changed=0 everywhere", len(hosts) == 4 and not any(c or f for c, f in hosts.values()))


def tamper(fleet: SandboxProcess) -> None:
    """Change two instances behind everyone's back."""
    application = {"name": "Microsoft Defender for Cloud Apps"}
    fleet.tamper("acme-test", "oauth_entity", {"access_token_lifespan": "300"}, match=application)
    user = next(
        row["sys_id"]
        for row in fleet.state("acme-prod", "sys_user")
        if row.get("user_name") == "svc_defender_cloud_apps"
    )
    fleet.tamper("acme-prod", "sys_user_has_role", match={"user": user}, delete=True)


def main() -> int:
    """Run the demo; return 0 when everything was as expected."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / ".cache" / "demo")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    demo = Demo(folder)
    demo.say("A simulated fleet of three ServiceNow instances")
    with SandboxProcess("--instances", "3", "--inventory", str(demo.inventory)) as fleet:
        print(f"listening at {fleet.base_url}; inventory: {demo.inventory}")
        run_story(demo, fleet)
    demo.say("Done" if not demo.wrong else f"{len(demo.wrong)} steps went wrong: {'; '.join(demo.wrong)}")
    print(f"Report: {demo.report / 'drift.html'}")
    return 1 if demo.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
