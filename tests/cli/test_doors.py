"""Commands and Python lead to the same study: the same rows, tables, figures and report, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

import tshdb
from tests.support import tiny
from tests.support.program import run_quick

FIGURES = ("km", "compartments", "flow")
ANALYSES = ("univariable_cox", "km_curves", "compartment_tests")  # with all that they rest on


def _by_commands(folder: Path, matrix: Path, clinical: Path) -> dict[str, bytes]:
    run_quick("init", folder)
    tiny.make_small(folder, live=False)

    def run(*arguments: object) -> str:
        return run_quick(*arguments, "--study", folder).stdout

    run("ingest", "clinical", clinical, "--collection", "tcga-tn")
    run("ingest", "rna", matrix, "--collection", "tcga-tn", "--unit", "rsem", "--scale", "linear")
    run("cohort", "define", tiny.COHORT, folder / f"cohorts/{tiny.COHORT}.sql")
    run("cohort", "freeze", tiny.COHORT)
    run("rebuild", *ANALYSES)
    for name in FIGURES:
        run("figure", name, "--out", folder / f"{name}.svg")
    run("report", "--out", folder / "report.html")
    files = {name: (folder / name).read_bytes() for name in (*(f"{n}.svg" for n in FIGURES), "report.html")}
    return files | {"table 2": json.dumps(json.loads(run("table", "2", "--json"))).encode()}


def _by_python(folder: Path, matrix: Path, clinical: Path) -> dict[str, bytes]:
    tshdb.make(folder)
    tiny.make_small(folder, live=False)
    study = tshdb.open(folder)
    study.ingest(clinical, "tcga-tn")
    study.ingest(matrix, "tcga-tn", unit="rsem", scale="linear")
    study.define(tiny.COHORT, (folder / f"cohorts/{tiny.COHORT}.sql").read_text())
    study.freeze(tiny.COHORT)
    study.rebuild(*ANALYSES)
    files = {f"{name}.svg": study.figure(name).data for name in FIGURES}
    files["report.html"] = study.report().html.encode()
    assert isinstance(study.table("2").frame, pd.DataFrame)
    return files | {"table 2": json.dumps(study.table("2").facts, default=str).encode()}


def test_commands_and_python_make_the_same_study(tmp_path):
    archive = tiny.TinyArchive.make(10)
    matrix, clinical = archive.write(tmp_path / "raw")
    made = {}
    for name, way in (("commands", _by_commands), ("python", _by_python)):
        folder = tmp_path / name / "study"  # of one name, which the report bears
        folder.parent.mkdir()
        made[name] = way(folder, matrix, clinical), tiny.dump(tshdb.open(folder))
    (files, rows), (their_files, their_rows) = made["commands"], made["python"]
    assert rows == their_rows and sum(map(len, rows.values())) > 100
    assert files.keys() == their_files.keys()
    assert [name for name in files if files[name] != their_files[name]] == []
