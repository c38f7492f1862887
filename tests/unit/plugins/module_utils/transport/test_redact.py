# SPDX-License-Identifier: GPL-3.0-or-later
"""A known secret is in no text that leaves, in any surroundings and any encoding."""

from __future__ import annotations

import base64
import html
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.secops.servicenow_defender.plugins.module_utils.transport.redact import MASK, Redactor

# Any character but the mask's own: a secret of asterisks is in every mask.
characters = st.characters(codec="utf-8", exclude_characters="*")
# A lone surrogate is how Python keeps a byte that is not valid UTF-8, in a variable of the environment for example.
odd_characters = st.characters(exclude_categories=(), exclude_characters="*")
secrets = st.text(characters, min_size=4, max_size=40)
texts = st.text(characters, max_size=20)
odd_texts = st.text(odd_characters, max_size=40)

ENCODINGS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "quoted": quote,
    "quoted whole": lambda text: quote(text, safe=""),
    "quoted as a form": quote_plus,
    "quoted in lower case": lambda text: "".join(
        c if c in "-._~" or c.isascii() and c.isalnum() else "".join(f"%{b:02x}" for b in c.encode()) for c in text
    ),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON in UTF-8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "Python": lambda text: repr(text)[1:-1],
    "quoted twice": lambda text: quote(quote(text, safe=""), safe=""),
    "quoted three times": lambda text: quote(quote(quote_plus(text))),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text))[3:-3],
    "JSON of PHP": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "HTML": html.escape,
    "HTML without quotes": lambda text: html.escape(text, quote=False),
    "HTML twice": lambda text: html.escape(html.escape(text)),
    "HTML in numbers": lambda text: "".join(f"&#{ord(character)};" for character in text),
    "HTML in hexadecimal numbers": lambda text: "".join(f"&#x{ord(character):04X};" for character in text),
    "HTML in a URL": lambda text: quote(html.escape(text)),
}
encodings = st.sampled_from(list(ENCODINGS.values()))


