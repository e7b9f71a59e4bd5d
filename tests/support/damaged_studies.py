"""What a study itself is made of, damaged: its database, settings, objects, backups and bundles.

A trial of a database is good where opening it or `tshdb check` ends with a documented error, or where both find
nothing and every row is
as it was. Of all else that is kept, and compared with its digest before use, each change must be refused.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.support import tiny
from tests.support.damage import damaged
from tests.support.damage_trials import Trial, differing, rows_of
from tests.support.forked_program import DOCUMENTED, Ended, in_children, run_here

OPEN = ("status",)
CHECK = ("check",)
FOUND = (3, 5, 6, 7, 8)  # exit codes by which somebody is told; 6: the system could not read it


class Kept(NamedTuple):
    """A kind of file. files: below the ground; commands: that read it, `{}` is the ground; is_free: a change may be
    a good file."""

    name: str
    files: list[Path]
    commands: tuple[tuple[str, ...], ...]
    is_free: bool = False


class Place:
    """A small study with results, one backup of it and one bundle."""

    def __init__(self, folder: Path):
        self.folder, self.root = folder, folder / "study"
        study = tiny.new_study(self.root, analyses=tiny.CORE)
        tiny.ingest(study, tiny.TinyArchive.make(6), images=False)
        tiny.define_cohorts(study)
        tiny.freeze(study)
        tiny.rebuild(study, tiny.CORE)
        study.engine.dispose()
        self._backup_and_bundle()
        self.before = rows_of(self.root / "study.db")
        for path in self.root.glob("study.db-*"):
            path.unlink()

    def _backup_and_bundle(self) -> None:
        for words in (("backup", self.folder / "backups"), ("export", "study", self.folder / "bundle.zip")):
            ended = run_here(*words, cwd=self.root)
            assert ended.code == 0, ended

    def kinds(self) -> list[Kept]:
        sql = ("sql", "SELECT sum(value) FROM expression")
        (backup,) = [p for p in (self.folder / "backups").iterdir() if p.is_dir()]
        return [
            Kept("database", [self.root / "study.db"], (OPEN, CHECK)),
            Kept("settings, TOML", [self.root / "study.toml"], (OPEN, CHECK), True),
            Kept("expression, Parquet", sorted((self.root / "objects").glob("*/*.parquet")), (sql, CHECK)),
            Kept("backup", sorted(p for p in backup.rglob("*") if p.is_file() and p.stat().st_size),
                 (("restore", str(backup), "{}/restored"),)),
            Kept("bundle", [self.folder / "bundle.zip"], (("import", "study", "{}/bundle.zip", "{}/imported"),)),
        ]  # fmt: skip

    def trials(self, kind: Kept, seeds: Iterable[int]) -> Iterator[Trial]:
        def one(seed: int) -> list:
            return list(self._tried(kind, kind.files[seed // 5 % len(kind.files)], seed))

        seeds = list(seeds)
        for seed, answer in zip(seeds, in_children(seeds, one, 120.0), strict=True):
            yield Trial(*answer) if isinstance(answer, list) else Trial(f"seed {seed}", False, False, answer)

    def _tried(self, kind: Kept, path: Path, seed: int) -> Trial:
        good, mode = path.read_bytes(), path.stat().st_mode
        what, data = damaged(good, seed)
        path.chmod(0o644)
        path.write_bytes(data)
        ended = []
        try:
            for words in kind.commands:
                ended.append(run_here(*(w.replace("{}", str(self.folder)) for w in words), cwd=self.root))
            return self._judged(kind, f"{path.name[:20]} {what}, seed {seed}", ended)
        finally:
            path.write_bytes(good)
            path.chmod(mode)
            for left in self.root.glob("study.db-*"):
                left.unlink()
            for made in ("restored", "imported"):
                shutil.rmtree(self.folder / made, ignore_errors=True)

    def _judged(self, kind: Kept, what: str, ended: list[Ended]) -> Trial:
        is_found = any(e.code in FOUND for e in ended)
        wrong = ""
        for e in ended:
            if e.code not in DOCUMENTED or "Traceback" in e.said:
                wrong = f"exit code {e.code}: {(e.trouble or e.said)[-1500:]}"
            elif e.code and not e.said.strip():
                wrong = f"exit code {e.code} without a word"
        is_same = False
        if not wrong and not is_found:
            if kind.name == "database":
                changed = differing(rows_of(self.root / "study.db"), self.before)
                is_same, wrong = not changed, f"nobody says that {', '.join(changed)} changed" if changed else ""
            elif not kind.is_free:
                wrong = f"taken: {ended[-1].said[-200:]}"
        if not wrong and kind.name == "database" and any(e.code == 5 for e in ended):
            said = " ".join(e.said for e in ended)
            wrong = "" if "restore" in said.lower() else f"no way back is named: {said[-400:]}"
        return Trial(what, not is_found, is_same, wrong)
