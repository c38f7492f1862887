# SPDX-License-Identifier: GPL-3.0-or-later
"""What all browser tests share: how long they wait for a page on a machine that is busy with other checks."""

from __future__ import annotations

from playwright.sync_api import expect

expect.set_options(timeout=30_000)
