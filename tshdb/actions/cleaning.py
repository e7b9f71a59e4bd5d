"""Take out of a study's way what nobody needs any more: to the trash, from where it can be had back until that is emptied.

what                                              when
objects that no row names, parts without profiles no rebuild is running
files that interrupted commands left              their process is dead, or they are an hour old
work in progress that nobody goes on with         not written for `older_than`
pages and drawings of ours                        not written for `older_than`; they can be made again

Names that we give, in the places where we give them, and nothing else. Links are not followed.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tshdb import installed
from tshdb.actions.checking import context_of
from tshdb.checking import OF_OBJECTS, RULES, Context, Problem
from tshdb.database import reading, writing
from tshdb.engine.running import running
from tshdb.engine.work import folders_of
from tshdb.lock import study_lock
from tshdb.places import FIGURES, REPORTS, files_below
from tshdb.process import is_alive

if TYPE_CHECKING:
    from tshdb.study import Study
    from tshdb.trash import Emptied, Thrown

DAYS = 30
HOUR = 3_600.0
OF_FILES = "file.half-written"
OF_PROCESS = re.compile(r"\..+\.(\d+)\.writing|\.writing-(\d+)")
PAGE = re.compile(r"ingest-(?:\d{4,}|dry-run(?:-\d+)?)\.html|report\.html")
DRAWING = re.compile(r"([a-z][a-z0-9_-]*)(?:\.[a-z][a-z0-9_-]*)?\.(?:svg|pdf|png)")


@dataclass(frozen=True)
class Garbage:
    """One file that nobody needs. path: below the study."""

    path: str
    size: int
    why: str


@dataclass(frozen=True)
class Cleaned:
    """What was moved to the trash, or would be. waits: why some things were not looked at."""

    garbage: Sequence[Garbage | Thrown]
    waits: str | None
    trash: dict[str, int]

    @property
    def facts(self) -> dict[str, Any]:
        """Plain values, as `tshdb gc --json` prints them."""
        return {
            "files": [{"path": g.path, "size": g.size, "why": g.why} for g in self.garbage],
            "bytes": sum(g.size for g in self.garbage),
            "waits": self.waits,
            "trash": self.trash,
        }


def find(study: Study, older_than: timedelta = timedelta(days=DAYS)) -> Cleaned:
    """What `clean` would move. Writes nothing."""
    with reading(study.engine) as connection:
        busy = running(connection)
        found = list(_found(context_of(study, connection), busy, older_than))
    return Cleaned(
        [Garbage(_below(study, p), p.stat().st_size, why) for p, why, _, _ in found], busy, study.trash.held()
    )


def clean(study: Study, older_than: timedelta = timedelta(days=DAYS)) -> Cleaned:
    """Move what nobody needs to the trash. No ingest, withdrawal or upgrade runs meanwhile. Raises Busy."""
    with study_lock(study.engine, study.root), writing(study.engine) as connection:
        busy = running(connection)
        context = context_of(study, connection)
        before = len(study.trash.thrown)
        files = []
        for path, why, rule, problem in _found(context, busy, older_than):
            if rule is None or problem is None:
                files.append((path, why))
            elif (mend := RULES[rule].mend) is not None:
                mend(context, [problem])
        study.trash.move(files)
    _remove_empty_work(study.root)
    return Cleaned(study.trash.thrown[before:], busy, study.trash.held())


def empty_trash(study: Study, older_than: timedelta | None = None) -> Emptied:
    """Remove what lies in the trash. older_than: only what was moved there before that."""
    with study_lock(study.engine, study.root):
        return study.trash.empty(older_than)


Found = tuple[Path, str, str | None, Problem | None]


def _found(context: Context, busy: str | None, older_than: timedelta) -> Iterator[Found]:
    """(file, why, rule, its problem); a rule's problem is mended by the rule."""
    study = context.study
    if busy is None:
        for name in OF_OBJECTS:
            for problem in RULES[name].find(context):
                path = study.root / problem.where
                if path.is_file():
                    yield path, problem.found, name, problem
        for folder in folders_of(study.root):
            files = list(files_below(folder))
            if all(_age(path) > older_than.total_seconds() for path in files):
                yield from ((path, "work in progress that nobody goes on with", None, None) for path in files)
    for problem in RULES[OF_FILES].find(context):
        path = Path(problem.key)
        if _is_left(path):
            yield path, problem.found, OF_FILES, problem
    for path in _pages(study):
        if _age(path) > older_than.total_seconds():
            yield path, "a page or drawing that can be made again", None, None


def _pages(study: Study) -> Iterator[Path]:
    yield from (p for p in files_below(study.root / REPORTS, is_deep=False) if PAGE.fullmatch(p.name))
    known = installed.figures()
    for path in files_below(study.root / FIGURES, is_deep=False):
        if (match := DRAWING.fullmatch(path.name)) and match[1] in known:
            yield path


def _is_left(path: Path) -> bool:
    """Whether nobody writes to a temporary file any more: its process is dead, or it was not touched for an hour."""
    match = OF_PROCESS.fullmatch(path.name)
    if match is not None:
        return not is_alive(match[1] or match[2])
    return _age(path) > HOUR


def _age(path: Path) -> float:
    return time.time() - path.stat().st_mtime


def _below(study: Study, path: Path) -> str:
    return path.relative_to(study.root).as_posix()


def _remove_empty_work(root: Path) -> None:
    for folder in folders_of(root):
        if not any(folder.iterdir()):
            folder.rmdir()
