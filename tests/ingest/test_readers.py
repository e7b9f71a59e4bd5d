"""Readers as records: what recognises a file, which sentence says what was expected, whose word holds; and others' readers."""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path

import pytest

from ingest.clinical import cdr
from ingest.formats import UNKNOWN, format_of
from ingest.gdc import clinical
from tests.support import tiny
from tests.support.installing import information
from tshdb import installed, loading
from tshdb.actions import ingest
from tshdb.database import reading
from tshdb.errors import InvalidInput, NotFound
from tshdb.file_content import FileContent
from tshdb.head import Head
from tshdb.loading.believed import in_precedence, precedence_rule
from tshdb.loading.sources import Source, SourceRow
from tshdb.origins import Origins
from tshdb.readers import Part, Reader, likeliest, recognised

ROOT = Path(__file__).parents[2]
CDR = [["sample", "_PATIENT", "OS", "OS.time"], ["TCGA-TN-0001-01", "TCGA-TN-0001", "1", "300"]]
CASES = [
    ["case_submitter_id", "vital_status", "days_to_death", "days_to_last_follow_up"],
    ["TCGA-TN-0001", "Dead", "300", "'--"],
    ["TCGA-TN-0002", "Alive", "'--", "900"],
]


def table(path: Path, rows: list[list[str]], delimiter: str) -> Path:
    path.write_text("".join(delimiter.join(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("delimiter", ["\t", ",", ";"])
@pytest.mark.parametrize(
    ("rows", "name", "read"), [(CDR, "cdr", cdr.read), (CASES, "clinical", clinical.read)], ids=["cdr", "clinical"]
)
def test_a_table_is_recognised_and_read_by_the_delimiter_that_it_has(tmp_path, rows, name, read, delimiter):
    path = table(tmp_path / "table.txt", rows, delimiter)
    assert format_of(path) == name
    by_tabs = read(table(tmp_path / "tabs", rows, "\t"), "c")
    assert read(path, "c").records == by_tabs.records and by_tabs.records and not by_tabs.findings


def test_files_of_no_reader_are_unknown(tmp_path):
    for name, content in (("a.csv", "a,b\n1,2\n"), ("b.json", '{"a": 1}'), ("c.json", '[{"id"'), ("d.txt", "")):
        (tmp_path / name).write_text(content)
        assert format_of(tmp_path / name) == UNKNOWN


def test_the_order_in_which_sources_are_believed_is_as_conflicts_bear_it():
    """Stored in the rows of `conflicts`: other words would be another rule. A source's name is no part of it."""
    assert precedence_rule() == (
        "workbook before gdc-cases before clinical before gdc-follow-up before follow-up before family-history before cdr "
        "before biotab before annotations before star-counts before rna before dicom"
    )


def test_every_reader_of_rows_says_where_its_word_stands():
    for reader in installed.readers():
        assert (reader.precedence is None) == (reader.part is Part.SHEETS), reader.name
    with pytest.raises(ValueError, match="precedence"):
        Reader("mine", "my table", Part.CLINICAL, precedence=None)


def test_a_source_of_a_reader_that_is_not_installed_is_refused_and_not_last(empty_study, tmp_path):
    words = [SourceRow(Source("c", reader, "x"), {}, None, 1, None) for reader in ("gdc-table", "clinical", "registry")]
    with pytest.raises(NotFound, match="no reader 'registry' is installed"):
        in_precedence(words)
    assert [[s.source.reader for s in rank] for rank in in_precedence(words[:2])] == [["clinical"], ["gdc-table"]]
    path = tmp_path / "x.csv"
    path.write_text("x")
    item = loading.Item(Source("c", "registry", "x"), path, {}, FileContent(), "0" * 64)
    with pytest.raises(NotFound, match="no reader 'registry' is installed"):
        loading.load(empty_study, [item], command="test")
    assert empty_study.sql("SELECT count(*) AS n FROM ingest_runs")["n"].tolist() == [0]


def test_two_readers_of_one_name_are_refused(monkeypatch):
    twice = (*installed.readers(), Reader("cdr", "mine", Part.CLINICAL, 500))
    monkeypatch.setattr(installed, "_records", lambda group: twice)
    installed.readers.cache_clear()
    try:
        with pytest.raises(InvalidInput, match="two readers are called 'cdr'"):
            installed.readers()
    finally:
        monkeypatch.undo()
        installed.readers.cache_clear()


def test_what_was_expected_comes_from_the_readers(empty_study, tmp_path):
    path = table(tmp_path / "mine.csv", [["a", "b"], ["1", "2"]], ",")
    with pytest.raises(InvalidInput) as refused:
        ingest.clinical(empty_study, path, "c")
    said = str(refused.value)
    assert "no file that is known (columns a, b)" in said and "--map" in said
    for reader in installed.readers():
        if reader.part is Part.CLINICAL and reader.is_recognised:
            assert reader.about in said
    with pytest.raises(InvalidInput, match="Expected one of: .*STAR or HTSeq counts.*a manifest"):
        list(loading_of_folder(empty_study, tmp_path))


def loading_of_folder(study, folder: Path):
    from tshdb.actions.collection import from_folder

    return from_folder(study, "tcga-brca", folder)


def test_a_file_that_is_nearly_known_is_told_what_it_lacks(empty_study, tmp_path):
    path = table(tmp_path / "clinical.csv", [["case_submitter_id", "gender"], ["TCGA-TN-0001", "female"]], ",")
    assert recognised(Head(path), installed.readers()) is None
    assert likeliest(Head(path), installed.readers()).name == "clinical"
    with pytest.raises(InvalidInput, match="no column vital_status, days_to_death"):
        ingest.clinical(empty_study, path, "c")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfe\x00", "no whole text in UTF-16"),
        ("id,\u00e9\n".encode("utf-16")[:-1], "no whole text in UTF-16, as its first bytes say. Fetch it again"),
        ("id,\u00e9\n".encode("cp1252"), "not UTF-8 text .byte 0xe9.; perhaps Latin-1"),
        (b"\x1f\x8b\x08cut", "the gzip file is cut or damaged"),
        (b"PK\x03\x04rest", r"no file that is known \(a workbook\)"),
        (b"", r"no file that is known \(an empty file\)"),
        (b'{"a": 1}', "no file that is known .JSON of another kind"),
    ],
)
def test_what_is_no_table_is_refused_with_its_reason(empty_study, tmp_path, content, says):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(InvalidInput, match=says):
        ingest.clinical(empty_study, tmp_path / "file", "c")


# ------------------------------------------------------------------------------------------------ others' readers

GUEST = (ROOT / "docs/readers.md").read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]
ROWS = [["pid", "state", "days"], ["TCGA-TN-0001", "1", "300"], ["TCGA-TN-0002", "0", "many"]]


