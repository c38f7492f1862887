# SPDX-License-Identifier: GPL-3.0-or-later
"""A Resource Manager that remembers documents, played by the loopback server, and a way to run a module on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.secops.servicenow_defender.plugins.module_utils.ansible_module import TaskContext
from tests.unit.plugins.module_utils.loopback import Loopback, Received, Reply, answer
from tests.unit.plugins.module_utils.microsoft.api_specs import assert_fits

SUBSCRIPTION = "00000000-0000-0000-0000-0000000000aa"
SCOPE = f"/subscriptions/{SUBSCRIPTION}"
SECURITY = "/providers/Microsoft.Security"
TEXT = {"azure_access_token": "given-t0ken-text", "azure_subscription_id": SUBSCRIPTION, "retries": 1}
KINDS = ("pricings", "governanceRules", "integrations")


def error(code: str, message: str, status: int, **headers: str) -> Reply:
    """Return an error in the shape of Resource Manager's (docs/facts/defender_for_cloud.md#resource-manager-errors)."""
    return answer({"error": {"code": code, "message": message}}, status, **headers)


@dataclass
class Done:
    """What came of a task."""

    result: dict[str, Any]
    warnings: list[str]
    progress: list[str]

    def __getitem__(self, name: str) -> Any:
        return self.result[name]


@dataclass
class ResourceManagerDouble:
    """`documents` by path. `scripted` answers come first, by `METHOD path`, one by one."""

    server: Loopback
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    scripted: dict[str, list[Reply]] = field(default_factory=dict)
    changes: Callable[[dict[str, Any]], None] | None = None

    def __post_init__(self) -> None:
        self.server.answers_by(self._answer)

    def has(self, path: str, **properties: Any) -> str:
        """Put a document at a path, behind everyone's back."""
        self.documents[path] = {"id": path, "name": path.rsplit("/", 1)[-1], "properties": properties}
        return path

    def script(self, line: str, *replies: Reply) -> None:
        """Answer the next requests of `METHOD path` with `replies`."""
        self.scripted.setdefault(line, []).extend(replies)

    def run(self, module: ModuleType, *, check_mode: bool = False, **options: Any) -> Done:
        """Run a module of the group azure."""
        given = {"azure_arm_url": self.server.url, **TEXT, **options}
        checked = ArgumentSpecValidator(module.SPEC.argument_spec, **module.SPEC.rules).validate(given)
        assert not checked.error_messages, checked.error_messages
        shown: list[str] = []
        context = TaskContext(check_mode=check_mode, show=shown.append)
        result = module.run(checked.validated_parameters, context)
        return Done(result.as_dict(with_diff=True), context.warnings, shown)

    @property
    def puts(self) -> list[dict[str, Any]]:
        """The bodies of all PUT requests."""
        return [request.json for request in self.server.received if request.method == "PUT"]

    @property
    def writes(self) -> list[str]:
        """What was sent that can change something, as `METHOD path`."""
        return [line for line in self.server.lines if line.split()[0] in ("PUT", "DELETE") or line.endswith("/execute")]

    def check(self) -> None:
        """Check that every request has a version and every PUT fits the vendor's specification."""
        for request in self.server.received:
            kind = request.path.split("/")[-2]
            assert request.query.get("api-version") or "operationResults" in request.path, request.path
            if request.method == "PUT" and kind in KINDS:
                assert_fits(kind, request.json)

    def _answer(self, request: Received) -> Reply:
        script = self.scripted.get(f"{request.method} {request.path}")
        if script:
            return script.pop(0)
        return {"GET": self._get, "PUT": self._put, "DELETE": self._delete, "POST": self._post}[request.method](request)

    def _get(self, request: Received) -> Reply:
        if request.path in self.documents:
            return answer(self.documents[request.path])
        if request.path.rsplit("/", 1)[-1] in KINDS or request.path.endswith("securityConnectors"):
            below = [doc for path, doc in self.documents.items() if path.rsplit("/", 1)[0] == request.path]
            return answer({"value": below})
        return error("ResourceNotFound", "The resource was not found", 404)

    def _put(self, request: Received) -> Reply:
        known = self.documents.get(request.path)
        document = {"id": request.path, "name": request.path.rsplit("/", 1)[-1], **json.loads(request.body)}
        if self.changes:
            self.changes(document)
        self.documents[request.path] = document
        return answer(document, 200 if known else 201)

    def _delete(self, request: Received) -> Reply:
        return answer(None, 204 if self.documents.pop(request.path, None) is None else 200)

    def _post(self, request: Received) -> Reply:
        return error("InvalidResourceType", "no such type", 404)


def properties(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties of a document."""
    found: dict[str, Any] = document["properties"]
    return found
