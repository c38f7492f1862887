# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of an instance, computed without the templates of the role's defaults, equals what they give."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.connections import Connection, merged
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.role_variables import ROLES, defaults_of

try:
    from ansible.template import trust_as_template
except ImportError:  # ansible-core 2.18

    def trust_as_template(value: Any) -> Any:
        return value


TEMPLATED = ("application_name", "user_name", "role_name", "user_roles", "grant_type", "refresh_token_lifespan")


def trusted(value: Any) -> Any:
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, dict):
        return {key: trusted(each) for key, each in value.items()}
    return [trusted(each) for each in value] if isinstance(value, list) else value


def variables(**more: Any) -> dict[str, Any]:
    own = yaml.safe_load((ROLES / "snow_connection/vars/main.yml").read_text())
    known = {**defaults_of("snow_connection"), **own, "inventory_hostname": "acme-dev"}
    return trusted({**known, "snow_connection_secrets": "/secrets", **more})


def connection(service: str, **more: Any) -> Connection:
    known = variables(**more)
    return Connection(Templar(DataLoader(), variables=known), known, service, lambda name: f"secret of {name}")


@pytest.mark.parametrize("service", ["mda", "mdc", "msem"])
@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("name", TEMPLATED)
def test_a_default_is_what_its_template_gives(service: str, legacy: bool, name: str) -> None:
    known = variables(snow_connection_legacy_admin=legacy, snow_connection_service=service)
    templated = Templar(DataLoader(), variables=known).template(known[f"snow_connection_{name}"])
    # Templates of ansible-core 2.18 make texts of numbers.
    assert str(connection(service, snow_connection_legacy_admin=legacy).value(name)) == str(templated)


def test_what_the_user_sets_is_templated_for_each_service() -> None:
    own = {"snow_connection_user_name": "svc_{{ snow_connection_service }}", "snow_connection_password": "own"}
    options = merged([connection("mda", **own), connection("mdc", **own)])
    assert [user["user_name"] for user in options["users"]] == ["svc_mda", "svc_mdc"]
    assert [user["password"] for user in options["users"]] == ["own", "own"]
    assert options["oauth_applications"][0]["client_secret"] == "secret of mda_client_secret"
    assert [role["name"] for role in options["roles"]] == ["defender_cloud_apps_reader"]


def test_an_account_and_an_application_must_be_able_to_sign_in() -> None:
    options = connection("mda").options()
    (user,), (application,) = options["users"], options["oauth_applications"]
    assert (user["state"], user["extra_fields"]) == ("present", {"locked_out": False})
    assert application["active"] is True


def test_services_must_not_share_an_account() -> None:
    own = {"snow_connection_user_name": "svc"}
    with pytest.raises(ValueError, match="snow_connection_user_name is 'svc' for two services"):
        merged([connection("mda", **own), connection("mdc", **own)])


def test_an_undefined_variable_of_the_users_own_is_an_error() -> None:
    with pytest.raises(AnsibleError):
        connection("mda", snow_connection_user_name="{{ nowhere }}").options()


def test_a_client_that_acts_as_an_account_needs_no_password() -> None:
    found = connection("msem")
    options = merged([connection("mda"), found])
    user, application = options["users"][1], options["oauth_applications"][1]
    assert "password" not in user
    assert user["roles"] == ["cmdb_read"]
    assert application["oauth_user"] == user["user_name"] == "svc_defender_exposure_management"
    assert "refresh_token_lifespan" not in application
    grant = "glide.oauth.inbound.client.credential.grant_type.enabled"
    assert options["properties"] == {grant: {"value": "true", "type": "boolean"}}
    assert list(found.missing_secrets()) == []
    assert list(missing("msem")) == ["msem_client_secret"]


def test_an_account_that_signs_in_alone_has_no_application() -> None:
    options = connection("msem", snow_connection_grant_type="basic").options()
    assert options["users"][0]["password"] == "secret of msem_password"
    assert options["oauth_applications"] == []
    assert list(missing("msem", snow_connection_grant_type="basic")) == ["msem_password"]


def missing(service: str, **more: Any) -> Any:
    found = connection(service, **more)
    found.stored = lambda _name: ""
    return found.missing_secrets()


def test_a_service_signs_in_as_its_vendor_offers() -> None:
    with pytest.raises(ValueError, match="snow_connection_grant_type is 'basic', but mdc signs in with password"):
        connection("mdc", snow_connection_grant_type="basic").options()
