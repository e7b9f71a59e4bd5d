"""`tshdb manuscript` (docs/manuscript.md): a folder of all tables and figures, whole or not at all; what is missing and why."""

from __future__ import annotations

import json
import re
import sqlite3

import pytest

from tests.support import tiny
from tests.support.program import run_quick
from tshdb.errors import InvalidInput, NotFound
from tshdb.figures import Drawing
from tshdb.manuscript import manuscript
from tshdb.methods import methods
from tshdb.tables import table
from tshdb.withdrawal.identifiers import identifiers
from tshdb.withdrawal.written_outside import written_outside
from tshdb.written_files import Holds, note_written, noted

WHO = "TCGA-TN-0003"
FROZEN = f"{tiny.COHORT}@1"


def _named(study, who: str = WHO) -> list:
    from tshdb.database import reading
    from tshdb.withdrawal import footprint

    with reading(study.engine) as connection:
        names = identifiers(connection, who)
        cohorts = [f"{c}@{v}" for c, v in footprint.cohorts_of(connection, names)]
        return written_outside(connection, names, cohorts)


def test_what_is_written_outside_is_named_by_a_withdrawal(core, tmp_path):
    out = tmp_path / "out"
    run_quick("table", "2", "--out", out / "t.csv", cwd=core.root)
    run_quick("table", "2", "--out", out / "t.csv", cwd=core.root)  # the same content: one row
    run_quick("figure", "flow", "--out", core.root / "figures/flow.svg", cwd=core.root)  # inside: not noted
    for name, holds in (
        ("hers.png", Holds(core.root, "picture", "of an examination", True, None, WHO)),
        ("his.png", Holds(core.root, "picture", "of an examination", True, None, "TCGA-TN-0004")),
        ("other.csv", Holds(core.root, "table", "1", False, ["another@1"])),
        ("q.csv", Holds(core.root, "query", "query", None)),
    ):
        (out / name).write_text("written")
        assert note_written(holds, out / name) is None
    (out / "hers.png").unlink()
    assert len(noted(core)) == 5
    found = {w.path.rpartition("/")[2]: w for w in _named(core)}
    assert set(found) == {"t.csv", "hers.png", "q.csv"}
    assert found["t.csv"].holds == "numbers that were computed with hers" and found["t.csv"].state == "not looked into"
    assert found["hers.png"].state == "no longer at its place" and found["q.csv"].holds.startswith("may hold")
    said = run_quick("withdraw", WHO, "--preview", cwd=core.root).stdout
    assert "t.csv: table 2, numbers that were computed with hers; was written at 20" in said and "his.png" not in said
    run_quick("withdraw", WHO, "--reason", "consent", cwd=core.root, code=None)
    (certificate,) = core.root.glob("withdrawals/*.json")
    written = json.loads(certificate.read_text())["written_outside_the_study"]
    assert [w["what"] for w in written] == ["table 2", "picture of an examination", "query"]
    assert WHO not in certificate.read_text() and not [row for row in noted(core) if row["patient_id"] == WHO]


def test_a_study_that_cannot_be_written_says_so(core, tmp_path):
    made = table(core, "2")
    with sqlite3.connect(core.root / "study.db") as database:
        database.execute("DROP TABLE written_files")
    database.close()
    assert made.save(tmp_path / "t.csv").startswith("It is not noted in the study")
    assert (tmp_path / "t.csv").is_file()


def test_every_number_of_the_methods_is_the_study_s(core):
    made = methods(core)
    database = sqlite3.connect(core.root / "study.db")
    for number in made.numbers:
        rows = database.execute(number.sql, number.values).fetchall()
        values = [json.loads(row[0])[number.key] for row in rows] if number.key else [rows[0][0]]
        assert any(_same(value, number) for value in values), number
    database.close()
    text = " ".join(s.text for s in made.sentences)
    known = {digits for n in made.numbers for digits in re.findall(r"\d+", n.shown)}
    for paragraph in made.paragraphs:
        if paragraph.heading in ("Cell populations", "Survival", "Patients", "Data"):
            words = " ".join(s.text for s in paragraph.sentences).replace("log2", "").replace(FROZEN, "")
            assert set(re.findall(r"(?<![\w@])\d+(?!\w)", words)) <= known, paragraph.heading
    assert "Cohort tumor stroma" in text or tiny.COHORT in text
    assert all(r.doi is None or re.fullmatch(r"10\.\d{4,9}/\S+", r.doi) for r in made.references)


def _same(value, number) -> bool:
    shown = number.shown.replace(",", "").replace(" ", "")
    if isinstance(value, int | float) and not isinstance(value, bool):
        factor = 100 if number.how == "%" else 1 / 365.25 if shown.endswith("years") else 1
        return float(re.match(r"-?[\d.e+-]+", shown)[0]) == pytest.approx(value * factor)
    return True


def test_the_methods_tell_only_of_what_ran(core):
    text = " ".join(s.text for s in methods(core).sentences)
    assert "random forest" not in text and "Not done here" in text
    assert run_quick("methods", "--format", "docx", cwd=core.root, code=2).stderr.strip().endswith("--out methods.docx")


def test_a_study_without_results_has_no_methods(empty_study):
    with pytest.raises(NotFound, match="nothing was computed yet.*Nothing was ingested yet"):
        methods(empty_study)


def test_a_manuscript_is_whole_or_not_there(core, tmp_path, monkeypatch):
    folder = tmp_path / "paper"
    monkeypatch.setattr("tshdb.manuscript.files.installed.figures", lambda: {})
    monkeypatch.setattr("tshdb.manuscript.files.TABLES", {"2": _table_of("2"), "s6": _table_of("s6")})
    done = manuscript(core, folder)
    names = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert {
        "tables/table-2.docx",
        "tables/table-2.tex",
        "tables/table-2.csv",
        "methods.docx",
        "README.md",
        "MISSING.md",
    } <= names
    assert "Table s6" in (folder / "MISSING.md").read_text() and [m.what.partition(",")[0] for m in done.missing] == [
        "Table s6"
    ]
    before = {n: (folder / n).read_bytes() for n in names}
    (folder / "mine.txt").write_text("kept")
    manuscript(core, folder)
    assert {n: (folder / n).read_bytes() for n in names} == before and (folder / "mine.txt").read_text() == "kept"
    assert [row["kind"] for row in noted(core)] == ["manuscript"]
    assert not list(tmp_path.glob(".paper*"))
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").write_text("x")
    with pytest.raises(InvalidInput, match="is not empty, and no manuscript of this program"):
        manuscript(core, other)
    assert [p.name for p in other.iterdir()] == ["thesis.tex"]


def _table_of(number: str):
    from tshdb.tables import TABLES

    return TABLES[number]


def test_a_drawing_says_of_whom_it_is(study):
    from tshdb.figures import figure

    drawn: Drawing = figure(study, "km")
    assert drawn.holds.cohorts == {FROZEN} and drawn.holds.of_patients is False
