# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of columns and options that hold secrets on every platform."""

from __future__ import annotations

import re

# Columns whose value the platform stores encrypted or hashed: reading it is useless, and showing it is unsafe.
SECRET_NAME = re.compile(
    r"(^|[_.-])(password|passwd|passphrase|secret|private_key|shared_key|api_key|token|token_received)$", re.I
)
