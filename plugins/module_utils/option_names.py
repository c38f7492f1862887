# SPDX-License-Identifier: GPL-3.0-or-later
"""How messages name the options of modules: users of the roles and playbooks know variables only."""

from __future__ import annotations


def named_option(name: str, *roles: str) -> str:
    """Return an option as a message names it, with its variable in each of `roles`, which is the role's name and the option's."""
    variables = " or ".join(f"{role}_{name}" for role in roles)
    return f"{name} ({variables} in the role{'s' if len(roles) > 1 else ''})"
