# SPDX-License-Identifier: GPL-3.0-or-later
"""Which texts are templates, and the evaluation of expressions with variables of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ansible.template

FOUND = "servicenow_defender__found"
# ansible-core 2.18 marks what is no template, later lines what is one.
_is_trusted = getattr(ansible.template, "is_trusted_as_template", None)


def is_trusted(value: str) -> bool:
    """Return whether Ansible would evaluate a template in this text; what a platform or a task returned is never one."""
    return not hasattr(value, "__UNSAFE__") if _is_trusted is None else bool(_is_trusted(value))


def with_variables(templar: Any, variables: Mapping[str, Any]) -> Any:
    """Return a templar for other variables, which also the lookups in its templates get."""
    scoped = templar.copy_with_new_env(available_variables=variables)
    if _is_trusted is None and hasattr(scoped, "_query_lookup"):
        # In a copy, the lookups of ansible-core 2.18 still have the variables of the original: those of another host.
        own = {"lookup": scoped._lookup, "query": scoped._query_lookup, "q": scoped._query_lookup}
        scoped.environment.globals = {**scoped.environment.globals, **own}
    return scoped


def kept_as_text(values: list[Any]) -> list[Any]:
    """Return what a lookup found, marked so that ansible-core 2.18 makes no dictionary or list of a text that is JSON."""
    if _is_trusted is not None:
        return values
    from ansible.utils.native_jinja import NativeJinjaText

    return [NativeJinjaText(each) if isinstance(each, str) and each.startswith(("{", "[")) else each for each in values]


def evaluator(templar: Any, variables: Mapping[str, Any]) -> Callable[[Any, Mapping[str, str]], Any]:
    """Return a function that evaluates an expression without braces, with variables in addition to `variables`."""

    def evaluate(expression: Any, more: Mapping[str, str]) -> Any:
        scoped = with_variables(templar, {**variables, **more})
        if hasattr(scoped, "evaluate_expression"):
            return scoped.evaluate_expression(expression)
        # ansible-core 2.18 makes a dictionary of a text that is JSON, unless it is the result of this filter.
        return scoped.template(
            f"{{% set {FOUND} = {expression} %}}{{{{ '' if {FOUND} is none else {FOUND} | string }}}}"
        )

    return evaluate
