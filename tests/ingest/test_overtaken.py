"""Two ingests of one source at a time: the one that comes second is told, and reverts nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support import tiny
from tests.support.program import ROOT
from tshdb import loading
from tshdb.actions import ingest
from tshdb.actions.ingest import Loading
from tshdb.errors import Busy
from tshdb.lock import study_lock
from tshdb.study import Study

MAP = '[patient_id]\ncolumn = "id"\n[patients.age_years]\ncolumn = "age"\n'


def table(folder: Path, **ages: int) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "map.toml").write_text(MAP)
    (folder / "table.csv").write_text("id,age\n" + "".join(f"{p},{age}\n" for p, age in ages.items()))
    return folder / "table.csv"


def load(study: Study, path: Path, **how: bool):
    return ingest.clinical(study, path, "mine", map=path.parent / "map.toml", how=Loading(**how))


def ages(study: Study) -> dict[str, float]:
    rows = study.sql("SELECT patient_id, age_years FROM patients")
    return dict(zip(rows["patient_id"], rows["age_years"], strict=True))


@pytest.fixture
def opened(any_database, tmp_path):
    study = tiny.new_study(tmp_path / "study", any_database)
    load(study, table(tmp_path / "first", PATIENT_A=50, PATIENT_B=60))
    yield study
    study.engine.dispose()


def between(monkeypatch, act) -> None:
    """Do something once, after an ingest has read its file and before it holds the study."""
    true_load = loading.load

    def held(*words, **options):
        monkeypatch.setattr(loading, "load", true_load)
        other = threading.Thread(target=act)
        other.start()
        other.join()
        return true_load(*words, **options)

    monkeypatch.setattr(loading, "load", held)


def test_a_correction_that_came_meanwhile_is_not_reverted(opened, tmp_path, monkeypatch):
    newer = table(tmp_path / "newer", PATIENT_A=52, PATIENT_B=60)
    between(monkeypatch, lambda: load(Study(opened.root), newer))
    with pytest.raises(Busy, match=r"mine/clinical/table\.csv: another ingest loaded this source while it was read"):
        load(opened, table(tmp_path / "older", PATIENT_A=51, PATIENT_B=60))
    assert ages(opened) == {"PATIENT_A": 52, "PATIENT_B": 60}
    load(opened, tmp_path / "older" / "table.csv")
    assert ages(opened)["PATIENT_A"] == 51, "who looked, and says it again, is believed"


def test_bytes_that_were_loaded_before_do_not_pass_for_what_stands(opened, tmp_path, monkeypatch):
    newer = table(tmp_path / "newer", PATIENT_A=52, PATIENT_B=60)
    between(monkeypatch, lambda: load(Study(opened.root), newer))
    with pytest.raises(Busy):
        load(opened, tmp_path / "first" / "table.csv")


def test_a_source_that_came_meanwhile_is_not_gone(opened, tmp_path, monkeypatch):
    other = table(tmp_path / "other", PATIENT_C=70).rename(tmp_path / "other" / "c.csv")
    between(monkeypatch, lambda: load(Study(opened.root), other))
    load(opened, table(tmp_path / "newer", PATIENT_A=51, PATIENT_B=60), complete=True)
    assert ages(opened) == {"PATIENT_A": 51, "PATIENT_B": 60, "PATIENT_C": 70}


def test_other_sources_and_the_same_bytes_are_no_matter(opened, tmp_path, monkeypatch):
    newer = table(tmp_path / "newer", PATIENT_A=52, PATIENT_B=60)
    other = table(tmp_path / "other", PATIENT_C=70).rename(tmp_path / "other" / "c.csv")
    between(monkeypatch, lambda: load(Study(opened.root), other))
    load(opened, newer)
    between(monkeypatch, lambda: load(Study(opened.root), newer))
    load(opened, newer)
    assert ages(opened) == {"PATIENT_A": 52, "PATIENT_B": 60, "PATIENT_C": 70}


def _is_at_lock(process: subprocess.Popen) -> bool:
    """Whether the process has read its file, and waits for the study."""
    for each in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # it is closed by now
            if os.readlink(each).endswith(".tshdb.lock"):
                return True
    return False


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="what a process has open is not shown here")
def test_of_two_processes_one_is_told(empty_study, tmp_path):
    load(empty_study, table(tmp_path / "first", PATIENT_A=50))
    processes, said = [], {}
    with study_lock(empty_study.engine, empty_study.root):
        for age in (51, 52):
            path = table(tmp_path / f"of {age}", PATIENT_A=age)
            words = ["ingest", "clinical", path, "--collection", "mine", "--map", path.parent / "map.toml"]
            process = subprocess.Popen(
                [sys.executable, "-m", "cli.main", *words], cwd=empty_study.root, stderr=subprocess.PIPE, text=True,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )  # fmt: skip
            processes.append((age, process))
            while not _is_at_lock(process):
                assert process.poll() is None, process.communicate()
                time.sleep(0.02)
    for age, process in processes:
        said[age] = (process.communicate(timeout=60)[1], process.returncode)
    assert sorted(code for _, code in said.values()) == [0, 4]
    (told,) = [text for text, code in said.values() if code == 4]
    assert "another ingest loaded this source" in told and "Traceback" not in told
    assert ages(empty_study) == {"PATIENT_A": next(age for age, (_, code) in said.items() if code == 0)}


@pytest.mark.parametrize("where", ["in the table that is complete", "in another table of the collection"])
def test_a_patient_who_is_gone_takes_the_values_along(opened, tmp_path, where):
    if where.startswith("in another"):
        load(opened, table(tmp_path / "other", PATIENT_C=70).rename(tmp_path / "other" / "c.csv"))
    load(opened, table(tmp_path / "newer", PATIENT_A=51), complete=True)
    stay = {
        "PATIENT_A": 51,
        **({"PATIENT_C": 70} if where.startswith("in another") else {}),
    }  # other sources are as before
    assert ages(opened) == stay
    assert set(opened.sql("SELECT patient_id FROM clinical_values")["patient_id"]) == set(stay)
    left = opened.sql("SELECT key FROM units WHERE analysis = 'ingest.clinical_values' AND state = 'current'")
    assert set(left["key"]) == set(stay)
