# SPDX-License-Identifier: GPL-3.0-or-later
"""Where secrets live that the user does not supply: a folder, or a backend of the user's own.

A secret is stored before it is sent anywhere. In a folder, each one is a file `<folder>/<host>/<name>`, mode 0600, written to a
temporary file and renamed under a lock that ends with its process.
"""

from __future__ import annotations

import os
import secrets
import stat
import string
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import Any

from ..module_utils.file_lock import locked
from ..module_utils.transport.errors import BadConnectionOption
from .role_variables import defaults_of
from .templating import evaluator

VARIABLE, ROLE_VARIABLE = "servicenow_defender_secrets", "snow_connection_secrets"
FOLDER = "servicenow_defender_secrets"
LENGTH, CHARACTERS = 40, string.ascii_letters + string.digits
MAX_BYTES = 65536
LOCK, IGNORE_FILE, TEMPORARY = ".lock", ".gitignore", ".tmp"
# The name of a file that is written, as a temporary one, to find out whether a folder can be written.
PROBE = "writable"
KEYS = {"read", "write"}
# Evaluates an expression with additional variables.
Evaluate = Callable[[Any, Mapping[str, str]], Any]


def new_secret() -> str:
    """Return a new random secret of letters and digits."""
    return "".join(secrets.choice(CHARACTERS) for _position in range(LENGTH))


@dataclass(frozen=True)
class SecretFolder:
    """A folder with one folder for each host. Errors are `ValueError` and name the file."""

    root: Path

    def describe(self, host: str, name: str) -> str:
        """Return where the secret is."""
        return str(self.root / host / name)

    def read(self, host: str, name: str) -> str:
        """Return a secret, "" if it is missing; raise `ValueError` for an empty or damaged file and for a link."""
        path = self._path(host, name)
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            return ""
        except OSError as error:
            link = path.is_symlink()
            raise ValueError(
                f"{path} {'is a link, which is not followed' if link else f'cannot be read: {error.strerror}'}"
            ) from None
        with os.fdopen(handle, "rb") as opened:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise ValueError(f"{path} is not a file")
            content = opened.read(MAX_BYTES + 1)
        return _text_of(content, path)

    def stored_at(self, host: str, name: str) -> datetime | None:
        """Return when a secret was stored, None if it is missing."""
        try:
            return datetime.fromtimestamp(self._path(host, name).lstat().st_mtime, timezone.utc)
        except OSError:
            return None

    def create(self, host: str, name: str) -> str:
        """Return a secret, generated if it is missing; of two runs that generate one, the second uses that of the first."""
        self._path(host, name)
        with self._locked(host):
            return self.read(host, name) or self._write(host, name, new_secret())

    def store(self, host: str, name: str, value: str) -> str:
        """Store a value unless it is stored already, and return what is stored; an empty value removes the secret."""
        path = self._path(host, name)
        with suppress(ValueError):  # what is damaged is replaced
            if self.read(host, name) == value != "":
                return value
        with self._locked(host):
            if value:
                self._write(host, name, value)
            else:
                path.unlink(missing_ok=True)
        return self.read(host, name)

    def unwritable(self, host: str) -> str:
        """Return why no secret of `host` can be stored, "" if one can."""
        try:
            path = self._path(host, PROBE)
            with self._locked(host):
                self._write_temporary(path, PROBE).unlink()
        except ValueError as error:
            return str(error)
        return ""

    def _path(self, host: str, name: str) -> Path:
        for part in (host, name):
            if not part or part.startswith(".") or "/" in part or "\0" in part:
                raise ValueError(f"{part!r} cannot be the name of a file in {self.root}; rename the host")
        folder = self.root / host
        if folder.is_symlink():
            raise ValueError(f"{folder} is a link, which is not followed")
        return folder / name

    @contextmanager
    def _locked(self, host: str) -> Iterator[None]:
        with ExitStack() as stack:
            try:
                if not self.root.exists():
                    self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
                (self.root / host).mkdir(mode=0o700, exist_ok=True)
                ignore = self.root / IGNORE_FILE
                if not ignore.exists():
                    ignore.write_text("# Secrets are not for a repository.\n*\n", encoding="ascii")
                stack.enter_context(locked(self.root / LOCK, "the lock of the secrets"))
            except BadConnectionOption as error:
                raise ValueError(str(error)) from None
            except OSError as error:
                raise ValueError(f"{self.root} cannot be written: {error.strerror}") from None
            yield

    def _write(self, host: str, name: str, value: str) -> str:
        path = self.root / host / name
        temporary = self._write_temporary(path, value)
        try:
            temporary.replace(path)
            directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        except OSError as error:
            raise ValueError(f"{path} cannot be written: {error.strerror}") from None
        return value

    @staticmethod
    def _write_temporary(path: Path, value: str) -> Path:
        temporary = path.with_name(f".{path.name}{TEMPORARY}")
        try:
            # Left behind by a run that was killed: whoever holds the lock writes alone.
            for left in path.parent.glob(f".*{TEMPORARY}"):
                left.unlink()
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as opened:
                opened.write(f"{value}\n")
                opened.flush()
                os.fsync(opened.fileno())
        except OSError as error:
            raise ValueError(f"{path} cannot be written: {error.strerror}") from None
        return temporary


