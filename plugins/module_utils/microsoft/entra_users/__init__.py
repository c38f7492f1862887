# SPDX-License-Identifier: GPL-3.0-or-later
"""Users of Microsoft Entra and actions on them."""
