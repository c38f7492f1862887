# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated ServiceNow instances: tables, access rules, sign-in, and the REST endpoints over them."""
