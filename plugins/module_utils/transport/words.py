# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the words of a platform fit for a terminal and a log: one line, no control characters, bounded."""

from __future__ import annotations

import re
from collections.abc import Callable

# Characters of a platform's own words, and of a whole message.
MAX_WORDS = 1_000
MAX_MESSAGE = 10_000

# Characters of a text that are read at all.
MAX_SEARCHED = 500_000

# Commands for terminals: OSC, DCS, PM, APC and SOS with their text, CSI with its parameters, other escapes of two characters.
COMMANDS = re.compile(
    "(?:\x1b[]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x00-\x1f\x7f-\x9f]*(?:\x07|\x1b\\\\|\x9c)"
    "|(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]?"
    "|\x1b[ -/]*[0-~]?"
)
# Control characters, and those that reorder or hide what stands around them.
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def one_line(text: str) -> str:
    """Return `text` as one line: commands for terminals and unseen characters dropped, space between words single."""
    return UNSEEN.sub("", " ".join(COMMANDS.sub("", text).split()))


def shortened(text: str, limit: int) -> str:
    """Return `text`, or its first `limit` characters and how many there are."""
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"


def cleaned(text: str, scrub: Callable[[str], str] = str, limit: int = MAX_WORDS) -> str:
    """Return `text` as one line of at most `limit` characters; `scrub` removes secrets."""
    # Cut before the search as well, but far behind what is shown: a secret that is cut in two would not be found.
    line = one_line(text[:MAX_SEARCHED])[: 10 * limit]
    return shortened(scrub(line), limit)
