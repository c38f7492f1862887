# SPDX-License-Identifier: GPL-3.0-or-later
"""Defender for Cloud: plans, integrations, governance, recommendations."""
