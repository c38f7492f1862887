# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration Compliance and its integration with Defender for Cloud: ServiceNow pulls assessments from Azure.

Only the platform's own tables are a published interface; where the application stores its data is discovered at run time
(docs/facts/configuration_compliance.md#private-configuration-table).
"""
