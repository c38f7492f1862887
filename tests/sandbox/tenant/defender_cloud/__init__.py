# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated Defender for Cloud: plans, findings, governance, integrations."""
