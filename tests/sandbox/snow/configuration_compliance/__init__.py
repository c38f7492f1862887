# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated Configuration Compliance and its integration with Defender for Cloud."""
