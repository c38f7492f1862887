# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of README and guides, as printed, from an empty folder, and the output shown there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.integration.connected_by_hand import connect_by_hand
from tests.integration.instances import Instance
from tests.integration.playbooks import ROOT, Playbooks
from tests.integration.printed import CONSOLE, INVENTORY, TEXT, YAML, Block, Reader, as_vars, blocks_of
from tests.integration.tenant import AZURE, SimulatedTenant, learn_data_connector
from tests.integration.test_onboard import APPLICATIONS, USERS, enter_rules
from tests.integration.test_protection import recording
from tests.sandbox.process import SandboxProcess
from tests.sandbox.tenant.cloud_apps.captures import WIZARD, capture

NAMES = ("acme-dev", "acme-test", "acme-prod")
TENANT = "acme-tenant"
GUIDES = ROOT / "docs" / "docsite" / "rst"
DOCUMENTS = (ROOT / "README.md", *sorted(GUIDES.glob("guide_*.rst")), ROOT / "roles" / "snow_hardening" / "README.md")
# Commands that are to end with status 2, by document and a part of the command: access rules are open, or an instance was changed.
ENDS_WITH_2 = (
    ("README", ".drift"),
    ("guide_fleet", ".verify"),
    ("guide_fleet", ".drift"),
    ("guide_vendor_pages", ".verify"),
)

FIRST_DAY = "ansible-playbook secops.servicenow_defender.init -e init_dir=acme -e init_instances=acme-dev -e init_username=svc_ansible -e init_tenant_url="
# What cannot be run, by the first line of the block.
NOT_RUN = {
    "ansible-galaxy collection install secops.servicenow_defender": "Galaxy and PyPI; `make build` tries the archive",
    "make demo    # onboard three instances, connect them, tamper, find it in check mode, repair it; tickets; hardening; the report":
        "targets of the repository, which CI runs",
    "ansible-playbook secops.servicenow_defender.init": "it asks; test_first_day runs it",
    FIRST_DAY: "test_first_day runs it in a folder of its own, with ansible.cfg",
    "controller: ansible-core ..., Python ..., requests ..., jmespath ...": "the same",
    "ansible-playbook secops.servicenow_defender.onboard --check --diff   # what would change?": "the same",
    "1 instance: 1 in sync; tenant: not checked (left out by --tags)": "the same",
    "[WARNING]: broken.yml line 4: acme-dev has an unknown service 'mdb'. Known services: mda, mdc, msem. Did you mean mdc?":
        "ansible-core 2.18 wraps the lines of warnings; test_inventory_plugins has them",
    "acme-prod: user svc_defender in sync": "samples of the key msg; those of each module are in its documentation",
    "acme-dev: warning clone:Microsoft Defender for Cloud Apps: cloned from acme-prod (https://acme-prod.service-now.com): "
    "the application Microsoft Defender for Cloud Apps has the client id of that instance. ...":
        "the sample of a warning; test_clones has the clones",
    "$ ansible-playbook secops.servicenow_defender.tickets -i inventory.yml -e mdc_tickets_finding=mdc-81867afc09f34c38c6e0d4a03962459f27ad2df0":
        "a finding of the reader's tenant; test_ticket_groups makes such a ticket",
    "$ export CONTROLLER_HOST=https://awx.example.com CONTROLLER_USERNAME=admin CONTROLLER_PASSWORD=...":
        "a controller; `make automation` holds the playbook against the modules of awx.awx",
    "$ ansible-rulebook -r secops.servicenow_defender.repair_drift -i inventory --vars vars.yml":
        "Java and ansible-rulebook; `make automation` runs the rulebooks",
}  # fmt: skip
ONBOARD = f"ansible-playbook secops.servicenow_defender.onboard -i {INVENTORY}"
HARDENED = {
    "snow_hardening_max_writes": 0,
    "snow_hardening_allow_irreversible": True,
    "snow_hardening_accept_side_effects": [
        "auth.mfa_enabled",
        "auth.lockout_action_unlock",
        "soap.content_type",
        "acl.ccsi_public",
        "request_auth.scripted_processor",
    ],
    "snow_hardening_update_set_file": "hardening-{{ inventory_hostname }}.xml",
}


