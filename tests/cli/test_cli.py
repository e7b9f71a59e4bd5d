"""The program as a newcomer meets it: every command, its words, its exit codes."""

from __future__ import annotations

import json
import shutil

import pytest

from analyses import ANALYSES
from tests.support import tiny
from tests.support.program import ROOT

COMMANDS = (
    (), ("init",), ("status",), ("migrate",), ("ingest",), ("ingest", "rna"), ("ingest", "clinical"),
    ("ingest", "follow-up"), ("cohort",), ("cohort", "define"), ("cohort", "freeze"), ("cohort", "list"), ("plan",),
    ("rebuild",), ("why",), ("sql",), ("table",), ("figure",), ("model",), ("model", "list"), ("model", "show"),
    ("model", "diff"), ("export",), ("export", "networks"), ("export", "list"), ("export", "parquet"),
    ("export", "csv"), ("export", "anndata"), ("export", "mudata"), ("export", "cbioportal"), ("export", "nifti"),
    ("export", "dicom-seg"), ("export", "rocrate"), ("export", "study"), ("import",), ("import", "study"),
    ("backup",), ("backups",), ("restore",), ("gc",), ("verify",), ("doctor",), ("demo",),
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(quick, command):
    text = quick(*command, "--help").stdout
    assert "Usage" in text
    if command and command not in (("ingest",), ("cohort",), ("model",), ("export",), ("import",)):
        assert "Example: tshdb" in text


def test_the_whole_way(tshdb, tmp_path):
    tshdb("init", "brca", cwd=tmp_path)
    folder = tmp_path / "brca"
    matrix, clinical = tiny.TinyArchive.make(8).write(tmp_path / "files")
    tshdb("ingest", "clinical", clinical, "--collection", "tn", cwd=folder)
    rna = ("ingest", "rna", matrix, "--collection", "tn", "--unit", "rsem", "--scale", "linear")
    assert "16 inserted" in tshdb(*rna, cwd=folder).stderr
    assert "the same bytes as before" in tshdb(*rna, cwd=folder).stderr
    assert "is not defined" in tshdb("plan", cwd=folder).stdout
    tshdb("cohort", "define", tiny.COHORT, f"cohorts/{tiny.COHORT}.sql", cwd=folder)
    assert "@1: 8 members" in tshdb("cohort", "freeze", tiny.COHORT, cwd=folder / "cohorts").stderr
    plan = json.loads(tshdb("plan", "--json", cwd=folder).stdout)
    due = {a["analysis"]: sum(a["reasons"].values()) for a in plan["analyses"]}
    per = {"profile": 16, "patient": 8, "cohort": 1, "imaging_study": 0, "region_map": 0, "examination": 0}
    of_groups = {"logrank_tests", "tsh_cox"}  # whose settings others of the expression half share
    imaging = {a.name for a in ANALYSES if a.base not in {None, *of_groups}} | {"feature_stability", "feature_tests"}
    imaging -= {"signature_labels"}  # whose settings are the signature's, and which needs no image
    assert due == {a.name: per[a.per] for a in ANALYSES} | dict.fromkeys(imaging, 0)  # their cohorts are not defined
    assert json.loads(tshdb("rebuild", "--json", cwd=folder).stdout)["computed"]["tsh_ratios"] == 8
    assert "Nothing is due" in tshdb("plan", cwd=folder).stdout
    status = json.loads(tshdb("status", "--json", cwd=folder).stdout)
    assert status["counts"]["patients"] == 8 and status["units"]["tsh_ratios"] == {"current": 8}
    assert json.loads(tshdb("cohort", "list", "--json", cwd=folder).stdout)[0]["n_members"] == 8
    csv = tshdb("sql", "SELECT count(*) AS n FROM expression", "--format", "csv", cwd=folder).stdout
    assert csv == f"n\n{16 * len(tiny.GENES)}\n"
    why = json.loads(tshdb("why", "tsh_ratios/TCGA-TN-0001", "--json", cwd=folder).stdout)
    assert why["state"] == "current"
    tshdb("sql", "SELECT * FROM tsh_ratios", "--format", "parquet", "--out", tmp_path / "r.parquet", cwd=folder)
    import pandas as pd

    assert len(pd.read_parquet(tmp_path / "r.parquet")) > 0


def test_a_file_with_bad_rows_loads_nothing_unless_told(quick, tmp_path):
    quick("init", "s", cwd=tmp_path)
    matrix, _ = tiny.TinyArchive.make(3).write(tmp_path / "files")
    text = matrix.read_text().splitlines()
    text[4] = text[4].replace(",", ",oops", 1)
    matrix.write_text("\n".join(text) + "\n")
    rna = ("ingest", "rna", matrix, "--collection", "tn", "--unit", "rsem", "--scale", "linear")
    refused = quick(*rna, cwd=tmp_path / "s", code=7)
    assert (
        "expression.csv:5 column TCGA-TN-0000-01A-11R-A000-07" in refused.stderr
        and "Nothing was loaded" in refused.stderr
    )
    issues = quick("sql", "SELECT path, line, column_name, value, rule FROM ingest_issues", "--format", "json",
                   cwd=tmp_path / "s").stdout  # fmt: skip
    (issue,) = json.loads(issues)
    assert issue["line"] == 5 and issue["rule"] == "rna.not-a-number" and issue["value"].startswith("oops")
    assert json.loads(quick("status", "--json", cwd=tmp_path / "s").stdout)["counts"]["profiles"] == 0
    quick(*rna, "--dry-run", "--keep-going", cwd=tmp_path / "s", code=3)
    assert json.loads(quick("status", "--json", cwd=tmp_path / "s").stdout)["counts"]["profiles"] == 0
    quick(*rna, "--keep-going", cwd=tmp_path / "s", code=3)
    assert json.loads(quick("status", "--json", cwd=tmp_path / "s").stdout)["counts"]["profiles"] == 6


def test_errors_are_one_line_with_place_and_repair(quick, tmp_path, study):
    cases = {
        ("status",): (8, "no study here"),
        ("plan", "--study", str(tmp_path / "none")): (8, "no study.toml there"),
        ("init", str(study.root)): (7, "a study is there already"),
        ("cohort", "freeze", "nobody", "--study", str(study.root)): (8, "no cohort 'nobody'"),
        ("rebuild", "nonsense", "--study", str(study.root)): (8, "no analysis 'nonsense'"),
        ("table", "99", "--study", str(study.root)): (2, "table 99"),
        ("sql", "--study", str(study.root)): (2, "no query"),
        ("ingest", "clinical", "none.tsv", "--collection", "c", "--study", str(study.root)): (8, "no such file"),
    }
    for command, (code, words) in cases.items():
        completed = quick(*command, cwd=tmp_path, code=code)
        assert words in completed.stderr and "Traceback" not in completed.stderr
        assert len(completed.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("absent_fraction = 0.8", "absent_fraction = 8", "study.toml:17: [gene_filter] absent_fraction"),
        ("min_coverage = 0.5", "min_covrage = 0.5", "[cell_abundances] min_covrage"),
        ("[tsh_ratios]", "[tsh_ratio]", "[tsh_ratio] is no analysis"),
        ('endpoint = "OS"', 'endpoint = "PFS"', "[univariable_cox] endpoint"),
        ("[study]", "[study", "not TOML"),
    ],
)
def test_settings_name_their_line(quick, study, old, new, words):
    settings = study.root / "study.toml"
    assert old in settings.read_text()
    settings.write_text(settings.read_text().replace(old, new, 1))
    completed = quick("plan", cwd=study.root, code=7)
    assert words in completed.stderr


