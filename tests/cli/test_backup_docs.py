"""The blocks of docs/backup.md run in their order, in a study's folder `brca`; the restore drill is one of them."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

from tests.support.program import ROOT, run_quick

BLOCK = re.compile(r"```sh\n(.*?)```", re.S)


def test_every_block_runs(core_template, tmp_path):
    from tests.support import tiny
    from tshdb.study import Study

    study = tiny.copy_study(Study(core_template), tmp_path / "brca")
    rows = tiny.dump(study)
    study.engine.dispose()
    said: dict[str, str] = {}
    here = study.root
    for line in "".join(BLOCK.findall((ROOT / "docs/backup.md").read_text(encoding="utf-8"))).splitlines():
        words = shlex.split(line)
        if words[0] == "cd":
            here = (here / words[1]).resolve()
        elif words[0] == "tshdb":
            done = run_quick(*words[1:], cwd=here)
            said[line] = done.stdout + done.stderr
        else:
            subprocess.run(words, cwd=here, check=True)
    assert "linked to earlier ones" in said["tshdb backup ../backups --incremental"]
    assert said["tshdb backups ../backups --full"].count("whole") == 2
    assert "Everything holds" in said["tshdb check --study ../drill"]
    assert "5 of 5 units are the same" in said["tshdb verify --sample 5 --study ../drill"]
    imported = said["tshdb import study ../brca.zip ../elsewhere --rebuild"]
    assert re.search(r"Made again: (\d+) of \1 results have the same bytes", imported)
    restored = Study(tmp_path / "brca")
    assert tiny.dump(restored) == rows and not Path(tmp_path / "drill").exists()
    restored.engine.dispose()
