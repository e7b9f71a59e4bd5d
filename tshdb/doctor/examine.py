"""All lines, in order: the program, the machine, the study if there is one."""

from __future__ import annotations

import os
from pathlib import Path

from tshdb.doctor import machine, program
from tshdb.doctor import study as of_study
from tshdb.doctor.line import Line, looked_at, ok, problem
from tshdb.errors import TshdbError
from tshdb.study import Study, find_root


def examine(path: str | os.PathLike | None = None) -> list[Line]:
    """Look at everything. path: the study's folder; without it the one that is here, if one is."""
    root, lines = _study(path)
    probes = {
        "tshdb": program.program,
        "libraries": program.libraries,
        "extras": program.extras,
        "packages": program.neighbours,
        "processors": machine.processors,
        "disks": lambda: machine.disks(root),
        "folders": lambda: machine.writable(root),
        "clock": lambda: machine.clock(root),
    }
    if root is not None:
        study = Study(root)
        probes |= {
            "study.toml": lambda: of_study.settings(study),
            "database": lambda: of_study.reachable(study),
            "locks": lambda: of_study.locks(study),
            "trash": lambda: of_study.trash(study),
        }
    return [line for what, probe in probes.items() for line in looked_at(what, probe)] + lines


def _study(path: str | os.PathLike | None) -> tuple[Path | None, list[Line]]:
    """The study's folder; and a line where none is."""
    is_named = bool(path or os.environ.get("TSHDB_STUDY"))
    try:
        return find_root(path), []
    except TshdbError as error:
        if is_named:
            return None, [problem("study", f"{error.where}: {error.message}", error.repair)]
        return None, [ok("study", "none here: only the program and the machine were looked at")]
