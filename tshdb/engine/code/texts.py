"""The text of the project's modules: as it stands in their files. Nothing is imported to read it.

Who only looks (plan, why, status) reads files; who computes answers for what its process has loaded. Both are a `Texts`.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

from tshdb import loaded
from tshdb.canonical import digest


class Text(NamedTuple):
    """A module's source. path: its file, or None for a folder without one."""

    text: str
    is_package: bool
    path: Path | None


class Texts(Protocol):
    """Where the text of modules comes from."""

    def read(self, module: str) -> Text | None:
        """The text of a module by its dotted name; None when there is no such module, or it has no source."""
        ...

    def digest(self, module: str) -> str:
        """A digest of the module's text; `gone` without one."""
        ...


class OnDisk:
    """The modules as their files are now. Each is read once in the life of this object."""

    def __init__(self) -> None:
        self._read: dict[str, Text | None] = {}
        self._digests: dict[str, str] = {}

    def read(self, module: str) -> Text | None:
        if module not in self._read:
            self._read[module] = self._find(module)
        return self._read[module]

    def digest(self, module: str) -> str:
        if module not in self._digests:
            text = self.read(module)
            self._digests[module] = "gone" if text is None else digest(text.text.encode())
        return self._digests[module]

    def _find(self, module: str) -> Text | None:
        place = located(module)
        if place is None:
            return None
        path, is_package = place
        if path is None:
            return Text("", True, None)
        try:
            return Text(importlib.util.decode_source(path.read_bytes()), is_package, path)
        except (OSError, SyntaxError, UnicodeDecodeError):  # it is gone, or no text
            return None


class AsLoaded(OnDisk):
    """The modules as this process has loaded them; of one that is not loaded yet, the file. For who computes."""

    def _find(self, module: str) -> Text | None:
        if loaded.is_loaded(module):
            with suppress(loaded.NotShown):
                place = located(module)
                is_package = hasattr(sys.modules[module], "__path__")
                return Text(loaded.text_of(module), is_package, place[0] if place is not None else None)
        return super()._find(module)

    def moved(self, modules: Iterable[str]) -> list[str]:
        """The modules that were loaded as another text than they were read before: their files changed in between."""
        changed = []
        for module in modules:
            with suppress(loaded.NotShown):
                read = self.read(module)
                if loaded.is_loaded(module) and (read is None or read.text != loaded.text_of(module)):
                    changed.append(module)
        return changed


def located(module: str) -> tuple[Path | None, bool] | None:
    """(file, whether it is a package) of a module, without importing it; the file is None for a folder without one.

    None when there is no such module, or it has no source file.
    """
    top, *rest = module.split(".")
    loaded = sys.modules.get(top)
    spec = getattr(loaded, "__spec__", None)
    if spec is None:
        try:
            spec = importlib.util.find_spec(top)
        except (ImportError, ValueError):
            spec = None
    if spec is None:
        return None
    folders = [Path(p) for p in spec.submodule_search_locations or ()]
    origin = Path(spec.origin) if spec.has_location and spec.origin else None
    if not rest:
        if origin is not None and origin.suffix != ".py":
            return None
        return (origin, bool(folders)) if origin or folders else None
    for position, part in enumerate(rest):
        is_last = position == len(rest) - 1
        for folder in folders:
            inner = folder / part
            if (inner / "__init__.py").is_file():
                place: tuple[Path | None, bool] = (inner / "__init__.py", True)
            elif is_last and (folder / f"{part}.py").is_file():
                place = (folder / f"{part}.py", False)
            elif inner.is_dir():
                place = (None, True)
            else:
                continue
            folders = [inner]
            break
        else:
            return None
    return place
