# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as JUnit XML: one test suite per host, one test case per object, which CI systems display."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from . import posture
from .document import counted
from .objects import FAILED, UNPROVEN
from .values import Json, text

# Characters that XML 1.0 does not allow, not even escaped (https://www.w3.org/TR/xml/#charsets).
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(document: Mapping[str, Any]) -> bytes:
    """Return the report as JUnit XML: a failure is a deviation or a manual step, an error a host that failed or an object that is unproven."""
    suites = Element("testsuites", name="drift")
    for host, findings in document["hosts"].items():
        suite = SubElement(suites, "testsuite", name=clean(host), timestamp=document["generated_at"][:19], time="0")
        _posture(suite, findings.get("posture"))
        _host_case(suite, host, findings)
        for row in findings["objects"]:
            _object_case(suite, host, row, findings)
        for step in findings["manual_steps"]:
            case = _case(suite, host, "manual_step", f"manual step: {step['title'] or step['id']}")
            _failure(case, f"manual step required: {step['title'] or step['id']}", manual_step_text(step))
        if findings["problems"]:
            SubElement(suite, "system-out").text = clean("\n\n".join(map(problem_text, findings["problems"])))
        _count(suite)
    _count(suites, nested=True)
    ElementTree.indent(suites)
    content: bytes = ElementTree.tostring(suites, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def clean(content: str) -> str:
    """Return `content` with every character that XML does not allow replaced."""
    return NOT_XML.sub("\N{REPLACEMENT CHARACTER}", content)


def deviation_text(entry: Mapping[str, Any]) -> str:
    """Return one deviation as a line: `access_token_lifespan: 1800 -> 3600`."""
    mark = " (repaired)" if entry["repaired"] else ""
    return f"{entry['field']}: {text(entry['before'])} -> {text(entry['after'])}{mark}"


def manual_step_text(step: Mapping[str, Any]) -> str:
    """Return a manual step as lines: reason, page, and the values to enter by label."""
    lines = [step["reason"], f"Where: {step['where']}" if step["where"] else ""]
    lines += [f"{label}: {text(value)}" for label, value in step["values"].items()]
    lines += [f"{label}: (secret, not printed)" for label in step["secret_values"] if label not in step["values"]]
    return "\n".join(line for line in lines if line)


def problem_text(problem: Mapping[str, Any]) -> str:
    """Return a problem as lines: severity, message and remedy."""
    lines = [f"{problem['severity']} {problem['id']}: {problem['message']}".strip(), problem["remedy"]]
    return "\n".join(line for line in lines if line)


def _case(suite: Element, host: str, kind: str, name: str) -> Element:
    # CI systems split class names into packages at dots, including those of a host name.
    package = clean(f"{host.replace('.', '_')}.{kind}")
    return SubElement(suite, "testcase", classname=package, name=clean(name), time="0")


def _posture(suite: Element, found: Mapping[str, Any] | None) -> None:
    """Add the posture of a host as properties, in addition to the test cases of the settings."""
    if not found:
        return
    noted = SubElement(suite, "properties")
    values = {f"posture.secure_score.{key}": number for key, number in found["secure_score"].items()}
    for group in posture.GROUPS:
        for row in posture.rows(found, group):
            values |= {f"posture.{group}.{row['name']}.{key}": row[key] for key in posture.COUNTS}
    for name, number in values.items():
        SubElement(noted, "property", name=clean(name), value=str(number))


def _failure(case: Element, message: str, body: str) -> None:
    SubElement(case, "failure", message=clean(message), type="drift").text = clean(body)


def _host_case(suite: Element, host: str, findings: Mapping[str, Any]) -> None:
    case = _case(suite, host, "instance", "every task ran")
    for failure in findings["failures"][-1:]:
        error = SubElement(case, "error", message=clean(failure["message"]), type=failure["status"])
        error.text = clean(f"{failure['task']}\n{failure['message']}")


def _object_case(suite: Element, host: str, row: Mapping[str, Any], findings: Mapping[str, Any]) -> None:
    case = _case(suite, host, row["kind"], row["object"])
    entries: list[Json] = [e for e in findings["drift"] if (e["kind"], e["name"]) == (row["kind"], row["name"])]
    unproven = [e for e in findings["unproven"] if (e["kind"], e["name"]) == (row["kind"], row["name"])]
    unproven_text = "\n".join(f"{entry['field']}: unproven, {entry['reason']}" for entry in unproven)
    open_text = "\n".join(deviation_text(entry) for entry in entries if not entry["repaired"])
    repaired_text = "\n".join(deviation_text(entry) for entry in entries if entry["repaired"])
    if open_text:
        body = f"{open_text}\n{unproven_text}".strip()
        _failure(case, f"{row['object']}: {counted(row['deviations'], 'deviation')}", body)
    elif row["status"] == UNPROVEN:
        error = SubElement(case, "error", message=clean(f"{row['object']} is unproven"), type=UNPROVEN)
        error.text = clean(unproven_text)
    elif row["status"] != "ok":
        state = "could not be brought to the desired state" if row["status"] == FAILED else "is not in sync"
        _failure(case, f"{row['object']} {state}", "")
    if repaired_text:
        SubElement(case, "system-out").text = clean(repaired_text)


def _count(element: Element, *, nested: bool = False) -> None:
    cases = element.iter("testcase") if nested else element.findall("testcase")
    found = list(cases)
    element.set("tests", str(len(found)))
    element.set("failures", str(sum(case.find("failure") is not None for case in found)))
    element.set("errors", str(sum(case.find("error") is not None for case in found)))
    element.set("skipped", "0")
