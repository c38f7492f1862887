# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the demo that connects Defender for Cloud: a recommendation becomes a ticket, and both follow each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.demo.alerts import keep_alerts
from tests.demo.stored_secrets import replace_secret, rotate_secrets, take_out
from tests.sandbox.process import SandboxProcess

if TYPE_CHECKING:
    from tests.demo.__main__ import Demo

BOTH = ("-e", '{"servicenow_defender_services": ["mda", "mdc"], "servicenow_defender_accept_costs": true}')
ITSM = "acme-dev"
SEVERITIES = ("Critical", "High")


def incidents(fleet: SandboxProcess) -> dict[str, dict[str, Any]]:
    """Return the incidents of the playbook by number."""
    rows = fleet.state(ITSM, "incident")
    return {row["number"]: row for row in rows if row.get("correlation_display") == "Microsoft Defender for Cloud"}


def assigned(fleet: SandboxProcess, number: str) -> dict[str, Any]:
    """Return the ticket as the governance assignment records it."""
    data = [row["properties"].get("additionalData", {}) for row in fleet.tenant_state("assignments")]
    return next(each for each in data if number in each.get("ticketLink", ""))


def keep_tickets(demo: Demo, fleet: SandboxProcess) -> None:
    """Follow one recommendation after the other."""
    demo.say("Add Defender for Cloud: one run serves both services, with plan, account, application and integration")
    hosts = demo.play("onboard", *BOTH)
    demo.expect("none failed", len(hosts) == 4 and not any(failed for _changed, failed in hosts.values()))
    demo.expect("three integrations", len(fleet.tenant_state("integrations")) == 3)
    hosts = demo.play("onboard", *BOTH)
    demo.expect("once more changes nothing", not any(changed for changed, _failed in hosts.values()))
    replace_secret(demo, fleet, *BOTH)
    rotate_secrets(demo, "-e", '{"servicenow_defender_services": ["mdc"]}')

    demo.say(f"Severe recommendations become incidents on {ITSM}")
    demo.play("tickets")
    made = incidents(fleet)
    demo.expect(f"there are {len(made)} incidents, each linked to its recommendation", len(made) > 0)
    demo.expect(
        "the assignments record them", all(assigned(fleet, number)["ticketStatus"] == "open" for number in made)
    )

    first, second = sorted(made)[:2]
    demo.say(f"An agent closes {first} by hand")
    closing = {"state": "7", "close_code": "Solution provided", "close_notes": "Accepted until the migration in spring"}
    fleet.tamper(ITSM, "incident", closing, match={"number": first})
    demo.play("tickets")
    demo.expect("it stays closed, and its assignment records that", assigned(fleet, first)["ticketStatus"] == "closed")
    demo.expect("nothing was created", len(incidents(fleet)) == len(made))

    demo.say(f"The findings of {second} are healed")
    for row in fleet.tenant_state("assignments"):
        if second in row["properties"].get("additionalData", {}).get("ticketLink", ""):
            about = {"name": row["assessment"], "scope": row["scope"]}
            fleet.tamper_tenant("assessments", {"status": "Healthy"}, match=about)
    demo.play("tickets")
    demo.expect("its ticket is resolved", incidents(fleet)[second]["state"] == "6")
    demo.expect("the assignment records that, too", assigned(fleet, second)["ticketStatus"] == "resolved")
    hosts = demo.play("tickets")
    demo.expect("once more changes nothing", not any(changed or failed for changed, failed in hosts.values()))
    keep_alerts(demo, fleet)
    take_out(demo, fleet, "-e", '{"servicenow_defender_services": ["mdc"]}')
