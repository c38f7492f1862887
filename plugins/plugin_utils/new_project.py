# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a new project: inventory, vault files, ansible.cfg and .gitignore, from three answers."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from .fleet import DEFAULT_INSTANCES, DEFAULT_TENANT, SERVICES, did_you_mean
from .fleet_sources.instances import NAME, is_url, without_user
from .fleet_sources.tenant import DOMAIN
from .summary.missing_tenant import BUILT_IN_GROUPS

SEPARATORS = re.compile(r"[\s,;]+")
TENANT_HOST = "tenant"
# Ansible takes a host with the name of a group for the group.
TAKEN = frozenset({DEFAULT_INSTANCES, DEFAULT_TENANT, TENANT_HOST, *BUILT_IN_GROUPS})
# What YAML 1.1 reads as something other than text.
RESERVED = frozenset({"yes", "no", "on", "off", "true", "false", "null", "y", "n"})
# The variables that `init` knows. Without a terminal, Ansible answers a question that has no default with this text.
ANSWERS = ("init_instances", "init_username", "init_tenant_url", "init_services", "init_dir")
NO_ANSWER = "None"
# What a service needs in addition to the address of Defender for Cloud Apps.
AZURE = ("azure_tenant_id", "azure_client_id", "azure_subscription_id")

CONFIGURATION = """\
[defaults]
inventory = inventory.yml
stdout_callback = secops.servicenow_defender.summary
callbacks_enabled = secops.servicenow_defender.drift

[inventory]
any_unparsed_is_failed = true

[callback_servicenow_defender_drift]
report_dir = ./drift-report
"""
IGNORED = """\
# Generated secrets, and files that hold or may hold secrets.
/servicenow_defender_secrets/
*.har
.vault_password
# Remove this line once the files are encrypted with ansible-vault.
/group_vars/*/vault.yml
# Reports show the weaknesses of instances.
/drift-report/
/.inventory-cache/
"""


class File(NamedTuple):
    """A file of the project, relative to its folder."""

    path: str
    content: str
    mode: str = "0644"


def project_files(
    instances: str | Iterable[str], username: str, tenant_url: str = "", services: str | Iterable[str] = ("mda",)
) -> list[File]:
    """Return the files of a project; raise `ValueError` with one sentence for an answer that cannot be used."""
    named = _instances(instances)
    wanted = _services(services)
    if not username.strip():
        raise ValueError("init_username is empty. Give the user name with which Ansible signs in to the instances")
    tenant = _tenant(tenant_url.strip(), wanted)
    files = [
        File("inventory.yml", _inventory(named, username.strip(), wanted, tenant)),
        File("group_vars/servicenow/vault.yml", _vault("servicenow", {"vault_snow_password": "SN_PASSWORD"}), "0600"),
    ]
    if tenant:
        secrets = {"vault_mda_api_token": "MDA_API_TOKEN", "vault_azure_client_secret": "AZURE_CLIENT_SECRET"}
        files.append(File("group_vars/defender/vault.yml", _vault("defender", secrets), "0600"))
    return [*files, File("ansible.cfg", CONFIGURATION), File(".gitignore", IGNORED)]


def folder_problem(folder: str) -> str:
    """Return one sentence if no files can be written to a folder, "" if they can."""
    path = Path(folder)
    known = next(each for each in (path, *path.parents) if each.exists())
    if not known.is_dir():
        return f"init_dir is {folder}, and {known} is a file. Give a folder"
    if not os.access(known, os.W_OK | os.X_OK):
        return f"init_dir is {folder}, and {known} is not writable for the user who runs Ansible. Give another folder"
    return ""


def misspelt_answer(names: Iterable[str]) -> str:
    """Return one sentence about a variable that begins as those of `init` and is none of them, "" without one."""
    # Names with two underscores are internal to the playbook.
    unknown = next((name for name in sorted(names) if name not in ANSWERS and "__" not in name), "")
    hint = did_you_mean(unknown, ANSWERS) or f" Known variables: {', '.join(ANSWERS)}"
    return f"{unknown} is not a variable of init.{hint}" if unknown else ""


def _listed(value: str | Iterable[str]) -> list[str]:
    texts = SEPARATORS.split(value) if isinstance(value, str) else [str(each) for each in value]
    return [each.strip() for each in texts if each.strip()]


