# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that exhaust a client, and pages without a count."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest
import requests

from tests.unit.sandbox.client import RestClient

Make = Callable[..., RestClient]
USERS = "api/now/table/sys_user"


def test_a_response_drips(make: Make) -> None:
    instance = make(faults=[{"kind": "drip", "seconds": 0.02}])
    answer = instance.call("GET", USERS, stream=True)
    assert answer.raw.read(2) == b'{"' and answer.elapsed.total_seconds() < 5
    answer.close()


def test_a_small_response_decodes_to_a_large_one(make: Make) -> None:
    answer = make(faults=[{"kind": "gzip-bomb"}]).call("GET", USERS, stream=True, headers={"Accept-Encoding": "gzip"})
    packed = answer.raw.read(decode_content=False)
    assert len(packed) < 400_000 and len(gzip.decompress(packed)) > 30_000_000


@pytest.mark.parametrize(
    ("kind", "start"), [("deep", b'{"result":[[[['), ("many", b'{"result":[{},{}'), ("huge", b"{")]
)
def test_a_response_is_huge_or_deep(make: Make, kind: str, start: bytes) -> None:
    answer = make(faults=[{"kind": kind}]).call("GET", USERS)
    assert answer.content.startswith(start) and len(answer.content) > 200_000


def test_a_pause_may_last_for_years(make: Make) -> None:
    assert int(make(faults=[{"kind": "429-forever"}]).call("GET", USERS).headers["Retry-After"]) > 366 * 86400


def test_a_page_may_be_shorter_than_asked_for_and_not_counted(make: Make) -> None:
    instance = make(total_count="absent", max_rows=4)
    answer: requests.Response = instance.table("sys_user", sysparm_limit=10, sysparm_offset=2)
    assert len(answer.json()["result"]) == 4 and "X-Total-Count" not in answer.headers
