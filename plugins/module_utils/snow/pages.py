# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages and messages that an instance returns instead of data.

See docs/facts/servicenow_platform.md#pages-instead-of-json, docs/facts/servicenow_platform.md#cancelled-transactions.
"""

from __future__ import annotations

import re

from ..transport.responses import MAINTENANCE_PAGE, SIGN_IN_PAGE, PageHint

INSTANCE_PAGES = (
    PageHint(
        re.compile(rb"hibernating", re.I),
        "the developer instance is hibernating",
        "Wake it at developer.servicenow.com, wait a few minutes and run again",
        host="developer.servicenow.com",
    ),
    PageHint(
        re.compile(rb"login\.do|sys_?login|name=.user_password.|sign in|log in", re.I),
        SIGN_IN_PAGE.kind,
        SIGN_IN_PAGE.remedy,
    ),
    PageHint(
        MAINTENANCE_PAGE.pattern, MAINTENANCE_PAGE.kind, "Wait until the instance is available again, then run again"
    ),
    PageHint(re.compile(b""), "a page instead of data", "Check that the address is the root of the instance"),
    PageHint(
        re.compile(rb"Transaction cancelled"),
        "the instance cancelled the transaction: maximum execution time exceeded",
        "Request fewer rows or fields",
        in_json=True,
    ),
)
