# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet in which some instances are in trouble: each fails alone, in one clear message, and the others finish."""

from __future__ import annotations

import socket
from typing import Any

from tests.integration.conftest import NewInstance
from tests.integration.playbooks import Playbooks

NAME = "Microsoft Defender for Cloud Apps"


def closed_port() -> int:
    """Return a port of this machine on which no process listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_one_instance_in_trouble_fails_alone(playbook: Playbooks, new_instance: NewInstance) -> None:
    healthy = [new_instance(), new_instance()]
    asleep = new_instance(faults=[{"kind": "hibernating"}])
    throttled = new_instance(faults=[{"kind": "429", "seconds": 900}])
    twins = new_instance(dup=[NAME])
    stranger = new_instance()
    capped = new_instance(properties={"glide.oauth.access_token.expire_in.system_max_seconds": "600"})
    down = {"snow_url": f"http://127.0.0.1:{closed_port()}", "snow_username": "a", "snow_password": "b"}
    hosts: dict[str, dict[str, Any]] = {
        each.name: each.connection for each in (*healthy, asleep, throttled, twins, stranger, capped)
    }
    hosts[stranger.name] = {**stranger.connection, "snow_password": "wrong-Pass-1"}
    hosts[twins.name] = {**twins.connection, "snow_connection_client_secret": "own-secret-1"}
    hosts["acme-down"] = down
    run = playbook("onboard", hosts, retries=1)
    assert run.status == 2
    for each in healthy:
        assert run.recap[each.name]["failed"] == 0
        assert run.recap[each.name]["changed"] == 1
        assert each.row("oauth_entity", name=NAME)["access_token_lifespan"] == "3600"
    troubles: dict[str, tuple[str, ...]] = {
        asleep.name: (asleep.name, "the developer instance is hibernating", "Wake it at developer.servicenow.com"),
        throttled.name: (throttled.name, "Rate limit exceeded", "run again later or with fewer forks"),
        twins.name: (twins.name, f"2 oauth_entity records are named {NAME}", "set sys_id to select one"),
        stranger.name: (stranger.name, "wrong user name or password of svc_ansible"),
        capped.name: (capped.name, "Access tokens live for at most 600 s", "to 3600 or more"),
        "acme-down": (down["snow_url"].removeprefix("http://"), "cannot connect", "that the host is up"),
    }
    for host, parts in troubles.items():
        assert run.recap[host]["failed"] == 1
        failed = run.on(host, "Fail if the work on this host failed")
        for part in parts:
            assert part in failed.message, (host, failed.message)
        assert "Traceback" not in failed.message
        assert failed.message.count("\n") == 0, "one line"
    assert "Traceback" not in run.output
    assert {row["sys_mod_count"] for row in twins.rows("oauth_entity", name=NAME)} == {"0"}
    lines = run.summary.splitlines()
    assert lines[0].startswith("8 instances: 2 corrected, 6 failed, 2 with manual steps, 2 tokens verified; ")
    assert sum(line.startswith("failed: ") for line in lines) == 6
    (corrected,) = [line for line in lines if line.startswith("corrected: ")]
    assert corrected.startswith(f"corrected: {healthy[0].name}, {healthy[1].name}: ")
    for each in healthy:
        proven = run.on(each.name, "Get a token and use it")["results"]
        assert [token["verified"] for token in proven] == [True]
