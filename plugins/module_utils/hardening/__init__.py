# SPDX-License-Identifier: GPL-3.0-or-later
"""Hardening settings of ServiceNow: what they should be, what they are, and how to change them."""
