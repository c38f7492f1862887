# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fork server does before its children run: imports, compiled code, and a clock by which the collection waits less."""

from __future__ import annotations

import functools
import importlib
import importlib.machinery
import importlib.util
import os
import sys
import time
import types
import zipimport
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

# How many times shorter the waits of the collection are, but for those of at most `UNCHANGED` seconds: they are between two
# attempts to get a lock, which other processes hold in real time.
SHORTENING = 50
UNCHANGED = 0.1
# Seconds between two looks of ansible for results of its workers, ten times as long as by default: looking takes a fifth of a run.
POLL_INTERVAL = 0.01
COLLECTIONS = "ansible_collections."
# What every play imports besides the command: ansible-core's own plugins, and what the collection needs.
LATER = (
    "ansible.executor.process.worker",
    "ansible.executor.task_executor",
    "ansible.parsing.yaml.dumper",
    "ansible.playbook.handler_task_include",
    "ansible.playbook.included_file",
    "ansible.playbook.role_include",
    "ansible.plugins.become.su",
    "ansible.plugins.become.sudo",
    "ansible.plugins.cache.memory",
    "ansible.plugins.callback.default",
    "ansible.plugins.connection.local",
    "ansible.plugins.connection.ssh",
    "ansible.plugins.inventory.auto",
    "ansible.plugins.inventory.host_list",
    "ansible.plugins.inventory.ini",
    "ansible.plugins.inventory.script",
    "ansible.plugins.inventory.toml",
    "ansible.plugins.inventory.yaml",
    "ansible.plugins.shell.sh",
    "ansible.plugins.strategy.linear",
    "ansible.plugins.vars.host_group_vars",
    "ansible.utils.encrypt",
    "ansible.utils.unsafe_proxy",
    "multiprocessing.popen_fork",
    "multiprocessing.synchronize",
    "xml.etree.ElementTree",
)
# The kinds of plugins of which every play loads all that ansible-core has; those of `vars` only load if none is loaded yet.
LOADED = ("become", "callback", "connection", "filter", "shell", "test")
# The kinds of plugins of which templates load all that a collection has when they search it for one.
SEARCHED = ("filter", "lookup")
# What modules import.
LIBRARIES = ("jmespath", "requests")
OWN = (
    "argparse",
    "ast",
    "ctypes",
    "dataclasses",
    "distro",
    "logging",
    "platform",
    "runpy",
    "typing_extensions",
    "zipfile",
)


def import_all(*names: str) -> None:
    """Import the modules that there are."""
    for name in names:
        with suppress(ImportError):
            importlib.import_module(name)


def preload_ansible() -> None:
    """Import and load what every play does, and compile and parse beforehand what is only compiled and parsed."""
    importlib.import_module("ansible.cli.playbook")
    import_all(*LATER, *LIBRARIES)
    finder: Any = importlib.import_module("ansible.utils.collection_loader._collection_finder")
    # The same bytes give the same code, and the same table of redirections.
    known = {(source, str(path)): code for path, source, code in compiled("plugins")}
    finder.compile = lambda source, filename, **more: known.get((source, filename)) or compile(source, filename, **more)
    finder._meta_yml_to_dict = functools.cache(finder._meta_yml_to_dict)
    routing = Path(importlib.import_module("ansible").__file__ or "").parent / "config" / "ansible_builtin_runtime.yml"
    if routing.exists():
        finder._meta_yml_to_dict(routing.read_bytes(), ("ansible.builtin", "runtime.yml"))
    constants: Any = importlib.import_module("ansible.constants")
    constants.DEFAULT_INTERNAL_POLL_INTERVAL = POLL_INTERVAL
    load_plugins()


def load_plugins() -> None:
    """Load the plugins of ansible-core that every play loads, and import the code of the collections."""
    cli: Any = importlib.import_module("ansible.cli")
    loader: Any = importlib.import_module("ansible.plugins.loader")
    initialize = cli.init_plugin_loader
    initialize()
    # A second time would be warned about; the option --collections-path needs it.
    cli.init_plugin_loader = lambda paths=None: initialize(paths) if paths else None
    for kind in LOADED:
        list(getattr(loader, f"{kind}_loader").all(class_only=True))
    for place in os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(os.pathsep):
        for folder in ("modules", "plugin_utils"):
            for path in Path(place).glob(f"ansible_collections/*/*/plugins/{folder}/**/*.py"):
                import_all(".".join(path.relative_to(place).with_suffix("").parts).removesuffix(".__init__"))
        for kind in SEARCHED:
            for path in Path(place).glob(f"ansible_collections/*/*/plugins/{kind}/[!_]*.py"):
                space, name = path.relative_to(place).parts[1:3]
                getattr(loader, f"{kind}_loader").get(f"{space}.{name}.{path.stem}", class_only=True)


def compiled(*folders: str) -> Iterator[tuple[Path, bytes, types.CodeType]]:
    """Yield path, source and code of the Python files in these folders of the collections; Python keeps the code on disk."""
    for place in os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(os.pathsep):
        for folder in folders:
            yield from compiled_in(Path(place, "ansible_collections"), f"*/*/{folder}/**/*.py")


def compiled_in(place: Path, pattern: str) -> Iterator[tuple[Path, bytes, types.CodeType]]:
    """Yield path, source and code of the Python files in a folder that match the pattern."""
    for path in place.glob(pattern):
        code = importlib.machinery.SourceFileLoader("compiled", str(path)).get_code("compiled")
        if code:
            yield path, path.read_bytes(), code


def preload_modules() -> None:
    """Import the libraries of ordinary modules, and compile beforehand what the archives of modules contain."""
    import_all(*OWN, *LIBRARIES)
    ansible = importlib.util.find_spec("ansible")
    parts = [compiled("plugins/modules", "plugins/module_utils")]
    if ansible and ansible.origin:
        parts.append(compiled_in(Path(ansible.origin).parent, "module_utils/**/*.py"))
    known = {source: code for part in parts for _path, source, code in part}
    importer: Any = zipimport
    compile_source = importer._compile_source
    importer._compile_source = lambda path, source: known.get(source) or compile_source(path, source)


def shorten_waits() -> None:
    """Let the collection wait for a part of the time only; its clock is ahead by the rest."""
    sleep, clock = time.sleep, time.monotonic
    spared = 0.0

    def is_for_collection() -> bool:
        return str(sys._getframe(2).f_globals.get("__name__")).startswith(COLLECTIONS)

    def shorter_sleep(seconds: float) -> None:
        nonlocal spared
        if seconds > UNCHANGED and is_for_collection():
            spared += seconds - seconds / SHORTENING
            seconds /= SHORTENING
        sleep(seconds)

    clocks: Any = time
    clocks.sleep = shorter_sleep
    clocks.monotonic = lambda: clock() + spared if is_for_collection() else clock()
