# SPDX-License-Identifier: GPL-3.0-or-later
"""Which application, account and role of an instance belong to a service, where no variable names them.

What looks alike twice is never guessed: the user names one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]


class NothingAlike(ValueError):
    """No object of an instance looks like that of a service, and none is named."""


# What people call the objects of a service; the names that Microsoft used before are among them.
LOOKS_LIKE = {
    "mda": re.compile(r"cloud[ _.-]*app|mcas|(?<![a-z])mda(?![a-z])", re.IGNORECASE),
    "mdc": re.compile(
        r"defender[ _.-]*for[ _.-]*cloud(?![ _.-]*app)|defender[ _.-]*cloud(?![ _.-]*app)"
        r"|security[ _.-]*cent|(?<![a-z])mdc(?![a-z])",
        re.IGNORECASE,
    ),
    "msem": re.compile(r"exposure|(?<![a-z])msem(?![a-z])", re.IGNORECASE),
}  # fmt: skip
# Words that the names of accounts of a service contain, for a query.
ACCOUNT_WORDS = {
    "mda": ("cloud", "mcas", "mda", "defender"),
    "mdc": ("cloud", "mdc", "defender", "security"),
    "msem": ("exposure", "msem"),
}
# Roles that come with every instance are never the custom role of a connection.
BUILT_IN = re.compile(r"admin|itil|snc_.*|rest_.*|web_service.*|import_.*|.*_admin|public|nobody|maint")


def application_of(service: str, rows: Iterable[Row], wanted: str, usual: str) -> Row:
    """Return the application of a service: the `wanted` one, that of the `usual` name, or the only one that looks like it.

    Raises `ValueError` if there is none, or if there are several.
    """
    known = list(rows)
    if wanted:
        found = [row for row in known if row.get("name") == wanted]
    else:
        found = [row for row in known if row.get("name") == usual or LOOKS_LIKE[service].search(str(row.get("name")))]
        active = [row for row in found if row.get("active") is not False]
        found = active or found
    return _only(found, "application", service, "snow_connection_application_name", wanted, "name", known)


def account_of(service: str, users: Iterable[Row], holders: Iterable[str], wanted: str) -> Row:
    """Return the account of a service: the `wanted` one, the only one that has tokens of the application (its sys_id is in
    `holders`), or the only one that looks like it. Raises `ValueError` as `application_of`.
    """
    known, ids = list(users), set(holders)
    if wanted:
        found = [row for row in known if row.get("user_name") == wanted]
    else:
        found = [row for row in known if row.get("sys_id") in ids]
        found = found or [row for row in known if LOOKS_LIKE[service].search(str(row.get("user_name")))]
    return _only(found, "account", service, "snow_connection_user_name", wanted, "user_name", known)


def role_of(service: str, held: Sequence[str], wanted: str, usual: str) -> str:
    """Return the custom role among the roles that an account holds, "" if none is, or if several may be."""
    if wanted or usual in held:
        return wanted or usual
    own = [name for name in held if not BUILT_IN.fullmatch(name)]
    alike = [name for name in own if LOOKS_LIKE[service].search(name)]
    return next((found[0] for found in (own, alike) if len(found) == 1), "")


def _only(found: list[Row], noun: str, service: str, variable: str, wanted: str, key: str, known: list[Row]) -> Row:
    if len(found) == 1:
        return found[0]
    if found:
        names = " and ".join(f"{row[key]!r} ({row.get('sys_id', '')})" for row in found)
        remedy = "Rename or remove all but one" if wanted else f"Set {variable} to the one in use"
        raise ValueError(f"{len(found)} {noun}s look like that of service {service}: {names}. {remedy}")
    if wanted:
        others = ", ".join(sorted(str(row.get(key)) for row in known)[:10]) or "none"
        raise ValueError(
            f"{variable} is {wanted!r}, but no {noun} has that name, or this account may not see it. It sees: {others}"
        )
    raise NothingAlike(
        f"no {noun} looks like that of service {service}. Set {variable}, or remove {service} from servicenow_defender_services"
    )
