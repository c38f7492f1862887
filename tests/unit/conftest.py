# SPDX-License-Identifier: GPL-3.0-or-later
"""What all unit tests share: how property tests run."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# How many examples of each property: few, as each run has others, and many every night.
EXAMPLES = int(os.environ.get("EXAMPLES", "25"))

# A busy machine is no reason to fail; the clock of the product is tested with a clock of our own.
settings.register_profile(
    "unit",
    deadline=None,
    max_examples=EXAMPLES,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("unit")
