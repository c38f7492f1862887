# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated Entra: token endpoints, access tokens, managed identities."""
