# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated Microsoft tenant: Entra, Graph, Defender for Cloud Apps with its API and its portal."""
