# SPDX-License-Identifier: GPL-3.0-or-later
"""Planted secrets are searched for in everything a run leaves behind, whether it goes well or not, in every encoding."""

from __future__ import annotations

import base64
import html
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from tests.integration.conftest import NewInstance
from tests.integration.instances import Instance
from tests.integration.playbooks import (
    COLLECTION,
    IN_PROCESS,
    SHELLS,
    Playbooks,
    Run,
    Task,
    read_results,
    task,
)
from tests.integration.test_fleet import closed_port

# Quotes, separators of forms and URLs, percent signs, backslashes and letters beyond ASCII, each its own.
SECRETS = {
    "account": 'acc"ount&p+ss%41\\wörd/1☃',
    "service": "serv'ice=p&ss%+wörd?#2 ☃",
    "service_new": "new'serv\"ice;p&ss}]%3",
    "client": 'cli"ent+s&cret%25=ß/4\\n',
    "client_new": "new\\cli'ent s&cret%+é~5",
    "ansible": 'ans"ible+client&s%cr=t/6',
    "record": "wr'ite\"only&v+lue%=ö/7 x",
    "property": 'prop"erty&v+lue%=ñ/8\tx',
    "refresh": 'refr"esh&t+ken%=å/9/abcd',
    "assertion": 'ass"ert&i+on%=.ø.10/abcd',
    "access": 'acc"ess&t+ken%=ü/11/abcd',
    "api_key": 'api"key&v+lue%=é/12/abcd',
    "proxy": "proxy-p%40ss%2Bword%26-13",
}
CLIENT_ID = "ansible-client"


def forms(secret: str) -> set[str]:
    """Return a secret as it could show up: as it is, escaped, URL-encoded, in base64 at each of three alignments."""
    raw = secret.encode()
    encoded = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    encoded |= {re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), form) for form in encoded}
    escaped = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    escaped |= {json.dumps(form)[1:-1] for form in escaped} | {html.escape(secret), html.escape(secret, quote=False)}
    inside = set()
    for lead in range(3):
        whole = base64.b64encode(b"\0" * lead + raw).decode().rstrip("=")
        core = whole[4 if lead else 0 : -4]
        inside |= {core, core.replace("+", "-").replace("/", "_")}
    return {secret, *encoded, *escaped, *inside, raw.hex(), raw.hex().upper()}


def found_in(text: str, secrets: dict[str, str]) -> set[str]:
    """Return the names of the secrets that a text holds in any form."""
    return {name for name, secret in secrets.items() if any(form in text for form in forms(secret))}


def files_with_secrets(folder: Path, secrets: dict[str, str], *known: str) -> dict[str, set[str]]:
    """Return the files below a folder that hold secrets, but for those of the `known` names that tests wrote."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.name.startswith(known):
            names = found_in(path.read_text(errors="replace"), secrets)
            if names:
                found[str(path)] = names
    return found


class CommandLines:
    """Watches the command lines of all processes for as long as a run takes."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> CommandLines:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            self.seen |= set(_command_lines())


def _command_lines() -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue


def value(name: str) -> str:
    """Return the template of a planted secret: no file of the play holds it."""
    return f"{{{{ planted.{name} }}}}"


STATE_WITH_SECRETS: dict[str, Any] = {
    "users": [{"user_name": "svc_defender", "password": value("service")}],
    "oauth_applications": [{"name": "Defender", "client_secret": value("client_new")}],
    "properties": {"acme.secret": {"value": value("property"), "type": "password2"}},
}


def whole(name: str, password: str, secret: str, more: dict[str, Any] | None = None) -> Task:
    record = {
        "table": "jwt_verifier_map",
        "match": {"name": "Acme key"},
        "values": {"shared_key": value("record")},
        "write_only": ["shared_key"],
    }
    return task(
        "snow_instance",
        name,
        users=[{"user_name": "svc_defender", "password": value(password), "roles": ["itil"]}],
        oauth_applications=[{"name": "Defender", "client_id": "defender", "client_secret": value(secret)}],
        records=[record],
        more={"ignore_errors": True, **(more or {})},
    )


