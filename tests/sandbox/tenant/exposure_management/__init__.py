# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Security Exposure Management: data connectors that read the CMDB of instances."""
