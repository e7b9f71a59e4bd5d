"""What is declared of a program that computes an analysis. Judged when its record is made."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from tshdb.engine.analysis import Analysis

FORMATS = ("csv", "parquet")
RESULT = "result"
GIVEN = ("parameters", "columns", "members", "seed", "seeds", RESULT)  # names of files that the engine gives itself
FOLDER = "{folder}"  # in a word of a command: the folder in which it runs


class Failed(Exception):
    """A program did not come to a good end; what it says is a sentence of its own."""


@dataclass(frozen=True)
class Program:
    """A command, and what it is made of.

    command: its words. It runs in a folder of its own, in which its files and its inputs lie.
    files: scripts, beside the module that declares them: their text is its code.
    lock: a file beside them that says which libraries it needs (renv.lock, environment.yml …).
    interpreter: the command that prints a version, such as ("Rscript", "--version").
    seconds: the longest that a call may take.
    memory_gb: the address space of each of its processes; None: as much as this process may have.
    format: csv or parquet, of all that is handed over and of the result.
    """

    command: tuple[str, ...]
    files: tuple[str, ...]
    interpreter: tuple[str, ...]
    lock: str | None = None
    seconds: float = 3600.0
    memory_gb: float | None = None
    format: str = "csv"

    @property
    def beside(self) -> tuple[str, ...]:
        """The names of all files that lie beside the module."""
        return (*self.files, *filter(None, [self.lock]))


def judge_program(record: Analysis, wrong: Callable[[str], NoReturn]) -> None:
    """Calls `wrong` with what of a program cannot run."""
    program = record.program
    if program is None:
        return
    for option in ("command", "files", "interpreter"):
        words = getattr(program, option)
        if not (isinstance(words, tuple) and words and all(isinstance(w, str) and w for w in words)):
            wrong(f"{option} {words!r} is no tuple of words")
    taken = {f"{role}.{program.format}" for role in (*GIVEN, *record.needs)} | {"tshdb.R", "parameters.json"}
    for name in program.beside:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or str(path) != name or "\\" in name:
            wrong(f"the file '{name}' is no path below the folder of the module, written with /")
        if name in taken:
            wrong(f"the file '{name}' has a name that the engine gives itself")
    if len(set(program.beside)) < len(program.beside):
        wrong(f"files {program.beside!r}: one of them is named twice")
    for role in set(GIVEN) & record.needs.keys():
        wrong(f"the role '{role}' is the name of a file that the engine gives itself")
    if program.format not in FORMATS:
        wrong(f"format '{program.format}' is none of {', '.join(FORMATS)}")
    if not program.seconds > 0 or (program.memory_gb is not None and not program.memory_gb > 0):
        wrong(f"seconds {program.seconds!r} and memory_gb {program.memory_gb!r} must be above 0")
    if "work" in inspect.signature(record.function).parameters:
        wrong("the argument 'work': a program keeps no work in progress")
    if any("object" in column.info for column in record.makes.__table__.columns):
        wrong(f"{record.makes.__tablename__} names objects, which a program cannot make")
