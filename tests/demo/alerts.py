# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the demo about alerts and incidents of Defender, which have tickets, too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.sandbox.process import SandboxProcess

if TYPE_CHECKING:
    from tests.demo.__main__ import Demo

INSTANCE = "acme-dev"
OPTIONS = ("-e", f'{{"defender_alerts_instance": "{INSTANCE}", "defender_alerts_since_days": 3650}}')


def tickets(fleet: SandboxProcess) -> list[dict[str, Any]]:
    """Return the tickets of the playbook."""
    rows = fleet.state(INSTANCE, "incident")
    return [row for row in rows if row.get("correlation_display") == "Microsoft Defender alerts"]


def keep_alerts(demo: Demo, fleet: SandboxProcess) -> None:
    """Give alerts and incidents tickets, end a ticket, and see Defender follow."""
    demo.say(f"Alerts of Defender for Cloud and incidents of Defender XDR get tickets on {INSTANCE}")
    demo.play("alerts", *OPTIONS)
    made = tickets(fleet)
    demo.expect(f"there are {len(made)} tickets, each with a link", len(made) > 0)

    alert = next(row for row in made if re.search(r"^Alert: ", row["description"], re.M))
    demo.say(f"An agent resolves {alert['number']}")
    ending = {"state": "6", "close_code": "Solution provided", "close_notes": "The key was revoked"}
    fleet.tamper(INSTANCE, "incident", ending, match={"number": alert["number"]})
    hosts = demo.play("alerts", *OPTIONS)
    demo.expect("nothing failed", not any(failed for _changed, failed in hosts.values()))
    ended = [
        row for row in fleet.tenant_state("cloud_alerts") if row["properties"]["status"] in ("Resolved", "Dismissed")
    ]
    demo.expect("the alert has ended in Defender for Cloud, too", len(ended) == 1)
    hosts = demo.play("alerts", *OPTIONS)
    demo.expect("once more changes nothing", not any(changed or failed for changed, failed in hosts.values()))
