# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Entra: sign-in of applications and identities."""
