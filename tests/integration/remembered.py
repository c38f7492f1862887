# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs of ansible make again of the same text each time, and what a fork server remembers for its children: code of templates,
parsed files, and loaded playbooks.

A template's code depends on its text and on a few settings, a parsed file on its text and name, and a playbook of a collection that
names all it imports on its files: remembered ones are equal to those that a run would make. On lines of ansible-core that make them
in another way, nothing is remembered.
"""

from __future__ import annotations

import functools
import importlib
import marshal
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

# Scalars of YAML with their origin; like those without, they never change.
SCALARS = (
    "_AnsibleTaggedDate",
    "_AnsibleTaggedDateTime",
    "_AnsibleTaggedFloat",
    "_AnsibleTaggedInt",
    "_AnsibleTaggedStr",
)
LENGTH = 4

Key = tuple[Any, ...]


class Notes:
    """Values by key: the children of a server write down what they find, and the server reads it before it forks the next."""

    def __init__(self) -> None:
        self.known: dict[Key, Any] = {}
        descriptor, path = tempfile.mkstemp()
        os.close(descriptor)
        # Many processes append to it, each entry at once.
        self._file = os.open(path, os.O_RDWR | os.O_APPEND)
        os.unlink(path)
        self._read = 0

    def add(self, key: Key, value: Any) -> None:
        """Remember a value in this process, and in those that the server forks from now on."""
        self.known[key] = value
        entry = marshal.dumps((key, value))
        os.write(self._file, len(entry).to_bytes(LENGTH, "big") + entry)

    def read(self) -> None:
        """Learn what children have written down since the last time."""
        size = os.fstat(self._file).st_size
        content = os.pread(self._file, size - self._read, self._read)
        start = 0
        while start < len(content):
            end = start + LENGTH + int.from_bytes(content[start : start + LENGTH], "big")
            key, value = marshal.loads(content[start + LENGTH : end])
            self.known[key] = value
            start = end
        self._read = size


def nothing(_arguments: Sequence[str]) -> None:
    """Learn nothing."""


def remember() -> Callable[[Sequence[str]], None]:
    """Remember what this line of ansible-core lets; return what a server is to do with the arguments of each run before it forks."""
    try:
        remember_files()
        notes, playbooks = remember_templates(), remember_playbooks()
    except (AttributeError, ImportError):
        return nothing

    def learn(arguments: Sequence[str]) -> None:
        notes.read()
        playbooks(arguments)

    return learn


def remember_templates() -> Notes:
    """Let templates and expressions be compiled once; return the notes that hold their code."""
    notes = Notes()
    bits: Any = importlib.import_module("ansible._internal._templating._jinja_bits")
    engine: Any = importlib.import_module("ansible._internal._templating._engine")
    environment: Any = bits.AnsibleEnvironment
    compile_source, compile_expression = environment.compile, environment.compile_expression
    # The expression that is being compiled: its code is made of a tree, by the method for the code of templates.
    expressions: list[Key] = []

    def key_of(made_by: Any, kind: str, text: str) -> Key:
        settings = (getattr(made_by, name) for name in bits._TEMPLATE_OVERRIDE_FIELD_NAMES)
        return (kind, str(text), engine._TemplateCompileContext.current().escape_backslashes, *settings)

    def compile_once(self: Any, source: Any, *options: Any, **more: Any) -> Any:
        is_text = isinstance(source, str)
        if options or more or not (is_text or expressions):
            return compile_source(self, source, *options, **more)
        key = key_of(self, "template", source) if is_text else expressions[-1]
        if key not in notes.known:
            notes.add(key, compile_source(self, source))
        return notes.known[key]

    def compile_expression_once(self: Any, source: str, undefined_to_none: bool = True) -> Any:
        key = key_of(self, "expression", source)
        if key in notes.known:
            template = self.template_class.from_code(self, notes.known[key], self.make_globals(None), None)
            return bits.TemplateExpression(template, undefined_to_none)
        expressions.append(key)
        try:
            return compile_expression(self, source, undefined_to_none)
        finally:
            expressions.pop()

    environment.compile, environment.compile_expression = compile_once, compile_expression_once
    return notes


def remember_files() -> None:
    """Parse the playbooks and roles of the collections beforehand; a run gets what was parsed the first time it loads a file."""
    datatag: Any = importlib.import_module("ansible.module_utils._internal._datatag")
    loader: Any = importlib.import_module("ansible.parsing.dataloader").DataLoader
    trusted: Any = importlib.import_module("ansible._internal._datatag._tags").TrustedAsTemplate
    for name in SCALARS:
        setattr(getattr(datatag, name), "__deepcopy__", lambda self, _memo: self)  # noqa: B010  # of any type
    load = loader.load
    parsed: dict[Key, Any] = {}

    @functools.wraps(load)
    def load_once(self: Any, data: str, file_name: str | None = None, *options: Any, **more: Any) -> Any:
        key = (str(data), trusted.is_tagged_on(data), file_name)
        # It belongs to the caller, who may change it.
        return parsed.pop(key) if key in parsed else load(self, data, file_name, *options, **more)

    for path in content_files():
        text = trusted().tag(path.read_text())
        parsed[(str(text), True, str(path))] = load(loader(), text, str(path))
    loader.load = load_once


def remember_playbooks() -> Callable[[Sequence[str]], None]:
    """Let playbooks of collections be loaded once; return what loads those among the arguments of a run.

    What is loaded holds on to the loader and the variables of its run, so a run begins with those of the server.
    """
    cli: Any = importlib.import_module("ansible.cli")
    executor: Any = importlib.import_module("ansible.executor.playbook_executor")
    config: Any = importlib.import_module("ansible.utils.collection_loader").AnsibleCollectionConfig
    display: Any = importlib.import_module("ansible.utils.display").Display()
    new_play: Any = importlib.import_module("ansible.playbook.play").Play
    load = executor.Playbook.load
    options: Any = importlib.import_module("ansible.utils.vars")
    loader = cli.DataLoader()
    variables = cli.VariableManager(loader=loader)
    # Each run reads its command line.
    for function in (options.load_options_vars, options.load_extra_vars):
        vars(function).clear()
    known: dict[str, Any] = {}

    def again(what: Any) -> Callable[..., Any]:
        def begin(*arguments: Any, **options: Any) -> Any:
            what.__init__(*arguments, **options)
            return what

        return begin

    def load_once(file_name: str, variable_manager: Any = None, loader: Any = None) -> Any:
        # With more words in its output, ansible prints what it imports.
        if file_name not in known or variable_manager is not variables or display.verbosity:
            return load(file_name, variable_manager=variable_manager, loader=loader)
        own = new_play()
        for play in known[file_name].get_plays():
            play.only_tags, play.skip_tags = own.only_tags, own.skip_tags
        return known[file_name]

    def learn(arguments: Sequence[str]) -> None:
        for word in arguments:
            path, collection = (executor._get_collection_playbook_path(word) or (None, None, None))[1:]
            if path and path not in known:
                config.default_collection = collection
                with suppress(Exception):  # which the run has as well
                    known[path] = load(path, variable_manager=variables, loader=loader)
                config.default_collection = None

    cli.DataLoader, cli.VariableManager = again(loader), again(variables)
    executor.Playbook.load = load_once
    return learn


def content_files() -> Iterator[Path]:
    """Yield the files of playbooks and roles in the collections."""
    for place in os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(os.pathsep):
        for folder in ("playbooks", "roles"):
            yield from Path(place).glob(f"ansible_collections/*/*/{folder}/**/*.yml")
