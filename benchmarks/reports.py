"""The report of 200 simulated patients: how long, how large, and what of it is made again after one more patient.

50 have RNA of tumour and normal tissue, 30 of the tumour alone, 120 RNA and a table of features, 20 of these images too; a small
search. Each command in a process of its own. Baselines of the same run: the study's figures one by one, each by `tshdb figure`,
for the first report; the first report for all later ones. Work is counted on the processor, since neighbours slow the clock.
TSHDB_REPORTS names a folder in which the study is kept: the first run builds it there, and later ones measure a copy.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

from benchmarks.common import Measured, Ran
from benchmarks.whole_studies import SMALL_SEARCH, WholeStudy, bare_study
from tests.support.simulated import told
from tshdb.pages.report import since
from tshdb.study import Study

COUNTS, WITH_IMAGES = "pair=50,tumor={tumor},radiogenomic={radiogenomic}", 20
EFFECTS = "--seed 1 --genes 500 --effect rna=10 --effect texture=8 --effect survival=1 --jobs 1"
VALIDATION = "tumor_stroma_validation"  # a live cohort: who is new comes into it
MOST_SECONDS, MOST_MIB, MOST_MB, AGAIN_SECONDS, SHARE = 60.0, 1024, 10, 2.0, 0.25
CORE = "s of a core"


def measure(scratch: Path) -> Iterator[Measured]:
    kept = Path(os.environ.get("TSHDB_REPORTS", scratch / "kept"))
    if not (kept / "built").exists():
        shutil.rmtree(kept, ignore_errors=True)
        _build(kept)
        (kept / "built").touch()
    folder = scratch / "copy"
    shutil.copytree(kept, folder, symlinks=True)
    yield from _measured(WholeStudy(folder / "study", folder / "files", folder / "home"))


def _build(folder: Path) -> None:
    study = bare_study(folder)
    changes = [pair for pair in SMALL_SEARCH if not pair[0].startswith("features")]
    study.set(*changes, ('features = "computed"', 'features = "features"\nmin_per_class = 2'))
    images = folder / "images"
    study.tshdb(f"simulate {images} --cohorts pair=0,tumor=0,radiogenomic={WITH_IMAGES} {EFFECTS}")
    _simulate(study, 30)
    for place in (images / "tcga-brca").iterdir():
        if place.name != "gdc":
            shutil.move(place, study.files / "tcga-brca" / place.name)
    for command in told(study.files):
        if command != ["report"]:
            study.tshdb(shlex.join(command))


def _simulate(study: WholeStudy, n_tumor: int) -> None:
    counts = COUNTS.format(tumor=n_tumor, radiogenomic=120)
    study.tshdb(f"simulate {study.files} --cohorts {counts} --no-images {EFFECTS}")


def _measured(study: WholeStudy) -> Iterator[Measured]:
    n = int(Study(study.root).sql("SELECT count(*) AS n FROM patients")["n"][0])
    alone, n_figures = _one_by_one(study)
    first, made, _ = _report(study)
    what = f"first report of {n} patients, {made} drawings"
    yield Measured(what, first.seconds, "s", goal=f"under {MOST_SECONDS:g} s", is_met=first.seconds < MOST_SECONDS)
    baseline = f"{n_figures} figures by `tshdb figure`"
    yield Measured("its work", first.cpu_seconds, CORE, baseline, alone, "less", first.cpu_seconds < alone)
    yield Measured("its peak", first.peak_mib, "MiB", goal=f"under {MOST_MIB}", is_met=first.peak_mib < MOST_MIB)
    size = (study.root / "reports" / "report.html").stat().st_size / 1e6
    yield Measured("its page", size, "MB", goal=f"under {MOST_MB}", is_met=size < MOST_MB)
    again = min((_report(study)[0] for _ in range(3)), key=lambda ran: ran.seconds)
    yield Measured("again, nothing has changed", again.seconds, "s", goal=f"about {AGAIN_SECONDS:g} s",
                   is_met=again.seconds < 1.5 * AGAIN_SECONDS)  # fmt: skip
    yield Measured("its work", again.cpu_seconds, CORE, "the first report", first.cpu_seconds)
    before = _figures(study)
    _simulate(study, 31)
    study.tshdb(f"ingest tcga-brca --from {study.files}/tcga-brca")
    study.tshdb("rebuild")
    later, made, taken = _report(study)
    reached = sum(before.get(name) != digest for name, digest in _figures(study).items())
    yield Measured("drawings made again after one more patient", made, "", "drawings that look otherwise", reached,
                   "as many", made == reached)  # fmt: skip
    whole = f"the first report, {made + taken} drawings"
    is_met = later.cpu_seconds <= first.cpu_seconds * (SHARE + made / (made + taken))
    goal = f"within {SHARE:g} x, beside those drawings"
    yield Measured("that report's work", later.cpu_seconds, CORE, whole, first.cpu_seconds, goal, is_met)
    anew, pages = study.tshdb("report --stamp"), study.tshdb("report --patients")
    each = (pages.cpu_seconds - anew.cpu_seconds) / (n + 1)
    what = f"a page of a patient ({n + 1}, of {WITH_IMAGES} with images)"
    yield Measured(what, each, CORE, "a report with its drawings kept", anew.cpu_seconds)
    yield Measured("peak, with the patients' pages", pages.peak_mib, "MiB", goal=f"under {MOST_MIB}",
                   is_met=pages.peak_mib < MOST_MIB)  # fmt: skip


def _figures(study: WholeStudy) -> dict[str, str]:
    """figure of the report -> digest of its bytes, as the page says it."""
    shown = since.read(study.root / "reports" / "report.html")
    return {part.id: part.digest for part in shown.parts if part.digest}


def _report(study: WholeStudy) -> tuple[Ran, int, int]:
    """(what it took, drawings made, drawings taken from before)."""
    ran = study.tshdb("report --json")
    facts = json.loads((study.root / ".benchmark-output").read_text())
    return ran, facts["drawn"], facts["kept"]


def _one_by_one(study: WholeStudy) -> tuple[float, int]:
    """(seconds of a core, of all figures whose rows are there, each drawn by a command of its own; how many)."""
    seconds, n = 0.0, 0
    for figure in study.asked("figure --list"):
        try:
            seconds += study.tshdb(f"figure {figure['figure']} --out {study.root}/one.svg").cpu_seconds
        except RuntimeError:  # nothing to draw
            continue
        n += 1
    return seconds, n
