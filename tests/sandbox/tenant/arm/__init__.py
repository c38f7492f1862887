# SPDX-License-Identifier: GPL-3.0-or-later
"""The Resource Manager of the simulated tenant, as far as Defender for Cloud needs it (Defender for Cloud facts 2, 3, 5)."""
