"""Every command that prints data or a list prints it as JSON, too; those that do not stand here, with the reason."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from cli.described import walk
from cli.main import app
from tests.support import tiny

PATH = "prints the path of the file that it writes, alone on its line"
TALK = "does one thing and says so on stderr; its facts: "
WITHOUT = {
    "init": TALK + "tshdb status --json",
    "browse": "serves pages until it is stopped",
    "demo": "tells a story; the study that it makes answers to every command",
    "cohort define": TALK + "tshdb cohort show --json",
    "cohort freeze": TALK + "tshdb cohort list --json",
    "cohort export": "writes its data to a file, which may be .json",
    "qc show": PATH,
    "qc regions": PATH,
    "qc geometry": PATH,
    "qc page": PATH,
    "guests drop": TALK + "tshdb guests list --json",
    "new analysis": "writes a file and prints what to do next",
    "variants drop": TALK + "tshdb variants list --json",
}


COHORT, MODEL = f"{tiny.COHORT}@1", f"cutoff/{tiny.COHORT}@1"
RUNS = {  # command -> how it is run on a small study; {new}: a folder that is not there
    "status": "", "migrate": "--dry-run", "trust": "--list", "plan": "", "rebuild": "cutoff", "why": f"univariable_cox/{COHORT}",
    "lineage": "tsh_ratios TCGA-TN-0001", "drift": "cutoff", "diff": "0 1", "history": "", "sql": "'FROM cox_terms'",
    "schema": "patients", "table": "1", "methods": "", "manuscript": "{new}", "figure": "--list", "report": "--out {new}.html",
    "withdraw": "TCGA-TN-0001 --preview", "check": "--fast", "backup": "{new}", "backups": "{kept}", "restore": "{kept} {new}",
    "gc": "--dry-run", "verify": f"{MODEL}", "doctor": "", "checklist": "remark", "docs": "", "ingest readers": "",
    "simulate": "{new} --patients 1 --no-images --genes 120 --jobs 1", "cohort list": "", "cohort show": COHORT,
    "ingest clinical": "raw/clinical.tsv --collection tcga-tn", "ingest rna": "raw/expression.csv --collection tcga-tn "
    "--unit rsem --scale linear --name expression.csv", "ingest features": "raw/features.csv --collection tcga-tn",
    "cohort flow": COHORT, "cohort members": COHORT, "cohort diff": f"{COHORT} {COHORT}", "model list": "", "model show": MODEL,
    "model diff": f"{MODEL} {MODEL}", "model leakage": f"{MODEL} --cohort {COHORT}", "export study": "{new}.zip",
    "explain": "7", "export list": "", "export csv": "{new}", "export parquet": "{new}", "export anndata": "{new}",
    "export mudata": "{new}", "export cbioportal": "{new}", "export rocrate": "{new}",
    "guests list": "", "truth list": "", "truth check": "", "variants list": "", "paper check": "",
}  # fmt: skip
ELSEWHERE = {  # command -> the tests that read its JSON, on files and results that a small study has not
    "move": "study/test_moving.py", "multiverse": "study/test_multiverse.py", "export networks": "analyses/test_networks.py",
    "import study": "study/test_bundle.py", "qc import": "imaging/test_qc.py", "truth add": "study/test_truths.py",
    "variants show": "study/test_variants.py", "variants diff": "study/test_variants.py",
    "variants adopt": "study/test_variants.py", "export nifti": "imaging/test_export_images.py",
    "export dicom-seg": "imaging/test_export_images.py",
}  # fmt: skip


def commands() -> Iterator[tuple[str, Any]]:
    """Every command that does something, by its words."""
    for path, command in walk(typer.main.get_command(app), "tshdb"):
        yield path.removeprefix("tshdb "), command


def test_every_command_has_json_or_a_reason():
    without = {name for name, c in commands() if not any("--json" in p.opts for p in c.params)}
    assert without == set(WITHOUT)


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (("docs",), "page"),
        (("figure", "--list"), "figure"),
        (("variants", "list"), None),
        (("cohort", "list"), "cohort"),
    ],
)
def test_lists_are_json(quick, core, words, first):
    rows = json.loads(quick(*words, "--json", cwd=core.root).stdout)
    assert isinstance(rows, list) and (first is None or all(first in row for row in rows) and rows)


def test_a_page_and_a_figure_are_json(quick, core):
    said = json.loads(quick("docs", "variants", "--json", cwd=core.root).stdout)
    assert said["page"] == "variants" and said["text"].startswith("# Variants")
    drawn = json.loads(quick("figure", "flow", "--json", cwd=core.root).stdout)
    assert drawn["path"].endswith("flow.svg") and drawn["how_to_read"]


def test_a_command_that_shows_no_variant_says_which_do(quick, core):
    for command in ("status", "check"):
        assert "report, lineage" in quick(command, "--variant", "median", cwd=core.root, code=2).stderr


def answering() -> set[str]:
    """The commands that have --json, but for those that read whole folders or formats of images, which are tried with these."""
    found = {name for name, c in commands() if any("--json" in p.opts for p in c.params)}
    return {n for n in found if not n.startswith("ingest ") or n in RUNS}


def test_every_command_that_answers_in_json_is_run():
    assert answering() == RUNS.keys() | ELSEWHERE.keys()


@pytest.mark.parametrize("name", RUNS)
def test_a_command_answers_in_json_alone(quick, core, tmp_path, name):
    """One value of JSON is all that stdout has, and no number in it is one that JSON has not."""
    places = {"new": str(tmp_path / "new"), "kept": str(tmp_path / "kept")}
    if "{kept}" in RUNS[name]:
        quick("backup", places["kept"], cwd=core.root)
    words = [*name.split(), *shlex.split(RUNS[name].format(**places)), "--json"]
    done = quick(*words, cwd=core.root, code=None)
    value = json.loads(done.stdout, parse_constant=lambda sign: pytest.fail(f"{sign} is no JSON"))
    assert done.returncode in (0, 3) and "Traceback" not in done.stderr
    assert isinstance(value, dict | list) and not any(math.isinf(n) for n in numbers(value))


def numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from numbers(each)
    elif isinstance(value, float):
        yield value