def every_way() -> list[Task]:
    """Return tasks that take every secret there is, one after another."""
    wrong = {"ignore_errors": True}
    client = {"snow_client_id": CLIENT_ID, "snow_client_secret": value("ansible")}
    pair = {"client_id": "defender", "client_secret": value("client"), "username": "svc_defender"}
    secret_property = {"acme.secret": {"value": value("property"), "type": "password2"}}
    return [
        whole("create", "service", "client"),
        whole("predict", "service_new", "client_new", {"check_mode": True}),
        task("snow_drift_info", "compare", instance=STATE_WITH_SECRETS, more=wrong),
        task("snow_drift_info", "misread", instance={**STATE_WITH_SECRETS, "rolls": []}, more=wrong),
        task("snow_oauth_check", "check", **pair, password=value("service"), more=wrong),
        task("snow_oauth_check", "wrong", **pair, password=value("service_new"), more=wrong),
        task("snow_token", "fetch", **client, more={**wrong, "register": "handed"}),
        task("snow_instance_info", "use", snow_access_token="{{ handed.access_token | default('x') }}", more=wrong),
        task("snow_instance_info", "refresh", **client, snow_refresh_token=value("refresh"), more=wrong),
        task("snow_instance_info", "assertion", **client, snow_jwt_assertion=value("assertion"), more=wrong),
        task("snow_instance_info", "token", snow_access_token=value("access"), more=wrong),
        task("snow_instance_info", "api key", snow_api_key=value("api_key"), more=wrong),
        task("snow_instance_info", "proxy", proxy=f"http://me:{value('proxy')}@127.0.0.1:1", more=wrong),
        task("snow_properties", "property", properties=secret_property, more=wrong),
        task("snow_role", "address", snow_url=f"https://me:{value('account')}@acme-prod.invalid", name="x", more=wrong),
    ]


def watched(
    playbook: Playbooks, what: str | list[Task], hosts: dict[str, dict[str, Any]], shell: str, **variables: Any
) -> tuple[Run, CommandLines]:
    """Run with everything switched on that could show a secret, and watch the process list meanwhile."""
    environment = {
        "ANSIBLE_PIPELINING": "false",
        "ANSIBLE_LOG_PATH": str(playbook.folder / "ansible.log"),
        "ANSIBLE_CACHE_PLUGIN": "jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(playbook.folder / "cache"),
        "ANSIBLE_LOCAL_TEMP": str(playbook.folder / "local_temp"),
        "ANSIBLE_REMOTE_TEMP": str(playbook.folder / "remote_temp"),
        "ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "true",
    }
    command, environment, results = playbook.command(
        what,
        hosts,
        "-vvvv",
        "--diff",
        shell=shell,
        environment=environment,
        callbacks=(f"{COLLECTION}.drift",),
        variables={"drift_report_dir": str(playbook.folder / "report"), "retry_deadline": 1, **variables},
        retries=1,
    )
    with CommandLines() as lines:
        done = subprocess.run(
            command,
            cwd=playbook.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
            check=False,
        )
    return Run(done.returncode, done.stdout, read_results(results)), lines


def misbehaving_instances(new_instance: NewInstance, names: tuple[str, ...]) -> dict[str, Instance]:
    """Return instances that take the planted secrets, each refusing in its own way."""
    account = {"svc_ansible": {"password": SECRETS["account"]}}
    quoting = " ".join(SECRETS[name] for name in ("account", "service", "client", "record"))
    knobs: dict[str, dict[str, Any]] = {
        "well": {},
        "dropped": {"faults": [{"kind": "reset"}]},
        "401": {"allowed_auth": []},
        "403": {"acl": {"deny_insert": ["sys_user", "oauth_entity", "jwt_verifier_map"]}},
        "500": {"faults": [{"kind": "500"}]},
        # A platform that repeats what it was sent.
        "quoting": {"abort": {"sys_user": quoting}},
    }
    made = {name: new_instance(users=account, **knobs[name]) for name in names}
    for instance in made.values():
        instance.connection["snow_password"] = "{{ planted.account }}"
        instance.add("oauth_entity", name="Ansible", client_id=CLIENT_ID, client_secret=SECRETS["ansible"])
    return made