@pytest.fixture
def guest(tmp_path) -> Path:
    """A package of one file that offers a reader, as an installation leaves it."""
    folder = tmp_path / "site"
    information(folder, "registry-reader", "1.0", {"tshdb.readers": {"registry": "registry_reader:READERS"}})
    (folder / "registry_reader.py").write_text(GUEST)
    return folder


def test_a_reader_of_another_package_is_one_file(guest, tshdb, tmp_path):
    """Its file is recognised, read, withheld row by row, believed in its place, and found in a folder of the GDC's files."""
    paths = {"PYTHONPATH": f"{ROOT}:{guest}"}
    study = tiny.new_study(tmp_path / "study")
    study.engine.dispose()
    file = table(tmp_path / "registry.csv", ROWS, ",")
    said = tshdb("ingest", "clinical", file, "--collection", "tcga-brca", cwd=study.root, code=7, **paths).stderr
    assert "registry.csv:3 column days 'many': expected days" in said
    said = tshdb(
        "ingest", "clinical", file, "--collection", "tcga-brca", "--keep-going", cwd=study.root, code=3, **paths
    ).stderr  # fmt: skip
    assert "Loaded tcga-brca/registry/registry.csv, 1 rows withheld" in said
    folder = tmp_path / "gdc"
    folder.mkdir()
    table(folder / "follow-up-2031.csv", [ROWS[0], ["TCGA-TN-0001", "0", "400"]], ",")
    table(folder / "clinical.tsv", CASES, "\t")
    said = tshdb("ingest", "tcga-brca", "--from", folder, "--only", "clinical", cwd=study.root, **paths).stderr
    assert "registry             follow-up-2031.csv" in said
    with sqlite3.connect(study.root / "study.db") as database:
        held = database.execute(
            "SELECT DISTINCT held_source, rule FROM conflicts WHERE column_name = 'event'"
        ).fetchall()
        rows = database.execute("SELECT event, duration_days FROM follow_ups ORDER BY patient_id").fetchall()
    assert rows == [(1, 300.0), (0, 900.0)]
    assert held == [("tcga-brca/clinical/clinical.tsv", "os-3: event")]
    without = ("--collection", "tcga-brca")  # the package is gone, its words are in the study
    assert "no file that is known" in tshdb("ingest", "clinical", file, *without, cwd=study.root, code=7).stderr
    later = table(tmp_path / "later.tsv", [CASES[0], ["TCGA-TN-0001", "Dead", "301", "'--"]], "\t")
    said = tshdb("ingest", "clinical", later, *without, cwd=study.root, code=8).stderr
    assert "no reader 'registry' is installed" in said and "Install the package" in said


