"""What a process has loaded of an analysis: the texts, the libraries and the Python that its results rest on.

Who computes imports first and answers for what it has loaded: every outcome bears this digest, and only those that bear
the digest of the run itself are committed. A worker that started after an edit or an upgrade gives another one.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import platform
import re
import socket
import sys
import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

from tshdb.canonical import digest
from tshdb.engine.analysis import Analysis
from tshdb.engine.homes import Home, open_home
from tshdb.engine.outside.files import version_of as version_of_interpreter
from tshdb.errors import InvalidInput
from tshdb.loaded import NotShown, older_than_process, text_of, watch
from tshdb.process import library_version

LIBRARIES = ("numpy", "pandas", "pyarrow", "pydantic", "sqlalchemy")  # between an analysis and the database
MODULES = ("tshdb.canonical", "tshdb.engine.compute", "tshdb.objects")  # every value passes through them

_TOP_LEVEL = re.compile(r"^(\w+)(?:/__init__)?\.py,", re.MULTILINE)  # in the list of installed files

_versions: dict[str, str] = {}  # of the libraries that are loaded, when they were found to be


@dataclass(frozen=True)
class Ground:
    """What the results of an analysis rest on in this process. problem: why nothing can be computed on it.

    interpreter: of a program, the command that prints its version.
    """

    modules: tuple[str, ...]
    libraries: tuple[str, ...]
    digest: str
    problem: str | None
    interpreter: tuple[str, ...] = ()


def ground_of(analysis: Analysis, reached: Iterable[str], versions: Mapping[str, str]) -> Ground:
    """Import what the analysis rests on. reached: the modules of its code; versions: those that will be recorded."""
    modules = tuple(sorted({*reached, analysis.makes.__module__, *MODULES}))
    problem, interpreter = None, analysis.program.interpreter if analysis.program is not None else ()
    try:
        content = loaded_digest(modules, versions, interpreter)
    except NotShown as error:
        content, problem = "", str(error)
    for library, version in versions.items():
        if (loaded := load(library)) != version:
            problem = f"{library} {loaded} is loaded and {version} is installed: start the program again"
    return Ground(modules, tuple(sorted(versions)), content, problem, interpreter)


def loaded_digest(modules: Iterable[str], libraries: Iterable[str], interpreter: tuple[str, ...] = ()) -> str:
    """A digest of what this process has loaded: the text of each module, the version of each library, Python's.

    interpreter: of a program, the command that prints its version, which counts as well, as it is here now.

    What is not loaded yet is imported. A module that cannot be imported counts by why: whoever needs it will fail.
    Raises NotShown where the text that was loaded cannot be shown.
    """
    parts = [f"Python {platform.python_version()}"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for library in sorted(libraries):
            parts.append(f"{library}\0{load(library)}\0{library_version(library)}")  # the same, unless it was upgraded
        for module in sorted(modules):
            parts.append(f"{module}\0{_text(module)}")
    if interpreter:
        parts.append("\0".join((*interpreter, version_of_interpreter(interpreter))))
    return digest(*(part.encode() for part in parts))


def load_all(modules: Iterable[str], libraries: Iterable[str], homes: Iterable[Home] = ()) -> None:
    """Import these, as far as that is possible: who needs one that cannot be had will say so."""
    for home in homes:
        with suppress(InvalidInput):
            open_home(home)
    for module in modules:
        watch(module.partition(".")[0])
    with suppress(NotShown):
        loaded_digest(modules, libraries)


def _text(module: str) -> str:
    try:
        return text_of(module)
    except NotShown:
        raise
    except Exception as error:  # an import runs any code
        return f"cannot be imported: {type(error).__name__}: {error}"


def load(library: str) -> str:
    """Import a library, so that an upgrade from now on does not touch this process. Gives its version, as loaded."""
    if library not in _versions and not _is_loaded(library):
        before = library_version(library)
        for module in top_level(library):
            try:
                importlib.import_module(module)
            except Exception:  # an import runs any code; whoever needs it will fail
                return before
        after = library_version(library)
        _versions[library] = before if before == after else f"{before} or {after}"
    return version_of(library)


def version_of(library: str) -> str:
    """The version of a library that is loaded, as it was then; of another, the one that is installed."""
    if library not in _versions and _is_loaded(library):
        _versions[library] = _version_before(library)
    return _versions.get(library) or library_version(library)


def _is_loaded(library: str) -> bool:
    return any(module in sys.modules for module in top_level(library))


def _version_before(library: str) -> str:
    """The version of a library that others have loaded: what is installed, unless that came after this process began."""
    installed = library_version(library)
    for live in (sys.modules.get(module) for module in top_level(library)):
        version, path = getattr(live, "__version__", None), getattr(live, "__file__", None)
        if isinstance(version, str) and version != installed and path is not None:
            if not os.path.exists(path) or not older_than_process(path):
                return version
    return installed


def libraries_of(analyses: Iterable[Analysis]) -> list[str]:
    """The libraries that results may differ by: all that an analysis names, and the engine's own."""
    return sorted({*LIBRARIES, *(name for a in analyses for name in (*a.libraries, *a.strict_libraries))})


@cache
def top_level(library: str) -> tuple[str, ...]:
    """The modules by which a library is imported; none of one that is not installed."""
    try:
        installed = importlib.metadata.distribution(library)
    except importlib.metadata.PackageNotFoundError:
        return ()
    names = (installed.read_text("top_level.txt") or "").split() or _TOP_LEVEL.findall(
        installed.read_text("RECORD") or ""
    )
    return tuple(sorted({name for name in names if not name.startswith("_")}))


def process_name() -> str:
    """This process, in words."""
    return f"process {os.getpid()} on {socket.gethostname()}"
