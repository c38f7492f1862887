# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditional Access of Microsoft Entra: session control by Defender for Cloud Apps."""
