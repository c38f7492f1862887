# SPDX-License-Identifier: GPL-3.0-or-later
"""What the callback summary prints."""

from __future__ import annotations

from ansible_collections.secops.servicenow_defender.plugins.plugin_utils.summary.screen import (
    Screen,
    counted,
    texts_of,
)


def test_equal_lines_of_several_hosts_are_one() -> None:
    screen = Screen()
    for host in ("a", "b"):
        screen.note("failed", host, "no route", task="Read")
        screen.note("", host, "one\ntwo")
    assert list(screen.take()) == [("failed", ["a", "b"], "Read: no route"), ("", ["a", "b"], "one\ntwo")]
    assert not list(screen.take())


def test_a_failure_that_a_message_has_named_is_not_repeated() -> None:
    screen = Screen()
    message = "acme-dev: " + "refused " * 100
    screen.note("failed", "acme-dev", message, task="Read")
    ((_word, _hosts, text),) = screen.take()
    assert text == f"Read: {message[:160]}..."
    screen.note("", "acme-dev", f"1 failed\nfailed: {message[:500]}...")
    list(screen.take())
    screen.note("failed", "acme-dev", message, task="Fail")
    assert not list(screen.take())
    assert not list(screen.rest())


def test_a_long_failure_without_a_summary_is_printed_at_the_end() -> None:
    screen = Screen()
    message = "refused " * 100
    screen.note("failed", "acme-dev", message)
    list(screen.take())
    assert list(screen.rest()) == [("failed", ["acme-dev"], message)]
    assert not list(screen.rest())


def test_messages_of_debug_and_of_loops() -> None:
    assert list(texts_of({"msg": ["one", {"two": 2}]})) == ['one\n{"two": 2}']
    assert list(texts_of({"changed": False, "inventory_hostname": "a"})) == ["a"]
    items = [{"msg": "x"}, {"skipped": True}, {"msg": "hidden", "_ansible_no_log": True}]
    assert list(texts_of({"results": items}, looped=True)) == ["x"]
    failed = [{"msg": "fine"}, {"msg": "broken\n here", "failed": True}]
    assert list(texts_of({"msg": "One or more items failed", "results": failed}, looped=True, failed=True)) == [
        "broken here"
    ]
    assert list(texts_of({"failed": True}, failed=True)) == ["no reason was given"]


def test_counts_are_one_line() -> None:
    total = {"ok": 300, "changed": 0, "failures": 1, "unreachable": 0}
    assert counted(100, total) == "100 hosts: 300 ok, 0 changed, 1 failed, 0 unreachable"
