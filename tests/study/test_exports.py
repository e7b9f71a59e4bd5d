"""Exports: whole or not there, read back equal, of the chosen patients alone, with a README, and noted."""

from __future__ import annotations

import csv
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import tshdb
from tests.support import guests, tiny
from tests.support.program import run_quick
from tshdb.actions import variants, withdrawing
from tshdb.errors import Busy, InvalidInput, NotFound, UsageError
from tshdb.exports.record import Export, File, Written
from tshdb.exports.tables import LEFT_OUT, tables
from tshdb.exports.writing import EXPORTS, export
from tshdb.study import Study
from tshdb.variants.settings import parsed
from tshdb.vocabulary import WithdrawalScope
from tshdb.written_files import noted

WHO = "TCGA-TN-0003"
FROZEN = f"{tiny.COHORT}@1"
TABLES = ("parquet", "csv")


def content(folder: Path) -> dict[str, bytes]:
    """path -> bytes of all files."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def rows_of(study: Study, table: str, columns: list[str]) -> list[tuple]:
    """As the database has them, without regard to order."""
    with closing(sqlite3.connect(study.sqlite_path)) as raw:
        return raw.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()


def typed(value, kind: str):
    """A value of SQLite as a program that reads files has it."""
    return bool(value) if kind == "true or false" and value is not None else value


def text_of(value) -> str | None:
    """A value as a cell of CSV; None is missing."""
    return None if value is None else str(value)


def cells(path: Path) -> list[list[str | None]]:
    """Rows of a CSV in which nothing is missing and "" is an empty text: the standard library cannot tell them apart."""
    import duckdb

    found = duckdb.connect().execute(
        "SELECT * FROM read_csv(?, header = true, all_varchar = true, allow_quoted_nulls = false, nullstr = '')",
        [str(path)],
    )
    return [[c[0] for c in found.description], *map(list, found.fetchall())]


@pytest.mark.parametrize("form", TABLES)
def test_tables_are_read_back_equal(study, tmp_path, form):
    from pyarrow import parquet

    done = export(study, form, tmp_path / "out")
    told = {f"{t.name}.{form}": t for t in tables(study)}
    assert len(done.written.files) > 50 and {f.name for f in done.written.files} <= told.keys()
    for file in done.written.files:
        table = told[file.name]
        names = [c.name for c in table.columns]
        stored = [
            tuple(typed(v, c.kind) for v, c in zip(row, table.columns, strict=True))
            for row in rows_of(study, table.name, names)
        ]
        assert file.n_rows == len(stored) > 0, file.name
        if form == "parquet":
            read = parquet.read_table(tmp_path / "out" / file.name)
            assert read.column_names == names
            found = [tuple(row.values()) for row in read.to_pylist()]
            assert sorted(map(repr, found)) == sorted(map(repr, stored)), file.name
        else:
            header, *found = cells(tmp_path / "out" / file.name)
            assert header == names
            wanted = [list(map(text_of, row)) for row in stored]
            assert sorted(map(repr, found)) == sorted(map(repr, wanted)), file.name
    empty = next(text for text in done.written.left_out if text.startswith("tables without such rows"))
    for name in sorted(set(told) - {f.name for f in done.written.files}):
        assert name.partition(".")[0] in empty and rows_of(study, told[name].name, ["count(*)"]) == [(0,)]


@pytest.mark.parametrize("form", TABLES)
def test_guests_tables_are_among_them(core, tmp_path, form):
    guests.put(core, "median_ratios")
    guests.made(core)
    opened = guests.fresh(core)
    done = export(opened, form, tmp_path / "out")
    (file,) = [f for f in done.written.files if f.name == f"xy_median_ratios.{form}"]
    stored = rows_of(core, "xy_median_ratios", [c.name for c in file.columns])
    assert file.one_row == "the median TSH ratio of one population over one cohort version" and file.n_rows == 6
    if form == "csv":
        assert sorted(map(str, cells(tmp_path / "out" / file.name)[1:])) == sorted(
            str(list(map(text_of, row))) for row in stored
        )
    opened.engine.dispose()


def test_every_table_is_exported_or_has_a_reason(core):
    from tshdb.schema import Base

    subjects = {m.__tablename__: m.__module__.rpartition(".")[2] for m in Base.declared}
    told = {t.name for t in tables(core)}
    assert told == {name for name, subject in subjects.items() if not {name, subject} & LEFT_OUT.keys()}
    assert LEFT_OUT.keys() <= {*subjects, *subjects.values()}


def test_a_cohort_is_its_members_and_its_results_alone(study, tmp_path):
    """Four patients who came after the version was frozen, and results of another cohort."""
    archive = tiny.TinyArchive.make(14)
    tiny.ingest(study, archive, images=False)
    export(Study(study.root), "csv", tmp_path / "all")
    done = export(Study(study.root), "csv", tmp_path / "some", cohort=FROZEN)
    assert (len(done.patients), done.cohort) == (10, FROZEN)
    for number in range(10, 14):
        later = f"TCGA-TN-{number:04d}".encode()
        assert any(later in data for data in content(tmp_path / "all").values())
        assert not [name for name, data in content(tmp_path / "some").items() if later in data]
    with (tmp_path / "some/cox_terms.csv").open() as file:
        assert {row["cohort"] for row in csv.DictReader(file)} == {FROZEN}
    with (tmp_path / "all/cox_terms.csv").open() as file:
        assert {row["cohort"] for row in csv.DictReader(file)} == {FROZEN, "everyone"}
    with (tmp_path / "some/cohort_versions.csv").open() as file:
        assert [row["cohort"] for row in csv.DictReader(file)] == [tiny.COHORT]


@pytest.mark.parametrize("record", EXPORTS, ids=lambda r: r.name)
def test_a_withdrawn_patient_is_in_no_export(record, study, tmp_path):
    _needed(record)
    before = tmp_path / "before"
    export(study, record.name, before)
    if record.of_patients:
        assert any(WHO.encode() in name.encode() + data for name, data in unpacked(before).items())
    withdrawing.withdraw(study, WHO, "consent", WithdrawalScope.KEEP)
    export(Study(study.root), record.name, tmp_path / "out")
    assert not [n for n, data in unpacked(tmp_path / "out").items() if WHO.encode() in n.encode() + data]


def test_a_patient_who_came_back_past_a_withdrawal_stays_out(core, tmp_path):
    """By the tokens of withdrawn patients, whatever the tables say."""
    with closing(sqlite3.connect(core.sqlite_path)) as raw:
        rows = raw.execute("SELECT * FROM patients WHERE patient_id = ?", [WHO]).fetchall()
    withdrawing.withdraw(core, WHO, "consent", WithdrawalScope.KEEP)
    with closing(sqlite3.connect(core.sqlite_path)) as raw:
        raw.execute(f"INSERT INTO patients VALUES ({', '.join('?' * len(rows[0]))})", rows[0])
        raw.commit()
    done = export(Study(core.root), "csv", tmp_path / "out")
    assert WHO not in done.patients and len(done.patients) == 9
    assert not [n for n, data in content(tmp_path / "out").items() if WHO.encode() in data]
    assert "1 patients whom the database should have lost" in (tmp_path / "out/README.md").read_text()


def test_a_patient_who_is_withdrawn_meanwhile_is_in_no_export(core, tmp_path, monkeypatch):
    def slow(job):
        (job.folder / "x").write_text(" ".join(job.chosen.patients))
        withdrawing.withdraw(Study(core.root), WHO, "consent", WithdrawalScope.KEEP)
        return Written([File("x", "a row")])

    monkeypatch.setattr("tshdb.exports.writing.EXPORTS", (Export("csv", "a", "b", "c", slow),))
    with pytest.raises(Busy, match="a patient was withdrawn while it was written"):
        export(core, "csv", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def _needed(record: Export) -> None:
    for module in record.needs:
        pytest.importorskip(module, reason=f"{module} is not installed")


def unpacked(folder: Path) -> dict[str, bytes]:
    """path -> bytes, of packed files what is in them."""
    import gzip

    found = content(folder)
    for name, data in found.items():
        if name.endswith(".gz"):
            found[name] = gzip.decompress(data)
        elif name.endswith((".h5ad", ".h5mu")):
            found[name] = _texts_of(folder / name)
    return found


def _texts_of(path: Path) -> bytes:
    """All names and texts of an HDF5 file."""
    import h5py

    texts: list[str] = []

    def look(name: str, thing) -> None:
        texts.append(name)
        if isinstance(thing, h5py.Dataset) and h5py.check_string_dtype(thing.dtype) is not None:
            values = thing.asstr()[()]
            texts.extend([values] if isinstance(values, str) else map(str, values.ravel()))

    with h5py.File(path) as file:
        file.visititems(look)
    return "\n".join(texts).encode()


@pytest.mark.parametrize("record", EXPORTS, ids=lambda r: r.name)
def test_an_export_is_the_same_bytes_again_from_a_command_and_from_python(record, study, tmp_path):
    _needed(record)
    said = run_quick("export", record.name, tmp_path / "a", "--json", cwd=study.root, code=None)
    facts = json.loads(said.stdout)
    assert facts["export"] == record.name and facts["files"] and said.returncode == (3 if facts["missing"] else 0)
    done = tshdb.open(study.root).export(record.name, tmp_path / "b")
    first, second = content(tmp_path / "a"), content(tmp_path / "b")
    assert first.keys() == second.keys() and [n for n in first if first[n] != second[n]] == []
    assert {f.name for f in done.written.files} <= first.keys() and "README.md" in first
    run_quick("export", record.name, tmp_path / "a", cwd=study.root, code=None)  # in the place of what it wrote before
    assert content(tmp_path / "a") == first
    readme = first["README.md"].decode()
    assert (
        f"study {study.name}" in readme and record.about in readme and "withdrawn patients are in no export" in readme
    )


@pytest.mark.parametrize("record", EXPORTS, ids=lambda r: r.name)
def test_what_is_exported_is_named_by_a_withdrawal(record, core, tmp_path, monkeypatch):
    def write(job):
        (job.folder / "x").write_text("x")
        return Written([File("x", "a row")])

    fake = Export(record.name, record.about, record.rows, record.one_row, write, of_patients=record.of_patients)
    monkeypatch.setattr("tshdb.exports.writing.EXPORTS", (fake,))
    done = export(core, record.name, tmp_path / "out")
    assert done.unnoted is None
    (row,) = noted(core)
    assert (row["kind"], row["name"], row["path"]) == ("export", record.name, str(tmp_path / "out"))
    said = run_quick("withdraw", WHO, "--preview", cwd=core.root).stdout
    assert f"export {record.name}" in said


def test_an_export_of_a_cohort_is_named_for_its_members_alone(core, tmp_path):
    export(core, "csv", tmp_path / "out", cohort=FROZEN)
    (row,) = noted(core)
    assert FROZEN in json.loads(row["cohorts"])


def test_a_variant_s_export_has_the_variant_s_rows(study, tmp_path):
    variants.rebuild(Study(study.root), "third", parsed(("cutoff.method=quantile", "cutoff.quantile=0.3")))
    run_quick("export", "csv", tmp_path / "command", "--variant", "third", cwd=study.root)
    tshdb.open(study.root).export("csv", tmp_path / "python", variant="third")
    export(Study(study.root), "csv", tmp_path / "own")
    assert content(tmp_path / "command") == content(tmp_path / "python")
    theirs, ours = content(tmp_path / "command"), content(tmp_path / "own")
    assert theirs["cutoffs.csv"] != ours["cutoffs.csv"] and theirs["patients.csv"] == ours["patients.csv"]
    with variants.viewed(Study(study.root), "third") as (copied, _):
        (value,) = copied.sql("SELECT value FROM cutoffs")["value"]
    assert repr(float(value)).encode() in theirs["cutoffs.csv"] and b"| variant | third |" in theirs["README.md"]


def test_a_folder_is_whole_or_not_there(core, tmp_path, monkeypatch):
    def fails(job):
        (job.folder / "half").write_text("half")
        raise NotFound("nothing")

    broken = Export("csv", "a", "b", "c", fails)
    with monkeypatch.context() as patch:
        patch.setattr("tshdb.exports.writing.EXPORTS", (broken,))
        with pytest.raises(NotFound, match="nothing"):
            export(core, "csv", tmp_path / "out")
    assert list(tmp_path.iterdir()) == [core.root]
    export(core, "csv", tmp_path / "out")
    (tmp_path / "out/mine.txt").write_text("kept")
    before = content(tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr("tshdb.exports.writing.EXPORTS", (broken,))
        with pytest.raises(NotFound, match="nothing"):
            export(core, "csv", tmp_path / "out")
    assert content(tmp_path / "out") == before
    export(core, "csv", tmp_path / "out", cohort=FROZEN)
    assert content(tmp_path / "out") != before and (tmp_path / "out/mine.txt").read_text() == "kept"
    assert not list(tmp_path.glob(".out*")) and noted(core)[0]["kind"] == "export"
    with pytest.raises(InvalidInput, match="is not empty, and no export parquet of this program"):
        export(core, "parquet", tmp_path / "out")


def test_what_is_asked_wrongly_is_one_line(core, tmp_path):
    with pytest.raises(UsageError, match="no export 'cvs'.*csv"):
        export(core, "cvs", tmp_path / "out")
    with pytest.raises(NotFound, match="nobody"):
        export(core, "csv", tmp_path / "out", cohort="nobody@1")
    assert not (tmp_path / "out").exists()


def test_a_study_without_patients_says_what_comes_first(empty_study, tmp_path):
    with pytest.raises(NotFound, match="no patients.*tshdb ingest"):
        export(empty_study, "csv", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_missing_library_is_one_line_with_the_extra(core, tmp_path, monkeypatch):
    lacking = Export("csv", "a", "b", "c", lambda job: Written(), needs={"no_such_library": "export"})
    monkeypatch.setattr("tshdb.exports.writing.EXPORTS", (lacking,))
    with pytest.raises(NotFound, match=r"no_such_library is not installed. *pip install 'tshdb\[export\]'"):
        export(core, "csv", tmp_path / "out")


def test_the_kinds_are_listed():
    rows = json.loads(run_quick("export", "list", "--json").stdout)
    assert [row["export"] for row in rows] == [record.name for record in EXPORTS]
    assert all(row["about"] and row["rows"] and row["one_row"] for row in rows)
