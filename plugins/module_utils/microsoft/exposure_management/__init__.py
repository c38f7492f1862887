# SPDX-License-Identifier: GPL-3.0-or-later
"""Data connectors of Microsoft Security Exposure Management, which no API lists or writes."""
