# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated Resource Manager: the part that Defender for Cloud needs (Defender for Cloud facts 2, 3, 5)."""
