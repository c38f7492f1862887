# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration Compliance and its integration with Defender for Cloud: ServiceNow pulls assessments from Azure.

Nothing of this is a published interface but the platform's own tables; what is where is found out at run time
(docs/facts/configuration_compliance.md#private-configuration-table).
"""
