# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Entra, Resource Manager, Graph, Defender for Cloud and Defender for Cloud Apps."""
