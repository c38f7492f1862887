# SPDX-License-Identifier: GPL-3.0-or-later
"""Escapes of text in URLs, JSON, HTML and Python: recognized in any case, nested, and mixed with each other."""

from __future__ import annotations

import html
import json
import re
import sys

ESCAPE_MARKS = ("%", "\\", "&", "+")
MAX_NESTING = 6
# How often an escape is escaped again, in patterns: bounded, so that no text makes a search slow.
TIMES = f"{{0,{MAX_NESTING}}}"
BACKSLASHES = rf"\\{{1,{2**MAX_NESTING}}}"

# The marks of an HTML escape, themselves as they are, in a URL or in JSON.
AMPERSAND = rf"(?:{BACKSLASHES}(?:u0026)?)?(?:(?<=u0026)|&|%(?:25){TIMES}26)(?:amp;){TIMES}"
SEMICOLON = f"(?:;|%(?:25){TIMES}3[bB])"
HASH = f"(?:#|%(?:25){TIMES}23)"
NAMED = {'"': "quot", "'": "apos", "&": "amp", "<": "lt", ">": "gt"}
CONTROLS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
IN_HTML = re.compile("&#(?:0{0,6}([0-9]{1,7})|[xX]0{0,6}([0-9a-fA-F]{1,6}));")
IN_URL = re.compile("(?:%[0-9a-fA-F]{2})+")
IN_JSON = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([bfnrt])|)")
PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


def may_hold_escapes(text: str) -> bool:
    """Return whether `text` holds a character that an escape begins with."""
    return any(mark in text for mark in ESCAPE_MARKS)


def unescaped(text: str) -> str:
    """Return `text` without any escape of any kind: what two forms of one text have in common."""
    for _round in range(MAX_NESTING):
        before = text
        text = html.unescape(IN_HTML.sub(_from_html, text)) if "&" in text else text
        text = IN_URL.sub(_from_url, text.replace("+", " ")) if "%" in text or "+" in text else text
        if "\\" in text:
            text = PAIR.sub(lambda pair: _joined(pair[0]), IN_JSON.sub(_from_json, text))
        if text == before:
            break
    return text


def _from_html(found: re.Match[str]) -> str:
    code = int(found[1]) if found[1] else int(found[2], 16)
    return chr(code) if code <= sys.maxunicode else ""


def _from_url(found: re.Match[str]) -> str:
    raw = bytes.fromhex(found[0].replace("%", ""))
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _from_json(found: re.Match[str]) -> str:
    digits = found[1] or found[2]
    return chr(int(digits, 16)) if digits else CONTROLS.get(found[3] or "", "")


def _joined(pair: str) -> str:
    return pair.encode("utf-16", errors="surrogatepass").decode("utf-16", errors="replace")


def escaped_pattern(text: str) -> re.Pattern[str]:
    """Return the pattern of `text` with each of its characters escaped in whichever way, or not."""
    return re.compile("".join(map(_any_escape, text)))


def _any_escape(character: str) -> str:
    code = ord(character)
    units = character.encode("utf-16-be", errors="surrogatepass")
    forms = {
        re.escape(character),
        _in_url(character.encode(errors="surrogatepass")),
        "".join(f"{BACKSLASHES}u{_any_case(units[at : at + 2].hex())}" for at in range(0, len(units), 2)),
        f"{AMPERSAND}{HASH}(?:0{TIMES}{code}|[xX]0{TIMES}{_any_case(f'{code:x}')}){SEMICOLON}",
    }
    if code < 0x100:
        forms |= {_in_url(bytes([code])), f"{BACKSLASHES}x{_any_case(f'{code:02x}')}"}
    if character in NAMED:
        forms.add(f"{AMPERSAND}{NAMED[character]}{SEMICOLON}")
    if character in "\"'/":
        forms.add(BACKSLASHES + character)
    if character == "\\":
        forms.add(BACKSLASHES)
    if character == " ":
        forms |= {r"\+", _in_url(b"+")}
    short = json.dumps(character)[1:-1]
    if short[1:] in CONTROLS:
        forms.add(BACKSLASHES + short[1])
    return f"(?:{'|'.join(sorted(forms, key=len, reverse=True))})"


def _in_url(raw: bytes) -> str:
    return "".join(f"%(?:25){TIMES}{_any_case(f'{byte:02x}')}" for byte in raw)


def _any_case(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)
