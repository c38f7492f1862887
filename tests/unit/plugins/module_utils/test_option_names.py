# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages that name an option of a module name its variable as well: users of the roles do not know the option."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache

from ansible_collections.secops.servicenow_defender.plugins.module_utils.option_names import named_option
from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.role_variables import ROLES, known_variables

FOLDER = ROLES.parent / "plugins/module_utils"
# Options that have a variable in a role, and that no platform calls anything by.
OWN_WORDS = (
    "accept_side_effects", "allow_irreversible", "allow_plugins", "change_type", "close_code", "confirm_assignment_loss", "credentials_entered",
    "extra_fields", "import_from", "integration_instance", "location_condition", "management_groups", "max_import_age_hours", "max_writes",
    "poll_interval", "redirect_urls", "secret_lifetime_days", "update_credentials", "wait_timeout",
)  # fmt: skip
# Messages of modules that no role uses with these options, and reasons of rows whose option summary and report show as a variable.
BARE = {
    "hardening/write_policy.py": {"accept_side_effects", "allow_irreversible", "allow_plugins"},
    "snow/record_resource.py": {"extra_fields"},
    "snow/resources/properties.py": {"max_writes"},
    "microsoft/defender_cloud/pricings_api.py": {"wait_timeout"},
}


def test_an_option_is_named_with_its_variables() -> None:
    assert named_option("max_writes", "snow_hardening") == "max_writes (snow_hardening_max_writes in the role)"
    assert named_option("close_code", "mdc_tickets", "defender_alerts") == (
        "close_code (mdc_tickets_close_code or defender_alerts_close_code in the roles)"
    )


@lru_cache(maxsize=1)
def trees() -> list[tuple[str, ast.Module]]:
    files = sorted(FOLDER.rglob("*.py"))
    return [(path.relative_to(FOLDER).as_posix(), ast.parse(path.read_text(encoding="utf-8"))) for path in files]


def role_named(file: str, node: ast.expr) -> str:
    """Return the role in a call: a text, or the constant ROLE of a file."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    assert file.startswith("snow/configuration_compliance/")
    return "mdc_configuration_compliance"


def test_every_variable_that_a_message_names_exists() -> None:
    found = set()
    for file, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "named_option":
                option, *roles = node.args
                if isinstance(option, ast.Constant):
                    found |= {f"{role_named(file, role)}_{option.value}" for role in roles}
    assert len(found) > 20
    assert found - set(known_variables().names) == set()


def messages(tree: ast.Module) -> Iterator[str]:
    """Yield the texts of a file with more than one word, without documentation."""
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value


def test_no_message_names_an_option_without_its_variable() -> None:
    bare = re.compile(rf"(?<![\w.])({'|'.join(OWN_WORDS)})(?![\w']| \([a-z_]+_\1\))")
    left = [
        f"{file}: {text}"
        for file, tree in trees()
        for text in messages(tree)
        if " " in text and any(found[1] not in BARE.get(file, ()) for found in bare.finditer(text))
    ]
    assert left == []
