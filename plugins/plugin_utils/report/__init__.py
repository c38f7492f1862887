# SPDX-License-Identifier: GPL-3.0-or-later
"""The drift report: the results of every task by host, as JSON, JUnit XML and one HTML page. Only `store` does I/O."""

from __future__ import annotations
