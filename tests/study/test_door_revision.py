"""Revision 0014: counts that stood get their library size, and fall due; all else stays as it is."""

from __future__ import annotations

import importlib
import math

import migrations
from analyses import ANALYSES
from tests.support.program import run_quick
from tests.support.tiny import due, rebuild
from tshdb.engine.world import World
from tshdb.study import Study

REVISION = importlib.import_module("migrations.versions.0014_tables_at_the_door")
SAMPLES = [f"TCGA-Z1-Q00{i}-{v}" for i in (1, 2) for v in ("01A", "11A")]


def matrix(folder, name, values):
    path = folder / name
    genes = ["CD8B", "CD3D", "GNLY", "VWF", "TP53"]
    rows = ["\t".join([g, *(str(v * (i + 1)) for v in values)]) for i, g in enumerate(genes)]
    path.write_text("\n".join(["\t".join(["gene", *SAMPLES]), *rows]) + "\n")
    return path


def before(quick, folder, unit) -> Study:
    """A study with a matrix of that unit, its results current, brought back to the revision before."""
    run_quick("init", folder, "--preset", "none")
    path = matrix(folder, f"{unit}.tsv", [1, 2, 10, 40])
    quick("ingest", "rna", path, "--collection", "mine", "--unit", unit, "--scale", "linear", "--study", folder)
    study = Study(folder)
    rebuild(study)
    migrations.downgrade(study.engine, "0013")
    study.engine.dispose()
    return study


def test_counts_get_their_library_size_from_where_the_values_lie(quick, tmp_path):
    study = before(quick, tmp_path / "study", "counts")
    run_quick("migrate", cwd=study.root)
    study = Study(study.root)
    sizes = study.sql("SELECT aliquot_id, library_size FROM expression_profiles ORDER BY 1")
    assert list(sizes["library_size"]) == [15.0, 30.0, 150.0, 600.0], "1 + 2 + 3 + 4 + 5 times each sample's number"
    assert due(study)["cell_abundances"], "they were made of counts as they are"
    rebuild(study)
    row = study.sql("SELECT DISTINCT abundance AS a, transform FROM cell_abundances WHERE population = 'CD8 T cells'")
    assert set(row["transform"]) == {"log2(CPM + 1)"} and abs(row["a"] - math.log2(1e6 / 15 + 1)).max() < 1e-12, (
        "by hand"
    )


def test_other_results_are_not_due(quick, tmp_path):
    study = before(quick, tmp_path / "study", "tpm")
    run_quick("migrate", cwd=study.root)
    assert due(Study(study.root)) == {}
    assert run_quick("check", cwd=study.root, code=None).returncode == 0


def test_the_revision_knows_todays_code(empty_study):
    """Who changes one of these analyses so that no value changes, writes its code here; else in a revision of its own."""
    world = World(ANALYSES, empty_study.settings)
    assert {name: now for name, (_, now) in REVISION.CODE.items()} == {n: world.spec(n).equal[0] for n in REVISION.CODE}