class DocumentedFleet:
    """The simulated fleet that a document is read with, and what happens around the reader."""

    def __init__(self, playbook: Playbooks, sandbox: SandboxProcess, folder: Path) -> None:
        self.sandbox, self.playbook = sandbox, playbook
        # With the application of the guide on Configuration Compliance.
        made = [sandbox.new_instance(name, configuration_compliance="tvm") for name in NAMES]
        self.instances = [Instance(sandbox, access) for access in made]
        self.tenant = SimulatedTenant(sandbox)
        own = {"vault_defender_password": "own-Pass-word-1", "vault_defender_client_secret": "own-secret-word-1"}
        hosts = {
            instance.name: {**instance.connection, "vault_snow_password": instance.access.password, **own}
            for instance in self.instances
        }
        azure = {name: self.tenant.access[name] for name in (*AZURE, "mda_url", "mda_api_token")}
        self.reader = Reader(playbook, folder, {**hosts, TENANT: azure})

    def harden(self) -> None:
        """Allow what is withheld, and import the update set of what no API may write."""
        self.reader.write("hardening.yml", as_vars(**HARDENED))
        self.reader.run(f"ansible-playbook secops.servicenow_defender.harden -i {INVENTORY} -e @hardening.yml")
        for instance in self.instances:
            updates = ElementTree.parse(self.reader.folder / f"hardening-{instance.name}.xml").getroot()
            for payload in updates.findall("sys_update_xml/payload"):
                row = ElementTree.fromstring(payload.text or "")[0]
                instance.change("sys_properties", {"name": row.findtext("name")}, value=row.findtext("value") or "")

    def tamper(self) -> None:
        """Change two instances behind everyone's back."""
        _dev, test, prod = self.instances
        test.change("oauth_entity", {"name": APPLICATIONS["mda"]}, access_token_lifespan="300")
        prod.remove("sys_user_has_role", user=prod.row("sys_user", user_name=USERS["mda"])["sys_id"])

    def connect_two(self) -> None:
        """Let the tenant know two instances, and let an inventory read it."""
        tenant, (_dev, test, prod) = self.tenant, self.instances
        tenant.connector(prod.name, prod.connection["snow_url"])
        tenant.connector(test.name, test.connection["snow_url"], state="error", message="Service timeout")
        scope = f"/subscriptions/{tenant.access['azure_subscription_id']}"
        row = {"name": "one", "scope": scope, "displayName": prod.name, "integrationType": "ServiceNow"}
        self.sandbox.tamper_tenant("integrations", row, insert=True)
        options = {name: tenant.access[name] for name in (*AZURE, "mda_url", "mda_api_token")}
        self.reader.write("connected.yml", as_vars(plugin="secops.servicenow_defender.defender", **options))

    def connect_by_hand(self) -> None:
        """Connect each instance as an administrator did years ago."""
        for instance in self.instances:
            connect_by_hand(instance)
            self.tenant.connector(instance.name, instance.connection["snow_url"])

    def enter_rules(self) -> None:
        """Do the manual step of an administrator on each instance."""
        for instance in self.instances:
            enter_rules(instance)


@pytest.fixture
def fleet(playbook: Playbooks, sandbox: SandboxProcess, tmp_path: Path) -> Iterator[DocumentedFleet]:
    (tmp_path / "reader").mkdir()
    yield DocumentedFleet(playbook, sandbox, tmp_path / "reader")
    for name in NAMES:
        sandbox.remove(name)


