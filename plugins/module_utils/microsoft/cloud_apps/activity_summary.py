# SPDX-License-Identifier: GPL-3.0-or-later
"""Activities by instance and day: who signed in, who failed to, new administrators, uploaded files.

Microsoft does not document the fields of an activity. What is recognized rests on samples; the rest is counted, not guessed
(docs/facts/defender_for_cloud_apps.md#activities).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from .evidence import instance_of

SIGNED_IN, FAILED, ADMINISTRATORS, FILES, OTHER = (
    "signed_in",
    "failed",
    "new_administrators",
    "uploaded_files",
    "other",
)
# The first one that matches applies: category (EVENT_CATEGORY_...) or action of an activity, words separated by spaces.
SIGN_IN, FAIL = r"\b(?:log|sign)[ -]?[io]n\b", r"\bfail(?:ed|ure)?\b"
KINDS = (
    (FAILED, re.compile(f"{FAIL}.*{SIGN_IN}|{SIGN_IN}.*{FAIL}", re.I)),
    (SIGNED_IN, re.compile(SIGN_IN, re.I)),
    (
        ADMINISTRATORS,
        re.compile(
            r"\b(add|added|assign|assigned|grant|granted|create|created)\b.*\badmin\w*|"
            r"\badmin\w*\b.*\b(add|added|assign|assigned|grant|granted)\b",
            re.I,
        ),
    ),
    (FILES, re.compile(r"\bupload(ed)?\b", re.I)),
)
ACTION_KEYS = ("eventActionType", "eventTypeName", "actionType", "description")
TIME_KEYS = ("timestamp", "timestampRaw", "created", "date")
NAME_KEYS = ("userName", "username", "name")
FILE_TYPES = ("file", "attachment")


def summarize_activities(activities: Iterable[Mapping[str, Any]], app_id: int) -> list[dict[str, Any]]:
    """Return one entry for each instance and day (UTC), sorted by day and instance."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for activity in activities:
        key = (day_of(activity), instance_of(activity, app_id))
        entry = found.setdefault(key, _entry(key, activity))
        entry["instance_name"] = entry["instance_name"] or _instance_name(activity)
        kind, user = kind_of(activity), user_of(activity)
        if kind == OTHER:
            entry[OTHER] += 1
        elif kind in (SIGNED_IN, FAILED):
            entry[kind][user] += 1
        else:
            # An activity names who acted; who or what it was about is among its objects.
            about = list(objects_of(activity, user, files=kind == FILES))
            entry[kind] += [{"name": name, "user": user} for name in about or [""]]
    return [_shown(found[key]) for key in sorted(found)]


def kind_of(activity: Mapping[str, Any]) -> str:
    """Return what an activity is about, `other` if it is none of the four kinds or is not recognized."""
    texts = [str(activity.get(key) or "").replace("_", " ") for key in ACTION_KEYS]
    return next((kind for kind, pattern in KINDS if any(pattern.search(text) for text in texts)), OTHER)


def user_of(activity: Mapping[str, Any]) -> str:
    """Return who acted, "" if the activity does not show it."""
    user = activity.get("user")
    if isinstance(user, Mapping):
        return next((str(user[key]) for key in NAME_KEYS if user.get(key)), "")
    return str(user or "")


def day_of(activity: Mapping[str, Any]) -> str:
    """Return the day (UTC) of an activity, "" if it does not show a time in epoch milliseconds."""
    for key in TIME_KEYS:
        value = activity.get(key)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0:
            try:
                return datetime.fromtimestamp(value / 1000, timezone.utc).date().isoformat()
            except (ValueError, OverflowError, OSError):
                continue
    return ""


def objects_of(activity: Mapping[str, Any], user: str, *, files: bool) -> Iterator[str]:
    """Yield the names of the files of an activity, or of its other objects but for the user who acted."""
    info = activity.get("mainInfo")
    objects = info.get("eventObjects") if isinstance(info, Mapping) else None
    for entry in objects if isinstance(objects, list) else []:
        if isinstance(entry, Mapping) and entry.get("name"):
            is_file = any(word in str(entry.get("type") or "").casefold() for word in FILE_TYPES)
            name = str(entry["name"])
            if is_file if files else (not is_file and name != user):
                yield name


def _entry(key: tuple[str, str], activity: Mapping[str, Any]) -> dict[str, Any]:
    day, instance = key
    return {
        "day": day,
        "instance": instance,
        "instance_name": _instance_name(activity),
        SIGNED_IN: Counter(),
        FAILED: Counter(),
        ADMINISTRATORS: [],
        FILES: [],
        OTHER: 0,
    }


def _instance_name(activity: Mapping[str, Any]) -> str:
    names = (value for key, value in activity.items() if re.fullmatch("(app)?instance_?name", str(key), re.I))
    return next((str(name) for name in names if name), "")


def _shown(entry: dict[str, Any]) -> dict[str, Any]:
    counted = {
        kind: [
            {"user": user, "count": count} for user, count in sorted(entry[kind].items(), key=lambda e: (-e[1], e[0]))
        ]
        for kind in (SIGNED_IN, FAILED)
    }
    return {**entry, **counted}