def _instances(value: str | Iterable[str]) -> dict[str, str]:
    """Return the URL of each instance by its name, "" where it is the usual one."""
    found: dict[str, str] = {}
    for text in () if value == NO_ANSWER else _listed(value):
        name, url = _name_and_url(text)
        if name in found:
            raise ValueError(
                f"init_instances names {name} twice. Give each instance once, or <name>=<URL> for another name"
            )
        found[name] = url
    if not found:
        raise ValueError("init_instances is empty. Name at least one ServiceNow instance, such as acme-dev, or its URL")
    return found


def _name_and_url(text: str) -> tuple[str, str]:
    given, equals, url = text.partition("=") if "://" in text and "=" in text.split("://")[0] else ("", "", text)
    # What a browser shows: the address of an instance at ServiceNow, with or without scheme, and with the page behind it.
    parts = urlsplit(url if "://" in url else f"https://{url}")
    host = (parts.hostname or "").lower()
    if host.endswith(DOMAIN):
        name, address = host.removesuffix(DOMAIN), f"https://{host}" if equals else ""
    elif "://" not in url:
        name, address = url, ""
    else:
        name, address = parts.path.strip("/").rpartition("/")[2] or host, url.rstrip("/")
    name = given or name
    if name in TAKEN:
        raise ValueError(
            f"init_instances has {name!r}, which the inventory uses itself. Write <name>=<URL> with another name"
        )
    if not NAME.fullmatch(name) or (address and not is_url(address)):
        raise ValueError(
            f"init_instances has {without_user(text)!r}, which is neither a name of an instance nor a URL. Write acme-dev, a URL, or acme-dev=<URL>"
        )
    return name, address


def _services(value: str | Iterable[str]) -> list[str]:
    found = _listed(value)
    unknown = [each for each in found if each not in SERVICES]
    if unknown:
        hint = did_you_mean(unknown[0], SERVICES, cutoff=0.5)
        raise ValueError(
            f"init_services has the unknown service {unknown[0]!r}. Known services: {', '.join(SERVICES)}.{hint}"
        )
    return found or ["mda"]


def _tenant(url: str, services: Iterable[str]) -> dict[str, str]:
    """Return the variables of the tenant's host, {} without a tenant."""
    if not url:
        return {}
    if not is_url(url):
        raise ValueError(
            f"init_tenant_url is {without_user(url)!r}, which is not a URL with https://, a host, and nothing but a path after it. "
            "The portal shows it at Settings > Cloud Apps > About (API URL)"
        )
    found = {"mda_url": url.rstrip("/"), "mda_api_token": "{{ vault_mda_api_token }}"}
    if {*services} - {"mda"}:
        found |= {name: f"{{{{ lookup('ansible.builtin.env', '{name.upper()}') }}}}" for name in AZURE}
        found["azure_client_secret"] = "{{ vault_azure_client_secret }}"
    return found


def _inventory(instances: Mapping[str, str], username: str, services: Iterable[str], tenant: Mapping[str, str]) -> str:
    lines = ["---", "servicenow:", "  hosts:"]
    for name, url in instances.items():
        lines.append(f"    {_key(name)}:")
        lines += [f"      snow_url: {_text(url)}"] if url else []
    lines += ["  vars:", "    ansible_connection: local"]
    if not all(instances.values()):
        lines.append(f'    snow_url: "https://{{{{ inventory_hostname }}}}{DOMAIN}"')
    lines += [f"    snow_username: {_text(username)}", '    snow_password: "{{ vault_snow_password }}"']
    lines += [f"    servicenow_defender_services: [{', '.join(services)}]"]
    if tenant:
        lines += ["defender:", "  hosts:", f"    {TENANT_HOST}:", "      ansible_connection: local"]
        lines += [f"      {name}: {_text(value)}" for name, value in tenant.items()]
    return "\n".join([*lines, ""])


def _vault(group: str, secrets: Mapping[str, str]) -> str:
    lines = ["---", f"# Replace the values, then encrypt the file: ansible-vault encrypt group_vars/{group}/vault.yml"]
    lines += [
        f"{name}: \"{{{{ lookup('ansible.builtin.env', '{variable}') }}}}\"" for name, variable in secrets.items()
    ]
    return "\n".join([*lines, ""])


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name) and name.lower() not in RESERVED else json.dumps(name)


def _text(value: Any) -> str:
    """Return a value in YAML: plain where that is safe, else in quotes."""
    text = str(value)
    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_./@-]*(?:://[A-Za-z0-9_.:/-]+)?", text)
    return text if plain and text.lower() not in RESERVED else json.dumps(text)
