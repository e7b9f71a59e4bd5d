"""What a damaged file may do to a study: each trial is one file, read by its command in a process of its own.

A trial is good where the command ends by itself with a documented exit code, and
    refused   (an error)   no row of the study is another;
    taken     (done, or done but for what was withheld)   the study keeps other digests, or other options, of its sources than of
              the good file: its bytes are in the digest of the file, or of that beside which it lies, or what it says is in the
              options; and, where the format keeps a sum of its content, the rows are those of the good file.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.support import tiny
from tests.support.damage import KINDS, damaged
from tests.support.damaged_formats import Files, Format
from tests.support.forked_program import DOCUMENTED, Ended, in_children, run_here

DONE, IN_PART = 0, 3
OF_THE_BOOK = (
    "runs",
    "ingest_runs",
    "ingest_issues",
    "table_versions",
    "source_files",
    "source_releases",
)  # who read, when
OF_THE_FILE = ("sha256", "file_sha256", "source_id", "run_id", "seen_at", "mtime_ns", "size", "n_bytes")
IN_A_RECORD = re.compile(r'"file_sha256":"[0-9a-f]{64}"')  # a packed file of other bytes may hold the same content
Rows = dict[str, str]


class Trial(NamedTuple):
    """One damaged file. wrong: what it did that it may not; empty where it is good. is_told: a finding names the file."""

    what: str
    is_taken: bool
    is_same: bool
    wrong: str
    is_told: bool = False


class Ground:
    """A study of four patients, two with images, to which each trial goes back."""

    def __init__(self, folder: Path):
        self.root, self.files = folder / "study", folder / "files"
        study = tiny.new_study(self.root, analyses=tiny.CORE)
        tiny.ingest(study, tiny.TinyArchive.make(4))
        study.engine.dispose()
        self._database = (self.root / "study.db").read_bytes()
        self._before = rows_of(self.root / "study.db")
        self.by_the_clock: set[str] = set()  # tables of which two good runs have other rows

    def again(self, files: Files) -> None:
        """The study as it was, beside these files."""
        database = self.root / "study.db"
        if (
            not database.exists()
            or database.read_bytes() != self._database
            or database.with_name("study.db-wal").exists()
        ):
            for path in self.root.glob("study.db*"):
                path.unlink()
            database.write_bytes(self._database)
        shutil.rmtree(self.files, ignore_errors=True)
        for name, data in files.items():
            path = self.files / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def rows(self) -> Rows:
        return rows_of(self.root / "study.db")

    def is_untouched(self) -> list[str]:
        """The tables in which a row is another than before."""
        return differing(self._before, self.rows())

    def kept(self) -> set[tuple]:
        """What the study keeps of the bytes of files, and of the options by which they were read."""
        with closing(sqlite3.connect(self.root / "study.db")) as raw:
            found = {row for t in ("imaging_instances", "segmentations") for row in _digests(raw, t)}
            return found | set(raw.execute("SELECT reader, name, sha256, options FROM source_files"))


def _digests(raw: sqlite3.Connection, table: str) -> Iterator[tuple]:
    columns = [name for _, name, *_ in raw.execute(f"PRAGMA table_info({table})")]
    if "sha256" in columns:
        yield from raw.execute(f"SELECT sha256 FROM {table} WHERE sha256 IS NOT NULL")


def rows_of(database: Path) -> Rows:
    """table -> a digest of its rows, without what says who read which bytes when."""
    found = {}
    with closing(sqlite3.connect(database)) as raw:
        raw.text_factory = bytes
        tables = [t.decode() for (t,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
        for table in tables:
            if table in OF_THE_BOOK:
                continue
            columns = [name.decode() for _, name, *_ in raw.execute(f'PRAGMA table_info("{table}")')]
            kept = ", ".join(f'"{c}"' for c in columns if c not in OF_THE_FILE) or "1"
            rows = sorted(IN_A_RECORD.sub("", repr(row)) for row in raw.execute(f'SELECT {kept} FROM "{table}"'))
            found[table] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return found


def differing(one: Rows, other: Rows) -> list[str]:
    return sorted(t for t in one.keys() | other.keys() if one.get(t) != other.get(t))


def trials(
    ground: Ground, format_: Format, seeds: Iterable[int], kind: Callable[[bytes, Random], bytes] | None = None
) -> Iterator[Trial]:
    """One trial a seed, of the format's damaged files in turn. kind: of damage; None: each in turn."""
    files = format_.files()
    ground.again(files)
    warm = run_here(*format_.command(ground.files), cwd=ground.root)  # what it imports, children have
    wanted, kept = ground.rows(), ground.kept()
    assert warm.code == DONE and ground.is_untouched(), (format_.name, warm)
    ground.again(files)
    run_here(*format_.command(ground.files), cwd=ground.root)
    ground.by_the_clock |= set(differing(wanted, ground.rows()))

    def one(seed: int) -> list:
        name = format_.damaged[seed // len(KINDS) % len(format_.damaged)]
        what, data = damaged(files[name], seed, kind)
        ground.again({**files, name: data})
        ended = run_here(*format_.command(ground.files), cwd=ground.root)
        said = f"{name} {what}, seed {seed}"
        return list(_judged(ground, format_, said, ended, wanted, kept)._replace(is_told=_is_told(ended.said, name)))

    seeds = list(seeds)
    for seed, answer in zip(seeds, in_children(seeds, one), strict=True):
        yield Trial(*answer) if isinstance(answer, list) else Trial(f"seed {seed}", False, False, answer)


def _is_told(said: str, name: str) -> bool:
    """Whether a line below a finding is of the file."""
    return re.search(rf"^ {{6}}{re.escape(Path(name).name)}\b.*: ", said, re.MULTILINE) is not None


def _judged(ground: Ground, format_: Format, what: str, ended: Ended, wanted: Rows, kept: set[tuple]) -> Trial:
    """wanted, kept: what the good file comes to."""
    is_taken = ended.code in (DONE, IN_PART)
    changed = [table for table in differing(ground.rows(), wanted) if table not in ground.by_the_clock]
    wrong = ""
    if ended.code not in DOCUMENTED:
        wrong = f"exit code {ended.code}: {(ended.trouble or ended.said)[-1500:]}"
    elif "Traceback" in ended.said:
        wrong = f"a traceback: {ended.said[-1500:]}"
    elif not is_taken and (touched := ground.is_untouched()):
        wrong = f"refused with {ended.code}, and {', '.join(touched)} changed"
    elif is_taken and format_.has_sum and changed and ground.is_untouched():
        wrong = f"taken, with other rows of {', '.join(changed)}, though the format keeps a sum: {ended.said[-300:]}"
    elif is_taken and changed and ground.kept() == kept:
        wrong = f"taken, and the study keeps nothing of its bytes: {ended.said[-300:]}"
    elif not is_taken and not ended.said.strip():
        wrong = f"exit code {ended.code} without a word"
    return Trial(what, is_taken, not changed, wrong)