def core(secret: bytes, lead: int) -> str:
    """Return the part of base64 that `secret` alone decides, when it starts `lead` bytes into a group of three."""
    digits = base64.b64encode(bytes(lead) + secret).decode()
    return digits[-(-lead * 8 // 6) : (lead + len(secret)) * 8 // 6]


@given(secrets, encodings, texts, texts)
@example("a b/c+d", quote_plus, "", "")
@example("A:b/C", ENCODINGS["quoted in lower case"], "", "")
def test_no_encoding_of_a_secret_survives(secret: str, encoded: Callable[[str], str], before: str, after: str) -> None:
    scrubbed = Redactor([secret]).scrub_text(before + encoded(secret) + after)
    assert encoded(secret) not in scrubbed
    assert MASK in scrubbed


@given(secrets, texts, texts, st.sampled_from([base64.b64encode, base64.urlsafe_b64encode]), st.booleans())
@example("abcd", "", "", base64.b64encode, False)
@example("abcd", "a", "z", base64.b64encode, False)
@example("~~~~???", "ab", "", base64.b64encode, True)
def test_no_base64_of_a_secret_survives_in_any_surroundings(
    secret: str, before: str, after: str, encode: Callable[[bytes], bytes], in_url: bool
) -> None:
    encoded = encode(f"{before}{secret}{after}".encode()).decode()
    scrubbed = Redactor([secret]).scrub_text(quote(encoded, safe="") if in_url else encoded)
    lead = len(before.encode()) % 3
    alone = core(secret.encode(), lead)
    for form in {encoded, alone, alone.replace("+", "-").replace("/", "_"), quote(alone, safe="")}:
        assert form not in scrubbed


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("charset", ["utf-8", "latin-1"])
@pytest.mark.parametrize("lead", ["", "svc:", "svc12:"])
@pytest.mark.parametrize("shape", [str, quote_plus, lambda text: json.dumps(text)[1:-1]])
def test_no_base64_of_a_secret_in_any_character_set_survives(
    encode: Callable[[bytes], bytes], charset: str, lead: str, shape: Callable[[str], str]
) -> None:
    secret = "pläin-Sécret/+ÿ&word"
    encoded = encode((lead + shape(secret)).encode(charset)).decode().rstrip("=")
    scrubbed = Redactor([secret]).scrub_text(f"Authorization: Basic {encoded}")
    assert MASK in scrubbed
    assert encoded[8:-4] not in scrubbed


@pytest.mark.parametrize("digits", ["%c3%B6", "%C3%b6", "%25c3%25B6", "%F6", "\\u00F6", "\\u00f6", "&#XF6;", "&#246;"])
def test_hexadecimal_digits_count_in_any_case(digits: str) -> None:
    assert Redactor(["wörd/1"]).scrub_text(f"x w{digits}rd%2f1 y") == f"x {MASK} y"


@pytest.mark.parametrize("unit", ["\\", "%25", "&amp;", "%", "\\u005c", "+", "&#38;"])
def test_a_text_of_escapes_alone_is_searched_in_time(unit: str) -> None:
    started = time.monotonic()
    Redactor(["a\\b\"c'd/e%f+g h&i"]).scrub_text(unit * 50_000 + "a\\b")
    assert time.monotonic() - started < 60


@given(st.lists(secrets, min_size=2, max_size=4), encodings, texts)
def test_every_one_of_many_secrets_is_masked(known: list[str], encoded: Callable[[str], str], glue: str) -> None:
    scrubbed = Redactor(known).scrub_text(glue.join(encoded(secret) for secret in known))
    for secret in known:
        assert encoded(secret) not in scrubbed


nested = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), odd_texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.tuples(inner, inner), st.dictionaries(odd_texts, inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.lists(odd_texts, max_size=4), nested)
@example(["\ud800abcd"], {"text": "x\ud800abcd"})
def test_scrubbing_never_fails(known: list[str], value: Any) -> None:
    Redactor(known).scrub(value)


def holds(value: Any, secret: str) -> bool:
    if isinstance(value, str):
        return secret in value
    if isinstance(value, dict):
        return any(holds(key, secret) or holds(item, secret) for key, item in value.items())
    return isinstance(value, (list, tuple, set)) and any(holds(item, secret) for item in value)


@given(secrets, nested)
def test_a_secret_is_found_at_any_depth(secret: str, value: Any) -> None:
    whole = {"list": [value, {"deep": (f"x{secret}y", {secret: 1})}], "value": value}
    assert holds(whole, secret)
    assert not holds(Redactor([secret]).scrub(whole), secret)


latin = st.text(st.characters(max_codepoint=0xFF), max_size=40)
plain = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), latin),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(latin, inner, max_size=4)),
    max_leaves=12,
)


@given(st.lists(st.text("αβγδ", min_size=4), max_size=3), plain)
def test_what_holds_no_secret_is_left_as_it_is(known: list[str], value: Any) -> None:
    assert Redactor(known).scrub(value) == value


@pytest.mark.parametrize("secret", ["1", "no", "abc"])
def test_a_short_secret_is_masked_as_a_whole_value_only(secret: str) -> None:
    redactor = Redactor([secret])
    assert redactor.scrub({"password": secret, "text": f"{secret} of 3 attempts"}) == {
        "password": MASK,
        "text": f"{secret} of 3 attempts",
    }


def test_a_secret_added_later_is_masked_from_then_on() -> None:
    redactor = Redactor()
    assert redactor.scrub_text("token f00dface") == "token f00dface"
    redactor.add("f00dface")
    assert redactor.scrub_text("token f00dface") == f"token {MASK}"
    redactor.forget("f00dface")
    assert redactor.scrub_text("token f00dface") == "token f00dface"


@pytest.mark.parametrize("nothing", [None, "", 17, b"bytes", ["f00dface"]])
def test_what_is_no_text_is_no_secret(nothing: object) -> None:
    redactor = Redactor()
    redactor.add(nothing)
    assert redactor.scrub({"a": "", "b": "17"}) == {"a": "", "b": "17"}


def test_a_longer_secret_wins_over_one_that_it_holds() -> None:
    assert Redactor(["word", "password-word-1"]).scrub_text("x password-word-1 y") == f"x {MASK} y"
