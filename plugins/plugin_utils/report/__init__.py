# SPDX-License-Identifier: GPL-3.0-or-later
"""The drift report: what every task said about its host, as JSON, JUnit and one HTML page. Pure but for `store`."""

from __future__ import annotations
