"""What whole studies find of what was planted in them: simulated archives, ingested, frozen, rebuilt, and asked.

Strong   STRONGS studies whose RNA and features show z nearly bare: the mean nested AUC must be above .9, the hazards found.
         The labels are still an opinion (tumours are scored without their stroma), so that z itself does not tell them all;
         what it tells stands beside.
None     NULLS studies without any effect: nested AUC about .5 while the search's own figure is above .6, p values of the
         log-rank tests of the scores uniform (Kolmogorov-Smirnov against the uniform distribution; OS is left out, since a
         death is in RFS too). Small searches, since twenty of the paper's would take hours; what they find is noise either way.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from benchmarks.common import ROOT, Measured, run
from tests.support.simulated import auc_of, changed, told
from tshdb.study import Study

TSHDB = (sys.executable, "-m", "cli.main")
STRONGS = 3
NULLS = 20
STRONG_COUNTS = "pair=112,tumor=60,radiogenomic=91,ispy1=180,nact=61"
NULL_COUNTS = "pair=60,tumor=6,radiogenomic=60,ispy1=120,nact=61"
STRONG = ("rna=10", "texture=8", "survival=1")
SEARCH = {"population = 100": "population = 50", "generations = 100": "generations = 40"}
SMALL_SEARCH = {
    "population = 100": "population = 20", "generations = 100": "generations = 12", "n_trees = 100": "n_trees = 25",
    "final_trees = 500": "final_trees = 100", "outer_folds = 10           #": "outer_folds = 5            #",
}  # fmt: skip


def measure(scratch: Path) -> Iterator[Measured]:
    nested, best, largest = [], [], []
    for seed in range(1, STRONGS + 1):
        folder = scratch / "strong"
        study = _built(folder, seed, STRONG_COUNTS, STRONG, SEARCH)
        nested.append(auc_of(study)["nested"])
        best.append(_auc_of_truth(study, folder / "sim" / "truth.json"))
        largest.append(max(_p_values(study).values()))
        shutil.rmtree(folder)
    each = ", ".join(f"{auc:.3f} of {truth:.3f}" for auc, truth in zip(nested, best, strict=True))
    yield Measured(
        f"strong effect: mean nested AUC ({each} that the planted z itself has)", float(np.mean(nested)), "",
        goal="above .9", is_met=bool(np.mean(nested) > 0.9),
    )  # fmt: skip
    yield Measured(
        "strong effect: largest p of the log-rank tests of scores", max(largest), "", goal="below .05",
        is_met=max(largest) < 0.05,
    )  # fmt: skip
    nested, search, found = [], [], []
    for seed in range(1, NULLS + 1):
        study = _built(scratch / "none", seed, NULL_COUNTS, ("none",), SMALL_SEARCH)
        auc, p = auc_of(study), _p_values(study)
        nested.append(auc["nested"])
        search.append(auc["search"])
        found += [value for (_, endpoint), value in p.items() if endpoint != "OS"]
        shutil.rmtree(scratch / "none")
    error = np.std(nested, ddof=1) / np.sqrt(NULLS)
    yield Measured(
        f"no effect, {NULLS} studies: mean nested AUC (SE {error:.3f})", float(np.mean(nested)), "",
        goal="within 3 SE of .5", is_met=bool(abs(np.mean(nested) - 0.5) < 3 * error),
    )  # fmt: skip
    yield Measured(
        f"no effect: mean AUC on the search's own folds ({min(search):.3f} to {max(search):.3f})", float(np.mean(search)), "",
        goal="above .6", is_met=bool(np.mean(search) > 0.6),
    )  # fmt: skip
    yield from _uniform(found)


def _uniform(p: list[float]) -> Iterator[Measured]:
    from scipy.stats import kstest

    ks = kstest(p, "uniform").pvalue
    yield Measured(f"no effect: {len(p)} p values, share below .05", float(np.mean(np.array(p) < 0.05)), "")
    yield Measured(
        "no effect: p of Kolmogorov-Smirnov against uniform", float(ks), "", goal="above .01", is_met=bool(ks > 0.01)
    )


def _built(folder: Path, seed: int, counts: str, effects: tuple[str, ...], search: Mapping[str, str]) -> Study:
    """A simulated study with everything computed."""
    folder.mkdir()
    simulated, root = folder / "sim", folder / "study"

    def tshdb(*arguments: object, cwd: Path = root) -> None:
        run([*TSHDB, *map(str, arguments)], cwd, {"PYTHONPATH": str(ROOT)})

    planted = [part for effect in effects for part in ("--effect", effect)]
    tshdb(
        "simulate", simulated, "--cohorts", counts, "--no-images", "--genes", 300, "--seed", seed, *planted, cwd=folder
    )
    tshdb("init", root, "--preset", "fan2023", cwd=folder)
    settings = root / "study.toml"
    settings.write_text(
        changed(settings.read_text(), ('features = "computed"', 'features = "features"'), *search.items())
    )
    for command in told(simulated):
        if command != ["report"]:
            tshdb(*command)
    return Study(root)


def _auc_of_truth(study: Study, truth: Path) -> float:
    """AUC of the planted z for the labels of the signature's training set: what a perfect signature would reach."""
    from sklearn.metrics import roc_auc_score

    z = {p["patient_id"]: p["z"] for p in json.loads(truth.read_text())["patients"]}
    rows = study.sql(
        "SELECT DISTINCT patient_id, label FROM signature_labels JOIN cohort_members USING (patient_id) "
        "WHERE cohort = 'radiogenomic_development' AND label IS NOT NULL"
    )
    return float(roc_auc_score(rows["label"] == "good", rows["patient_id"].map(z)))


def _p_values(study: Study) -> dict[tuple[str, str], float]:
    """(cohort, endpoint) -> p of the log-rank test between good and poor scores."""
    rows = study.sql(
        "SELECT cohort, endpoint, p_value FROM logrank_tests WHERE grouping = 'signature' AND p_value IS NOT NULL"
    )
    return {(r.cohort, r.endpoint): r.p_value for r in rows.itertuples()}