WAYS = {SHELLS[0]: ("well", "dropped", "401", "403", "500", "quoting"), SHELLS[1]: ("well", "quoting")}


@pytest.mark.walk(1)
@pytest.mark.parametrize("shell", SHELLS)
def test_no_secret_shows_up_anywhere(playbook: Playbooks, new_instance: NewInstance, shell: str) -> None:
    made = misbehaving_instances(new_instance, WAYS[shell])
    hosts = {instance.name: instance.connection for instance in made.values()}
    if shell == IN_PROCESS:
        closed = {"snow_url": f"http://127.0.0.1:{closed_port()}"}
        hosts["acme-down"] = {**next(iter(hosts.values())), **closed}
    run, lines = watched(playbook, every_way(), hosts, shell, planted=SECRETS)
    well = made["well"].name
    assert run.on(well, "create").changed
    assert run.on(well, "predict").changed
    assert run.on(well, "check")["verified"], "the planted secrets are the right ones"
    assert not run.on(well, "use").failed
    assert "quoting" not in made or "aborted by Business Rule" in run.on(made["quoting"].name, "create").message
    for host in hosts.keys() - {well}:
        assert run.on(host, "create").failed
    everything = {
        "output": run.output,
        "results": json.dumps([done.result for done in run.done], ensure_ascii=False),
        "process list": "\n".join(lines.seen),
    }
    assert {place: found_in(text, SECRETS) for place, text in everything.items()} == dict.fromkeys(everything, set())
    assert files_with_secrets(playbook.folder, SECRETS, "variables-") == {}
    assert any("ansible" in line for line in lines.seen), "the process list was watched"
    assert (playbook.folder / "ansible.log").stat().st_size > 10_000
    assert (playbook.folder / "report" / "drift.html").exists()
    assert not list((playbook.folder / "local_temp").glob("*"))
    remote = playbook.folder / "remote_temp"
    assert not remote.exists() or not list(remote.glob("ansible-tmp-*"))


def test_onboarding_shows_no_secret(playbook: Playbooks, instance: Instance) -> None:
    planted = {"service": SECRETS["service"], "client": SECRETS["client"], "account": instance.access.password}
    run, lines = watched(
        playbook,
        "onboard",
        {instance.name: instance.connection},
        SHELLS[0],
        snow_connection_password=planted["service"],
        snow_connection_client_secret=planted["client"],
    )
    run.went_well()
    assert run.on(instance.name, "Get a token and use it")["results"][0]["verified"]
    assert found_in(run.output, planted) == set()
    assert found_in("\n".join(lines.seen), planted) == set()
    assert files_with_secrets(playbook.folder, planted, "variables-", "inventory-") == {}


def test_generated_secrets_are_shown_nowhere(playbook: Playbooks, instance: Instance) -> None:
    run, lines = watched(playbook, "onboard", {instance.name: instance.connection}, SHELLS[0])
    run.went_well()
    folder = playbook.folder / "secrets" / instance.name
    generated = {path.name: path.read_text().strip() for path in folder.iterdir()}
    assert len(generated) == 2
    assert found_in(run.output, generated) == set()
    assert found_in("\n".join(lines.seen), generated) == set()
    assert files_with_secrets(playbook.folder, generated, *generated) == {}


def test_the_search_itself_finds_secrets() -> None:
    for name, secret in SECRETS.items():
        shown = [
            secret,
            quote(secret),
            quote_plus(secret),
            json.dumps({"x": secret}),
            repr({"x": secret}),
            html.escape(secret),
            secret.encode().hex(),
            *(base64.b64encode((lead + secret + "::").encode()).decode() for lead in ("", "a", "ab", "abc")),
        ]
        assert all(name in found_in(f"before {each} after", SECRETS) for each in shown)
    assert found_in("nothing to see", SECRETS) == set()
