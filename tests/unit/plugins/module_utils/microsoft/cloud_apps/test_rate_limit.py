# SPDX-License-Identifier: GPL-3.0-or-later
"""Thirty calls a minute, whoever makes them (docs/facts/defender_for_cloud_apps.md#api-errors)."""

from __future__ import annotations

import json
import multiprocessing
import stat
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.secops.servicenow_defender.plugins.module_utils.microsoft.cloud_apps.rate_limit import (
    MAX_CALLS,
    WINDOW,
    RateLimit,
    _reserve,
)
from tests.unit.plugins.module_utils.conftest import Clock

URL = "https://acme.us3.portal.cloudappsecurity.com"


def throttle(place: Path, lines: list[str] | None = None) -> RateLimit:
    return RateLimit(URL, (lines if lines is not None else []).append, place)


def test_the_thirty_first_call_waits_for_its_minute(tmp_path: Path, clock: Clock) -> None:
    lines: list[str] = []
    paced = throttle(tmp_path, lines)
    for _call in range(MAX_CALLS):
        paced.acquire()
    assert clock.naps == []
    paced.acquire()
    assert WINDOW - 2 < sum(clock.naps) <= WINDOW
    assert lines == ["waiting 61 s: the tenant accepts 30 calls per minute"]


def test_the_same_tenant_is_one_for_every_caller(tmp_path: Path, clock: Clock) -> None:
    first, second = throttle(tmp_path), RateLimit(URL.upper(), [].append, tmp_path)
    for _call in range(MAX_CALLS // 2):
        first.acquire()
        second.acquire()
    other = RateLimit("https://other.example.com", [].append, tmp_path)
    other.acquire()
    assert clock.naps == []
    second.acquire()
    assert clock.naps


def test_a_refusal_delays_every_caller(tmp_path: Path, clock: Clock) -> None:
    throttle(tmp_path).block(60)
    throttle(tmp_path).acquire()
    assert 59 < sum(clock.naps) < 61


def test_a_record_that_makes_no_sense_is_forgotten(tmp_path: Path, clock: Clock) -> None:
    paced = throttle(tmp_path)
    for text in ("no JSON", '{"a": 1}', json.dumps([clock.time() + 10**6] * MAX_CALLS)):
        paced.file.write_text(text)
        paced.acquire()
    assert clock.naps == []


def test_the_record_holds_times_only_and_is_private(tmp_path: Path, clock: Clock) -> None:
    paced = throttle(tmp_path)
    paced.acquire()
    assert stat.S_IMODE(paced.file.stat().st_mode) == 0o600
    assert "acme" not in paced.file.name
    assert [type(moment) for moment in json.loads(paced.file.read_text())] == [float]


def _take_some(place: str) -> None:
    for _call in range(5):
        RateLimit(URL, [].append, Path(place)).acquire()


def test_processes_count_together(tmp_path: Path) -> None:
    processes = [multiprocessing.Process(target=_take_some, args=(str(tmp_path),)) for _number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(20)
    assert len(json.loads(throttle(tmp_path).file.read_text())) == 20


@given(st.lists(st.floats(0, 5), min_size=1, max_size=150))
def test_no_window_ever_holds_more_calls(pauses: list[float]) -> None:
    now, times = 1000.0, []
    for pause in pauses:
        now += pause
        times, _wait = _reserve(times, now)
    for start in times:
        assert sum(start <= moment < start + WINDOW - 0.001 for moment in times) <= MAX_CALLS