@dataclass(frozen=True)
class SecretBackend:
    """A backend of the user's own: `expression` reads a secret, "" if it is missing; the task file `write_tasks` writes one."""

    expression: str
    write_tasks: str
    evaluate: Evaluate

    def describe(self, host: str, name: str) -> str:
        """Return how the secret is read."""
        return f"{host}/{name} of {VARIABLE} (read: {self.expression})"

    def read(self, host: str, name: str) -> str:
        """Return a secret, "" if it is missing."""
        found = self.evaluate(self.expression, {"secret_host": host, "secret_name": name})
        return "" if found is None else str(found).strip()

    def stored_at(self, host: str, name: str) -> datetime | None:
        """Return None: a backend does not return when a secret was stored."""
        return None


def reader(store: SecretFolder | SecretBackend, host: str) -> Callable[[str], str]:
    """Return a function that reads the secrets of `host` by name, each once."""
    return cache(lambda name: store.read(host, name))


def or_new(read: Callable[[str], str]) -> Callable[[str], str]:
    """Return a function that reads like `read`, with a new secret, which is not stored, in place of one that is missing."""
    return lambda name: read(name) or new_secret()


def store_of(templar: Any, variables: Mapping[str, Any]) -> SecretFolder | SecretBackend:
    """Return the store that `variables` configure; raise `ValueError` for one that is malformed."""
    template, evaluate = templar.template, evaluator(templar, variables)
    own = variables.get(ROLE_VARIABLE)
    wanted = variables.get(VARIABLE) if own in (None, defaults_of("snow_connection").get(ROLE_VARIABLE)) else own
    if isinstance(wanted, str):
        wanted = template(wanted)
    if isinstance(wanted, Mapping):
        if set(wanted) != KEYS or not all(isinstance(wanted[key], str) and wanted[key] for key in KEYS):
            raise ValueError(
                f"{VARIABLE} must be a folder, or a dictionary of read (an expression without braces, such as "
                f"lookup('my.vault.secret', secret_host ~ '/' ~ secret_name)) and write (a task file)"
            )
        tasks = str(Path(template(wanted["write"])).expanduser().resolve())
        return SecretBackend(wanted["read"], tasks, evaluate)
    if not wanted:
        return SecretFolder(default_folder(variables))
    folder = Path(str(wanted)).expanduser().absolute()
    source = _inventory_with(folder, variables)
    if source:
        raise ValueError(
            f"{VARIABLE} is {folder}, in the inventory {source}: Ansible would read each secret there as an inventory, and show it as the name "
            f"of a host. Move the folder out of it, or give it a name that begins with a dot"
        )
    return SecretFolder(folder)


def default_folder(variables: Mapping[str, Any]) -> Path:
    """Return the folder next to the inventory; its name begins with a dot where the inventory is a folder, of which Ansible reads all others.

    Raises `ValueError` for secrets that Ansible would read as inventories.
    """
    beside = variables.get("inventory_dir") or variables.get("playbook_dir") or "."
    if not variables.get("inventory_dir") and "ansible_collections" in Path(beside).parts:
        # That of a playbook of a collection, whose folder the next upgrade removes.
        beside = "."
    plain, hidden = (Path(beside).expanduser().absolute() / f"{dot}{FOLDER}" for dot in ("", "."))
    source = _inventory_with(plain, variables)
    if plain.exists() and (source or hidden.exists()):
        why = (
            f"in the inventory {source}, so that Ansible reads each secret there as an inventory, and shows it as the name of a host"
            if source
            else f"there, and {hidden} as well"
        )
        raise ValueError(
            f"{plain} is {why}. {'Rename it to' if not hidden.exists() else 'Keep one of the two, as'} {hidden}"
        )
    return hidden if source or hidden.exists() else plain


def _inventory_with(folder: Path, variables: Mapping[str, Any]) -> str:
    """Return the folder among the sources of the inventory from which Ansible reads the files of `folder`, "" for none."""
    sources = variables.get("ansible_inventory_sources") or ()
    for source in [sources] if isinstance(sources, str) else sources:
        path = Path(os.path.abspath(os.path.expanduser(str(source))))
        if "," not in str(source) and path.is_dir() and folder.is_relative_to(path):
            parts = folder.relative_to(path).parts
            if not any(part.startswith(".") or part in ("host_vars", "group_vars") for part in parts):
                return str(path)
    return ""


def _text_of(content: bytes, path: Path) -> str:
    try:
        text = content.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        text = "\0"
    if not text.strip():
        raise ValueError(f"{path} is empty, so the secret is lost. Restore the file from a copy, or remove it")
    if len(content) > MAX_BYTES or not text.isprintable():
        raise ValueError(f"{path} is damaged: not one line of text. Restore the file from a copy, or remove it")
    return text
