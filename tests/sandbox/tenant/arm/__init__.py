# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated Resource Manager: the part that Defender for Cloud needs.

See docs/facts/defender_for_cloud.md#integrations, docs/facts/defender_for_cloud.md#public-apis,
docs/facts/defender_for_cloud.md#permissions.
"""
