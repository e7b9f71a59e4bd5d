"""A study's own analyses: the files below `analyses/`, loaded as a package of their own.

The name `analyses` is this program's, so the files are imported as `study_analyses.NAME` (another content of the same process
has its digest behind that). What is imported are the very bytes whose digest was trusted: they are read once. No compiled code
beside them is used or written.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.abc
import sys
import traceback
from collections.abc import Mapping
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType
from typing import NamedTuple

from tshdb import loaded
from tshdb.engine.analysis import Analysis
from tshdb.errors import InvalidInput
from tshdb.places import files_below

FOLDER = "analyses"
PACKAGE = "study_analyses"
LARGEST = 16 << 20  # bytes of one file: code is smaller


class Home(NamedTuple):
    """Where a process finds a study's own code: the package's name, the folder, and the digest that it must have."""

    package: str
    folder: Path
    digest: str


class Files(NamedTuple):
    """The study's own files: name below `analyses/` -> bytes, and the digest of them all."""

    contents: Mapping[str, bytes]
    digest: str

    @property
    def modules(self) -> list[str]:
        """The names that are imported: files of Python in the folder itself that do not begin with _."""
        names = (Path(name) for name in self.contents)
        return sorted(p.stem for p in names if p.suffix == ".py" and len(p.parts) == 1 and not p.name.startswith("_"))


def read(root: Path) -> Files | None:
    """The files of the study in `root`; None where it has none. Links and hidden files are no part of it."""
    folder = root / FOLDER
    contents: dict[str, bytes] = {}
    for path in files_below(folder):
        name = path.relative_to(folder)
        if any(part.startswith((".", "__pycache__")) for part in name.parts):
            continue
        if path.stat().st_size > LARGEST:
            raise InvalidInput("too large for code", where=str(path), repair=f"Keep data out of {FOLDER}/")
        contents[name.as_posix()] = path.read_bytes()
    if not contents:
        return None
    if "__init__.py" in contents:
        raise InvalidInput(
            f"with this file the folder would stand in the place of this program's own {FOLDER}",
            where=str(folder / "__init__.py"), repair="Remove it: the files are found without",
        )  # fmt: skip
    return Files(contents, _digest(contents))


def _digest(contents: Mapping[str, bytes]) -> str:
    whole = hashlib.sha256()
    for name, data in sorted(contents.items()):
        whole.update(f"{name}\0{hashlib.sha256(data).hexdigest()}\n".encode())
    return whole.hexdigest()


# ------------------------------------------------------------------------------------------------------ the import

_homes: dict[str, tuple[Home, Files]] = {}  # package -> what it is in this process


class _Loader(loaded.Loader):
    """Runs the bytes that were read and trusted; compiled code beside them could be anything."""

    def __init__(self, name: str, path: str, data: bytes):
        super().__init__(name, path)
        self.data = data

    def get_data(self, path: str) -> bytes:
        return self.data

    def get_code(self, fullname: str) -> CodeType:
        """See `importlib.abc.InspectLoader`."""
        loaded.keep(fullname, self.path, self.data)
        return self.source_to_code(self.data, self.path)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the modules of studies' folders that were handed over, and nothing else."""

    def find_spec(self, fullname, path=None, target=None) -> ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder`."""
        package, _, rest = fullname.partition(".")
        if package not in _homes:
            return None
        home, files = _homes[package]
        place = rest.replace(".", "/")
        if not rest or any(name.startswith(f"{place}/") for name in files.contents):
            loaded.keep(fullname, "", b"")  # a folder without a file of its own
            spec = ModuleSpec(fullname, None, is_package=True)
            spec.submodule_search_locations = [str(home.folder / place)]
            return spec
        data = files.contents.get(f"{place}.py")
        if data is None:
            return None
        where = home.folder / f"{place}.py"
        return spec_from_file_location(fullname, where, loader=_Loader(fullname, str(where), data))


def open_home(home: Home) -> None:
    """Let this process import a study's own code. Raises InvalidInput where the files are not those of the digest."""
    if home.package in _homes and _homes[home.package][0].digest == home.digest:
        return
    files = read(home.folder.parent)
    if files is None or files.digest != home.digest:
        raise InvalidInput("the files are not those that were trusted", where=str(home.folder), repair="Start again")
    _enter(home, files)


def _enter(home: Home, files: Files) -> None:
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    _homes[home.package] = home, files


def home_of(root: Path, files: Files) -> Home:
    """The package by which these files are known in this process: another content, or folder, has another name."""
    folder = root / FOLDER
    for name in (PACKAGE, f"{PACKAGE}_{files.digest[:12]}"):
        if name not in _homes or _homes[name][0] == Home(name, folder, files.digest):
            return Home(name, folder, files.digest)
    place = hashlib.sha256(str(folder).encode()).hexdigest()
    return Home(f"{PACKAGE}_{files.digest[:12]}_{place[:8]}", folder, files.digest)


def is_of_home(module: str) -> bool:
    """Whether a module is one of a study's own folder that was opened here."""
    return module.partition(".")[0] in _homes


def content(module: str, name: str) -> bytes | None:
    """A file beside a module of a study's own folder, of the bytes that were read with it; None where there is none."""
    package, *rest = module.split(".")
    return _homes[package][1].contents.get("/".join([*rest[:-1], name])) if package in _homes else None


def homes() -> tuple[Home, ...]:
    """What was opened here, for the workers of this process."""
    return tuple(home for home, _ in _homes.values())


def analyses(root: Path, files: Files) -> tuple[Analysis, ...]:
    """The records of a study's own analyses, file by file. Raises InvalidInput for a file that cannot be imported."""
    home = home_of(root, files)
    _enter(home, files)
    records: list[Analysis] = []
    for name in files.modules:
        try:
            module = importlib.import_module(f"{home.package}.{name}")
        except Exception as error:  # an import runs any code
            raise InvalidInput(
                f"cannot be imported: {type(error).__name__}: {error}", where=_place(error, home.folder / f"{name}.py"),
                repair="Mend the line, then: tshdb trust",
            ) from error  # fmt: skip
        records += [v for v in vars(module).values() if isinstance(v, Analysis) and _is_of(v, module.__name__)]
    return tuple(records)


def _place(error: Exception, file: Path) -> str:
    """The line in the study's own files from which an error came; of a file that another one imports, in that one."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    own = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(f"{file.parent}/")]
    return f"{own[-1].filename}:{own[-1].lineno}" if own else str(file)


def _is_of(record: Analysis, module: str) -> bool:
    """Whether a record was declared in this module, and not taken over by an import."""
    return record.function.__module__ == module
