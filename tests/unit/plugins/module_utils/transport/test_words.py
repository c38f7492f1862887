# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of platforms reach a terminal as one bounded line without commands, and without secrets."""

from __future__ import annotations

import time

import pytest

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import (
    ModuleSpec,
    TaskContext,
    run_task,
)
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.errors import EngineError
from ansible_collections.secops.servicenow_defender.plugins.module_utils.engine.result import Unproven, information
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.redact import MASK, Redactor
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.responses import Response
from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.words import (
    MAX_WORDS,
    cleaned,
    one_line,
)

HOSTILE = "no\x1b]0;owned\x07 \x1b[2Jaccess\r\nok: [host]\x9b1m\u2028\u202ereally\x00"
HARMLESS = "no access ok: [host] really"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (HOSTILE, HARMLESS),
        ("a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\ b", "alink b"),
        ("a\x1bPq#0\x9c b \x1bc c", "a b c"),
        ("\x1b]unfinished words stay", "unfinished words stay"),
        ("\u001b[38;5;1mred\u001b[0m", "red"),
        ("straße – 日本語", "straße – 日本語"),
    ],
)
def test_commands_and_unseen_characters_are_dropped(text: str, line: str) -> None:
    assert one_line(text) == line


@pytest.mark.parametrize("unit", ["\x1b]", "\x9d", "\x1b[", "x", "\x1b", "\n", "\x1b]0;a"])
def test_five_megabytes_become_one_short_line_in_time(unit: str) -> None:
    started = time.monotonic()
    line = cleaned(unit * (5_000_000 // len(unit)), Redactor(["s3cret-word"]).scrub_text)
    assert len(line) < MAX_WORDS + 100
    assert time.monotonic() - started < 60


@pytest.mark.parametrize("secret", ["s3cret\tword one", "s3cret-word"])
def test_dropping_and_cutting_uncover_no_secret(secret: str) -> None:
    scrub = Redactor([secret]).scrub_text
    split = "\x1b[1m".join(secret)
    for lead in range(MAX_WORDS - 30, MAX_WORDS + 10):
        assert "s3c" not in cleaned("x" * lead + split, scrub)
    assert cleaned(f"a {split} b", scrub) == f"a {MASK} b"


@pytest.mark.parametrize(
    "data",
    [
        {"error": {"message": HOSTILE}},
        {"error": HOSTILE},
        {"error": "x", "error_description": HOSTILE},
        {"result": {"error": HOSTILE}},
        {"error": {"code": "x", "details": [{"message": HOSTILE}]}},
    ],
)
def test_an_error_holds_the_words_as_one_line(data: object) -> None:
    error = Response("GET", "/x", 400, {"x-ms-request-id": HOSTILE}, data).error()
    assert HARMLESS in error.words
    assert error.request_id == HARMLESS
    assert str(error).isprintable()


def test_every_part_of_a_result_that_says_something_is_one_line() -> None:
    found = information(
        HOSTILE,
        results=[{"object": "a", "message": HOSTILE, "evidence": [HOSTILE]}],
        problems=[{"id": "x", "message": HOSTILE, "remedy": HOSTILE}],
        records=[{"message": HOSTILE}],
    )
    found.managed, found.unproven = True, [Unproven("a", "state", HOSTILE)]
    context = TaskContext()
    context.warn(HOSTILE)
    told = run_task("snow_x", ModuleSpec({}), lambda _params, _context: found, {}, context, with_diff=False)
    assert told["msg"] == HARMLESS
    assert told["results"] == [{"object": "a", "message": HARMLESS, "evidence": [HARMLESS]}]
    assert told["problems"] == [{"id": "x", "message": HARMLESS, "remedy": HARMLESS}]
    assert told["unproven"][0]["reason"] == HARMLESS
    assert context.warnings == [HARMLESS]
    assert told["records"] == [{"message": HOSTILE}], "data stays as it is"


def test_a_failure_is_one_line() -> None:
    def run(_params: object, _context: TaskContext) -> None:
        raise EngineError(HOSTILE)

    told = run_task("snow_x", ModuleSpec({}), run, {}, TaskContext(), with_diff=False)  # type: ignore[arg-type]
    assert told["msg"] == f"snow_x: {HARMLESS}"
