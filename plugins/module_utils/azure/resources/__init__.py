# SPDX-License-Identifier: GPL-3.0-or-later
"""One file per thing that modules manage in Azure."""