def record(fleet: DocumentedFleet, block: Block) -> None:
    """Let the browser record what a block learns from."""
    if "learn_contract_har=" in block.text:
        har, typed = capture(WIZARD, fleet.sandbox.base_url)
        for name in ("wizard.har", "portal.har"):
            fleet.reader.write(name, json.dumps(har))
        fleet.reader.write("typed.yml", as_vars(learn_contract_values=typed))
        fleet.reader.write("policy.har", recording(fleet.sandbox.base_url, fleet.sandbox.portal_session()))
    if "msem_connection_contract=" in block.text:
        learned, path = learn_data_connector(fleet.playbook, fleet.sandbox.base_url)
        learned.went_well()
        fleet.reader.write("contract.yml", path.read_text())


def before(fleet: DocumentedFleet, block: Block) -> None:
    """Let happen what happens around the reader before a block: what a browser records, what administrators and agents do."""
    reader = fleet.reader
    record(fleet, block)
    if "@portal_session.yml" in block.text and "mda_connection_contract=" in block.text:
        reader.run(ONBOARD)
        fleet.enter_rules()
    if "session.yml" in block.text:
        for name in ("session.yml", "portal_session.yml"):
            reader.write(name, as_vars(**fleet.sandbox.portal_session()))
    if "3 in sync, 3 tokens verified; tenant: unproven" in block.text:
        fleet.enter_rules()
        reader.run(reader.last)
    if "ANSIBLE_CALLBACKS_ENABLED" in block.text:
        fleet.harden()
        fleet.tamper()
    if "-i connected.yml" in block.text:
        fleet.connect_two()
    if "@query.yml" in block.text:
        (query,) = [one for one in blocks_of(GUIDES / "guide_response.rst") if one.file_name == "respond.yml"]
        reader.write("query.yml", query.text)
    if "is not stored: /home/me" in block.text:
        reader.run(ONBOARD)
        shutil.rmtree(reader.folder / "servicenow_defender_secrets" / "acme-dev")
        reader.run(ONBOARD)


def ends_as_documented(document: str, command: str, status: int) -> bool:
    """Return whether a command may end with this status."""
    expected = next((2 for name, part in ENDS_WITH_2 if name == document and part in command), 0)
    # Of the two runs around a lost folder, one fails.
    return status == expected or (document == "guide_secrets" and command == ONBOARD)


@pytest.mark.parametrize(
    "path",
    [DOCUMENTS[0], *(pytest.param(path, marks=pytest.mark.walk(4)) for path in DOCUMENTS[1:])],
    ids=lambda path: path.parent.name if path.stem == "README" else path.stem,
)
def test_a_document_works_as_printed(fleet: DocumentedFleet, path: Path) -> None:
    reader, blocks = fleet.reader, blocks_of(path)
    reader.keep_files(blocks)
    if path.stem == "guide_adopt":
        fleet.connect_by_hand()
    if not any(block.is_inventory for block in blocks):
        reader.do(next(block for block in blocks_of(GUIDES / "guide_fleet.rst") if block.is_inventory))
    for block in blocks:
        if block.title in NOT_RUN:
            continue
        before(fleet, block)
        reader.do(block)
        if block.kind == TEXT:
            assert reader.has_shown(block), (block.text, *reader.outputs)
    for command, output in reader.typed:
        status = int(output.rpartition(" ")[2])
        assert ends_as_documented(path.stem, command, status), f"$ {command}\n{output}"
        assert "Traceback" not in output


def test_what_is_not_run_is_still_printed() -> None:
    titles = {block.title for path in DOCUMENTS for block in blocks_of(path)}
    assert set(NOT_RUN) <= titles


def test_the_documents_have_blocks() -> None:
    """Without this, a change of their layout could leave a document without blocks."""
    kinds = [block.kind for path in DOCUMENTS for block in blocks_of(path)]
    assert kinds.count(CONSOLE) >= 14
    assert kinds.count(TEXT) >= 8
    assert kinds.count(YAML) >= 20
