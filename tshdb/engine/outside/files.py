"""The files of a program as they are now, and the version of its interpreter.

What is read here is recorded, and is what runs: the text goes with the task, so that an edit while a rebuild runs touches
nothing, and a worker needs no file.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from tshdb.canonical import json_text
from tshdb.engine import homes
from tshdb.errors import InvalidInput

if TYPE_CHECKING:
    from tshdb.engine.analysis import Analysis

NOT_INSTALLED = "not installed"  # as `library_version` says it
VERSION_SECONDS = 60


def texts_of(analysis: Analysis) -> dict[str, str]:
    """name -> text, of all files of a program. Empty for an analysis that is none.

    Raises InvalidInput for a file that is not there, or is no text.
    """
    if analysis.program is None:
        return {}
    return {name: _text(analysis, name) for name in analysis.program.beside}


def _text(analysis: Analysis, name: str) -> str:
    module = analysis.function.__module__
    data = homes.content(module, name)
    where = f"{module}: {name}"
    if data is None:
        file = getattr(sys.modules.get(module), "__file__", None)
        if file is None or homes.is_of_home(module):
            raise _missing(analysis, where)
        where = str(Path(file).parent / name)
        try:
            data = Path(where).read_bytes()
        except OSError:
            raise _missing(analysis, where) from None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"no text in UTF-8: byte {error.start + 1}", where=where, repair="A program is made of text files"
        ) from None


def _missing(analysis: Analysis, where: str) -> InvalidInput:
    return InvalidInput(
        f"the analysis {analysis.name} names this file, and it is not there", where=where,
        repair="Lay it beside the module; of a package, add it to its package data",
    )  # fmt: skip


def counted(analysis: Analysis, texts: Mapping[str, str]) -> dict[str, str]:
    """name -> text of what is the code of a program: the command and the scripts."""
    program = analysis.program
    if program is None:
        return {}
    said = {"the command": json_text([*program.command, f"format {program.format}"])}
    return said | {f"the script {name}": texts[name] for name in program.files}


def beside(analysis: Analysis, texts: Mapping[str, str]) -> dict[str, str]:
    """name -> text of what is kept with the code and is a library of it: the lock."""
    lock = analysis.program.lock if analysis.program is not None else None
    return {} if lock is None else {f"the lock {lock}": texts[lock]}


def names_of(analysis: Analysis) -> tuple[str, ...]:
    """By what names the libraries of a program are recorded: its interpreter, and its lock."""
    if analysis.program is None:
        return ()
    lock = () if analysis.program.lock is None else (f"{analysis.name}/{analysis.program.lock}",)
    return (analysis.program.interpreter[0], *lock)


def versions_of(analysis: Analysis, texts: Mapping[str, str] | None = None) -> dict[str, str]:
    """name -> version of the libraries of a program: what its interpreter prints, and its lock's digest."""
    if analysis.program is None:
        return {}
    versions = {analysis.program.interpreter[0]: version_of(analysis.program.interpreter)}
    if analysis.program.lock is not None:
        text = _text(analysis, analysis.program.lock) if texts is None else texts[analysis.program.lock]
        versions[f"{analysis.name}/{analysis.program.lock}"] = hashlib.sha256(text.encode()).hexdigest()
    return versions


def version_of(interpreter: tuple[str, ...]) -> str:
    """What the interpreter prints of itself, its first line; started once a process, and again when its file has changed."""
    place = shutil.which(interpreter[0])
    if place is None:
        return NOT_INSTALLED
    return _printed(interpreter, place, Path(place).stat().st_mtime_ns)


@lru_cache
def _printed(interpreter: tuple[str, ...], place: str, _changed: int) -> str:
    try:
        done = subprocess.run(
            [place, *interpreter[1:]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=VERSION_SECONDS,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"does not say its version ({type(error).__name__})"
    lines = done.stdout.decode("utf-8", "replace").strip().splitlines()
    return lines[0].strip() if lines else "says no version"
