# SPDX-License-Identifier: GPL-3.0-or-later
"""Applications in Entra: their service principals, secrets and roles in Azure."""