def test_a_damaged_object_is_refused(quick, study, archive):
    part = next((study.root / "objects").rglob("*.parquet"))
    part.write_bytes(part.read_bytes()[:-1] + b"x")
    archive.set_value("TCGA-TN-0001", "tumor", "GNLY", 1.5)
    completed = quick("sql", "SELECT sum(value) FROM expression", cwd=study.root, code=5)
    assert "bytes have changed" in completed.stderr


def test_the_study_is_found_from_below_and_by_environment(tshdb, study, tmp_path):
    assert "10 patients" in tshdb("status", cwd=study.root / "objects").stdout
    assert "10 patients" in tshdb("status", cwd=tmp_path, TSHDB_STUDY=str(study.root)).stdout


def test_conflicting_sources_are_said(study):
    """clinical holds over follow-up, and the difference is a row of conflicts."""
    from ingest.gdc import clinical as gdc_clinical
    from tshdb import loading

    archive = tiny.TinyArchive.make(10)
    archive.change("TCGA-TN-0002", days=999)
    _, path = archive.write(study.root / "other")
    source = loading.Source("tcga-tn", "follow-up", "other.tsv")
    found = gdc_clinical.read(path, "tcga-tn", follow_up_only=True)
    loading.load(study, [loading.item_of(study, source, path, {}, lambda: found)], command="test")
    rows = study.sql("SELECT row_key, column_name, other_value, held_source FROM conflicts").to_dict("records")
    assert rows == [
        {"row_key": "TCGA-TN-0002|OS", "column_name": "duration_days", "other_value": "999.0",
         "held_source": "tcga-tn/clinical/clinical.tsv"},
    ]  # fmt: skip
    assert tiny.due(study) == {}


def test_the_wheel_makes_a_study(tmp_path):
    """The package data and the migrations are in the wheel: unpacked elsewhere, `tshdb init` works from it."""
    import subprocess
    import sys
    import zipfile

    source = tmp_path / "source"
    ignore = shutil.ignore_patterns(".venv", ".git", "build", "*.egg-info", "tests", "__pycache__", "demo-study")
    shutil.copytree(ROOT, source, ignore=ignore)
    build = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(tmp_path / "dist"),
        str(source),
    ]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "site")
    ran = subprocess.run(
        [sys.executable, "-m", "cli.main", "init", "study"],
        cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "site"), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "study" / "study.db").is_file() and list((tmp_path / "study" / "cohorts").glob("*.sql"))
