"""Good files load by the command that the dry run of their folder names, with no finding, and with their values."""

from __future__ import annotations

import shlex

import pytest

from tests.ingest.zoo.good_files import ALL, IDS
from tests.support import tiny


def test_they_are_thirty_of_fifteen_formats():
    assert len(ALL) >= 30 and len({good.format for good in ALL}) == len(ALL)


@pytest.fixture
def fresh(tmp_path):
    made = tiny.new_study(tmp_path / "study", analyses=tiny.CORE)
    yield made
    made.engine.dispose()


def run_as_told(quick, study, folder, good) -> None:
    """Do what the dry run of the folder says: nothing but the folder's own command, or the one that it names."""
    import json

    told = quick("ingest", folder, "--collection", good.collection, "--dry-run", "--json", cwd=study.root)
    (file,) = [f for f in json.loads(told.stdout)["files"] if f["files"] == [good.name]]
    if file["loads"]:
        quick("ingest", folder, "--collection", good.collection, cwd=study.root)
        return
    words = shlex.split(file["command"])[1:]
    if "--guess" in words:
        quick(*words, cwd=study.root)
        (map_,) = folder.glob("*.map.toml")
        quick(*(w for w in words if w != "--guess"), "--map", map_, cwd=study.root)
        return
    unit, scale, *more = good.says.split()
    filled = {"UNIT": unit, "SCALE": scale, "SHEET.csv": folder.parent / "sheet.csv"}
    quick(*(filled.get(w, w) for w in words), *more, cwd=study.root)


@pytest.mark.parametrize("good", ALL, ids=[good.format for good in ALL])
def test_a_good_file_has_no_finding_and_its_values(quick, fresh, tmp_path, good):
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / good.name).write_bytes(good.data)
    if good.names:
        rows = "".join(f"{name},{patient},tumor\n" for name, patient in zip(good.names, IDS, strict=True))
        (tmp_path / "sheet.csv").write_text("sample,patient_id,compartment\n" + rows)
    run_as_told(quick, fresh, folder, good)
    issues = fresh.sql("SELECT rule, message FROM ingest_issues")
    assert issues.values.tolist() == []
    assert fresh.sql(good.asks).iloc[0, 0] == pytest.approx(good.value, rel=1e-6)
    assert len(fresh.sql("SELECT patient_id FROM patients")) == 10
