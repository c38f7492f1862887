# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated Defender for Cloud Apps: its API, its portal, its app connectors."""
