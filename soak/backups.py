"""Backups of a study that others ingest into and rebuild: each is one state, whole, and passes its check when it is restored."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from soak import Figure
from tests.support import tiny
from tests.support.in_time import in_time, tried
from tests.support.program import ROOT
from tshdb.backup.make import backup
from tshdb.backup.restore import restore
from tshdb.study import Study

ROUNDS = 500
WRITER = """
import random, sys
from pathlib import Path
from tests.support import tiny
from tshdb.study import Study

luck = random.Random(int(sys.argv[2]))
while True:
    study, archive = Study(Path(sys.argv[1])), tiny.TinyArchive.make(10)
    for _ in range(3):
        archive.set_value(f"TCGA-TN-{luck.randrange(10):04}", "tumor", "GNLY", luck.uniform(1, 9))
    tiny.ingest(study, archive, images=False)
    tiny.rebuild(study, tiny.CORE, refit=luck.random() < 0.5)
    study.engine.dispose()
"""


def rounds(study: Study, folder: Path, n: int, seed: int) -> Iterator[str | None]:
    """What is wrong with each of n backups, None of one that is whole, while another process writes all the time."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(study.root), str(seed)], env=environment, cwd=ROOT)
    try:
        for i in in_time(range(n)):
            yield _round(study, folder, i)
            if writer.poll() is not None:
                raise RuntimeError("the writer has ended")
    finally:
        writer.kill()
        writer.wait()


def _round(study: Study, folder: Path, i: int) -> str | None:
    try:
        made = backup(study, folder / "backups", is_incremental=i % 5 > 0)
        restored = restore(made.path, folder / "restored")
        again = backup(Study(restored.root), folder / "again")
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    finally:
        shutil.rmtree(folder / "restored", ignore_errors=True)
    before, after = ({f.path: f.sha256 for f in m.manifest.files if f.path != "study.db"} for m in (made, again))
    shutil.rmtree(folder / "again")
    return None if before == after else "the restored study has other files"


def run(folder: Path, seed: int) -> Iterator[Figure]:
    study = tiny.new_study(folder / "study", analyses=tiny.CORE)
    tiny.ingest(study, tiny.TinyArchive.make(10), images=False)
    tiny.define_cohorts(study)
    tiny.freeze(study)
    tiny.rebuild(study, tiny.CORE)
    study.engine.dispose()
    bad, n = [], 0
    for i, trouble in enumerate(rounds(study, folder, ROUNDS, seed)):
        n += 1
        if trouble is not None:
            bad.append(f"backup {i}: {trouble}")
        for old in sorted((folder / "backups").glob("2*"))[:-3]:
            shutil.rmtree(old)
    what = f"of {tried(n, ROUNDS)} backups beside a writer, those that are whole when restored"
    yield Figure(what, f"{n - len(bad):,}", "all", not bad)
    for trouble in bad:
        yield Figure("not whole", trouble, is_met=False)
