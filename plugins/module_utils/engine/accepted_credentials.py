# SPDX-License-Identifier: GPL-3.0-or-later
"""What a platform accepted last of credentials that it never returns, as a record that can be compared later.

A record is one line of JSON: address, user and client id as they were, an HMAC-SHA256 of each secret, and one over the whole
record. Its key is a secret of its own, stored next to the record, so that a record reveals nothing about a secret.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from ..token_end import time_of
from .errors import InvalidInput
from .result import DESIRED, ON_PLATFORM

VERSION = 1
NOT_RECORDED = "which credentials it accepted is not recorded"
# Values of a record that are not credentials.
OBJECT, PLACE, KEY_ID, DIGEST, HANDED_OVER = "object", "place", "key", "digest", "handed_over"
ACCEPTED_AT = "accepted_at"
OBJECT_ID = "id"
# Not stored: why what was accepted may not work any more.
DOUBT = "doubt"


@dataclass(frozen=True)
class Credentials:
    """The credentials that `owner` (label of an object) should have at `place` (a scope or tenant), by option.

    `plain` values may be shown, `secrets` may not; an empty value is one that is not known here. `key` is the secret that digests
    are made with, empty if there is none yet.
    """

    owner: str
    place: str
    key: str
    plain: Mapping[str, str]
    secrets: Mapping[str, str]

    def record(self, handed_over: str = "", connected: str = "", object_id: str = "") -> str:
        """Return the record of these credentials, with the platform's id of the object if it is to be found by that alone.

        `handed_over` is the status of the object when the manual step to enter them was returned, and `connected` the time
        (ISO 8601, by the clock of the platform) when it had last been connected, "" if never.
        """
        document: dict[str, Any] = {"version": VERSION, OBJECT: self.owner, PLACE: self.place, KEY_ID: self._key_id}
        document |= dict(self.plain)
        document |= {name: self._digest(f"{name}={value}") for name, value in self.secrets.items()}
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        if object_id:
            document[OBJECT_ID] = object_id
        if handed_over:
            document[HANDED_OVER] = {"at": now, "status": handed_over, "connected": connected}
        else:
            document[ACCEPTED_AT] = now
        document[DIGEST] = self._digest(_canonical(document))
        return _canonical(document)

    @property
    def is_complete(self) -> bool:
        """Whether every value is known, so that a record can be made."""
        return bool(self.key) and not self.unknown

    @property
    def unknown(self) -> list[str]:
        """The options whose value is not known here, so that they can neither be compared nor written."""
        return [name for name, value in {**self.plain, **self.secrets}.items() if not value]

    def compare(self, stored: str) -> Comparison:
        """Compare these credentials with a stored record.

        Raises `InvalidInput` for a record that is damaged, or that belongs to another object.
        """
        if not stored.strip() or not self.key:
            return Comparison(NOT_RECORDED)
        document = self._parse(stored)
        doubt = str(document.pop(DOUBT, ""))
        if document[OBJECT] != self.owner:
            raise InvalidInput(
                f"{self.owner}: the stored record of accepted credentials belongs to {document[OBJECT]}. Nothing was written. "
                f"Remove it; onboard then writes the credentials once"
            )
        if document[PLACE] != self.place:
            return Comparison(f"the recorded credentials were accepted by {document[PLACE]}, not by {self.place}")
        if document[KEY_ID] != self._key_id:
            return Comparison("the recorded credentials cannot be compared, as the key of their digests was replaced")
        if not _equal(document[DIGEST], self._digest(_canonical({**document, DIGEST: None}))):
            raise self._damaged("its digest does not match")
        differences: dict[str, tuple[Any, Any]] = {
            name: (document.get(name, ""), value)
            for name, value in self.plain.items()
            if value and document.get(name, "") != value
        }
        for name, value in self.secrets.items():
            if value and not _equal(str(document.get(name, "")), self._digest(f"{name}={value}")):
                differences[name] = (ON_PLATFORM, DESIRED)
        unknown = self.unknown
        unproven = f"{' and '.join(unknown)} {'are' if len(unknown) > 1 else 'is'} not known here" if unknown else ""
        return Comparison(
            doubt or unproven, differences, document.get(HANDED_OVER) or {}, str(document.get(OBJECT_ID) or "")
        )

    def _parse(self, stored: str) -> dict[str, Any]:
        try:
            document = json.loads(stored)
        except (ValueError, RecursionError):
            raise self._damaged("it is not JSON") from None
        if not isinstance(document, dict) or document.get("version") != VERSION:
            raise self._damaged(f"it is not a record of version {VERSION}")
        if not all(isinstance(document.get(name), str) for name in (OBJECT, PLACE, KEY_ID, DIGEST)):
            raise self._damaged("values are missing")
        return document

    def _damaged(self, why: str) -> InvalidInput:
        return InvalidInput(
            f"{self.owner}: the stored record of accepted credentials is damaged: {why}. Nothing was written. Remove it; onboard then writes "
            f"the credentials once"
        )

    @property
    def _key_id(self) -> str:
        return hashlib.sha256(f"key id {self.key}".encode()).hexdigest()[:8]

    def _digest(self, text: str) -> str:
        return hmac.new(self.key.encode(), text.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison with a record: `unproven` is the reason why it does not prove everything, else "".

    `object_id` is the platform's id of the object, "" if it is not recorded.
    """

    unproven: str = ""
    differences: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    handed_over: Mapping[str, str] = field(default_factory=dict)
    object_id: str = ""

    def of_object(self, object_id: str) -> Comparison:
        """Return the comparison for the object of this id of the platform: one that was made again has not accepted what is recorded."""
        if self.unproven or not self.object_id or object_id in ("", self.object_id):
            return self
        return replace(
            self, unproven=f"it was made again since they were accepted: its id is {object_id}, not {self.object_id}"
        )

    @property
    def is_equal(self) -> bool:
        """Whether exactly these credentials were accepted, or were handed over in a manual step."""
        return not self.unproven and not self.differences

    @property
    def is_proven(self) -> bool:
        """Whether exactly these credentials were accepted."""
        return self.is_equal and not self.handed_over


def since_rotation(stored: str, started: str) -> str:
    """Return a stored record, doubted if it is older than a rotation that `started` then (ISO 8601) and was interrupted."""
    handed_over, begin = _object(_object(stored).get(HANDED_OVER)), time_of(started)
    time = time_of(recorded(stored, ACCEPTED_AT) or str(handed_over.get("at", "")))
    if begin is None or (time and time > begin):
        return stored
    reason = f"a rotation that started on {started} was interrupted, and may have revoked its tokens; run rotate, which continues it"
    return doubted(stored, reason)


def doubted(stored: str, reason: str) -> str:
    """Return a stored record that proves nothing for a reason; one that is damaged stays so."""
    document = _object(stored)
    return _canonical({**document, DOUBT: reason}) if document else stored


def recorded(stored: str, option: str) -> str:
    """Return a value that is not secret, as a record holds it; "" if it does not, or is damaged. Nothing else of it is checked."""
    value = _object(stored).get(option)
    return value if isinstance(value, str) else ""


def _object(stored: Any) -> dict[str, Any]:
    """Return a JSON object, or the text of one; {} for anything else."""
    try:
        found = json.loads(stored) if isinstance(stored, str) else stored
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _equal(one: str, other: str) -> bool:
    # As bytes: of text, compare_digest takes ASCII only.
    return hmac.compare_digest(one.encode(errors="replace"), other.encode())


def _canonical(document: Mapping[str, Any]) -> str:
    present = {name: value for name, value in document.items() if value is not None}
    return json.dumps(present, sort_keys=True, separators=(",", ":"))
