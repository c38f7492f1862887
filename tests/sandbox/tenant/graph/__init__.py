# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated Microsoft Graph: requests, batches, OData options, permissions, advanced hunting."""
