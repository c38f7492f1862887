# SPDX-License-Identifier: GPL-3.0-or-later
"""What all unit tests share: how property tests run."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# A busy machine is no reason to fail; the clock of the product is tested with a clock of our own.
settings.register_profile("unit", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unit")