def test_a_source_whose_reader_is_gone_is_named_where_it_matters(guest, tshdb, tmp_path):
    """Damage cannot be mended without the package, and is said to need it; with it, it is; she can be withdrawn either way."""
    paths = {"PYTHONPATH": f"{ROOT}:{guest}"}
    study = tiny.new_study(tmp_path / "study")
    study.engine.dispose()
    run = partial(tshdb, cwd=study.root)
    rows = [ROWS[0], ["TCGA-TN-0001", "1", "300"], ["TCGA-TN-0002", "0", "200"]]
    file = table(tmp_path / "registry.csv", rows, ",")
    assert "registry-reader 1.0" in run("ingest", "readers", **paths).stdout
    run("ingest", "file", file, "--collection", "c", **paths)
    assert "Everything holds" in run("check", **paths).stdout
    with sqlite3.connect(study.root / "study.db") as database:
        database.execute("UPDATE follow_ups SET duration_days = 1 WHERE patient_id = 'TCGA-TN-0001'")
        database.execute("DELETE FROM source_records WHERE table_name = 'follow_ups' AND row_key LIKE 'TCGA-TN-0001%'")
    said = run("check", "--repair", code=5)
    assert "reader registry: is not here, and read 1 source" in said.stdout
    assert "no reader 'registry' is installed" in run(
        "ingest", "file", file, "--collection", "c", "--reader", "registry", code=8
    ).stderr  # fmt: skip
    for command in ("status", "plan", "report", "history"):
        run(command)
    run("withdraw", "TCGA-TN-0002", "--reason", "consent", code=None)
    assert study.sql("SELECT patient_id FROM patients")["patient_id"].tolist() == ["TCGA-TN-0001"]


def test_advice_names_a_reader_that_is_gone(core):
    """Of a damaged part: the command alone would end in an error."""
    with reading(core.engine) as connection:
        (part,) = connection.exec_driver_sql("SELECT part_id FROM expression_parts LIMIT 1").one()
        assert "installed" not in Origins(connection, frozenset({"rna"})).advice(part)
        said = Origins(connection, frozenset({"clinical"})).advice(part)
    assert said.startswith("No reader rna is installed: first install the package that it came with. It came from")
