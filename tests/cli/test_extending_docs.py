"""The blocks of docs/extending.md run in their order, by a shell, as somebody with the wheel runs them; pip is a stand-in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.program import ROOT

WHOLE = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
HAS_R = shutil.which("Rscript") is not None
PAGE = WHOLE if HAS_R else re.sub(r"<!-- needs Rscript -->.*?<!-- needs nothing more -->", "", WHOLE, flags=re.S)
BLOCK = re.compile(r"(?:`([\w./-]+)`(, added)?:\n\n)?```(\w+)\n(.*?)```", re.S)
MOST_LINES = 40  # of a guest
PIP = """import sys
from pathlib import Path
from tests.support.installing import install, uninstall
site = Path(sys.argv[1])
install(Path(sys.argv[3]), site) if sys.argv[2] == "install" else uninstall(sys.argv[-1], site)
"""

pytestmark = pytest.mark.xdist_group("extending")


@pytest.fixture(scope="module")
def said(tmp_path_factory) -> dict[str, str]:
    """command of the page -> what it said, after all blocks were run. Commands that stand twice are numbered: `tshdb plan 2`."""
    home = tmp_path_factory.mktemp("extending")
    folders = {name: home / name for name in ("bin", "site", "account", "work")}
    for folder in folders.values():
        folder.mkdir()
    (home / "pip.py").write_text(PIP)
    for name, runs in (
        ("tshdb", "-c 'from tshdb.start import main; main()'"), ("python", ""), ("pip", f"{home}/pip.py {folders['site']}"),
    ):  # fmt: skip
        script = folders["bin"] / name
        script.write_text(f'#!/bin/sh\nexec {sys.executable} {runs} "$@"\n')
        script.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{folders['bin']}:{os.environ['PATH']}", "PYTHONPATH": f"{ROOT}:{folders['site']}",
        "TSHDB_HOME": str(folders["account"]),
    }  # fmt: skip
    here, answers = folders["work"], {}
    for place, added, kind, text in BLOCK.findall(PAGE):
        if kind == "text" and not place:  # for an installation that is not here
            continue
        if kind == "sh":
            for line in text.splitlines():
                done = subprocess.run(
                    ["bash", "-ec", f"{line}\npwd > {home}/here"], cwd=here, env=environment, capture_output=True, text=True,
                    check=False,
                )  # fmt: skip
                assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
                here = Path((home / "here").read_text().strip())
                n = sum(key.split(" #")[0] == line for key in answers)
                answers[f"{line} #{n + 1}" if n else line] = done.stdout + done.stderr
        else:
            path = here / place
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a" if added else "x", encoding="utf-8") as file:
                file.write(f"\n{text}" if added else text)
    return answers


def one(said: dict[str, str], begins: str) -> str:
    (answer,) = [text for command, text in said.items() if command.startswith(begins)]
    return answer


def test_the_analysis_that_new_writes_works_at_once(said):
    """The second column is the patient, the fourth her age in years:

    zcat clinical.tsv.gz | awk -F'\\t' 'NR>1 && !s[$2]++ {n[$4>50]++} END {print n[0], n[1]}'     41 69
    """
    assert re.search(r"older_patients +110", said["tshdb plan"])
    assert "110 computed" in said["tshdb rebuild"]
    assert "Everything holds" in said["tshdb check"]
    counts = one(said, 'tshdb sql "SELECT is_older')
    assert re.search(r"False +41\n +True +69", counts), counts


def test_a_parameter_makes_its_results_due_and_is_named(said):
    assert "limit_years" in said["tshdb plan #2"] and "50" in said["tshdb plan #2"] and "65" in said["tshdb plan #2"]
    assert "110 computed" in said["tshdb rebuild #2"]
    assert "limit_years" in said["tshdb why older_patients/TCGA-A7-A0CE"]


def test_a_number_of_a_cohort_rests_on_own_results(said):
    """65 years are the limit by then; the ages of the 110, all of whom have an outcome.

    zcat clinical.tsv.gz | awk -F'\\t' 'NR>1 && !s[$2]++ {n[$4>65]++} END {print n[1] / (n[0] + n[1])}'
    """
    assert re.search(r"followed +0\.264 +110", one(said, 'tshdb sql "SELECT cohort, round'))


def test_an_input_is_named_by_a_parameter(said):
    assert "Stage IIA" in one(said, 'tshdb sql "SELECT label')


def test_a_guest_stands_in_the_place_of_one_of_ours(said):
    """The mean over the populations of centred abundances is 0."""
    assert "computed" in said["tshdb rebuild centred_abundances"]
    assert re.search(r"centred_abundances +analyses/ +here +tumor_abundances +110", said["tshdb guests list"])
    means = [float(x) for x in re.findall(r"(-?\d+\.\d+)$", one(said, 'tshdb sql "SELECT population'), re.M)]
    assert min(means) < 0


@pytest.mark.skipif(not HAS_R, reason="Rscript is not installed")
def test_a_program_in_r_is_computed(said):
    """A row a pair; the example's 110 patients have one each."""
    assert "110 computed" in said["tshdb rebuild lab_spread"]
    assert re.search(r"^ +110 +10$", one(said, 'tshdb sql "SELECT count(*) AS n, min'), re.M)


def test_a_package_brings_analysis_reader_preset_and_figure(said):
    assert re.search(r"lab-receptors +lab-guests 1.0", said["tshdb ingest readers"])
    assert "1 cohort files" in said["tshdb init received --preset lab"]
    assert "no size classes. Run: tshdb rebuild size_classes" in said["tshdb figure size-classes || true"]
    rows = one(said, 'tshdb sql "SELECT patient_id, er_status, size_class')
    assert re.findall(r"LAB-000(\d) +(\w+) +(T\d)", rows) == [
        ("1", "negative", "T1"), ("2", "positive", "T2"), ("3", "positive", "T3"),
    ]  # fmt: skip
    assert "figures/size-classes.svg" in said["tshdb figure size-classes"]
    assert "Patients by the size of the tumour" in said["tshdb figure --list"]
    assert "Everything holds" in said["tshdb check #2"]


def test_without_the_package_nothing_is_silently_missing(said):
    assert re.search(r"^ +3$", one(said, 'tshdb sql "SELECT count(*) AS n FROM lab'), re.M)
    assert "not here: size_classes (of lab-guests 1.0): 3 results stand as they are" in said["tshdb plan #3"]
    assert "guest.absent" in said["tshdb check #3"] and "reader lab-receptors: is not here" in said["tshdb check #3"]
    assert re.search(r"size_classes +lab-guests 1.0 +not here", said["tshdb guests list #2"])


def test_a_guest_is_short():
    analyses = [text for _, _, kind, text in BLOCK.findall(PAGE) if kind == "python" and "@analysis" in text]
    assert len(analyses) == 4
    assert all(len(text.splitlines()) <= MOST_LINES for text in analyses)


def test_every_block_but_commands_says_where_it_belongs():
    assert all(place for place, _, kind, _ in BLOCK.findall(PAGE) if kind not in ("sh", "text"))
