"""A zoo of bad studies: each is the good one with one trap in it, and each gives the finding that names the trap.

The good study gives none. A trap in the files of one source is looked for with that source alone, as a person would who
loads one file; traps that only show between sources are looked for in a whole folder.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import openpyxl
import pytest
import xlwt

from ingest.expression import rna
from ingest.formats import Format, clinical_reader
from ingest.gdc import folder as gdc_folder
from ingest.tables import mapped, maps
from tests.ingest.test_gdc import OPTIONS, ingest
from tests.support.gdc_folder import GENES, GdcFolder
from tshdb.errors import TshdbError
from tshdb.file_content import Finding
from tshdb.vocabulary import ExpressionUnit, Scale, Severity

PATIENTS = 12
TARGET = "TCGA-TN-0003"


class Trap(NamedTuple):
    """name; the rule that must be found, and its severity; further rules that the trap cannot but bring along."""

    name: str
    rule: str
    severity: Severity
    spring: Callable
    also: tuple[str, ...] = ()


E, W = Severity.ERROR, Severity.WARNING

# ----------------------------------------------------------------------------------------------------- GDC folders


def _first(folder: GdcFolder):
    return folder.files[0]


def _name(file) -> str:
    return f"{file.file_id}/{file.file_name}"


def _edit_star(change: Callable[[str], str]):
    """One file with other text, which manifest and sheet agree on."""

    def spring(folder: GdcFolder) -> None:
        file = folder.files[3]
        text = change(file.text())
        original = file.text
        file.text = lambda: text
        assert text != original()

    return spring


def _sheet(change: Callable[[list[str]], list[str]]):
    def spring(folder: GdcFolder) -> None:
        folder.replaced["gdc_sample_sheet.tsv"] = "\n".join(change(folder.sample_sheet().splitlines())) + "\n"

    return spring


def _cells(lines: list[str], row: int, column: int, value: str) -> list[str]:
    fields = lines[row].split("\t")
    fields[column] = value
    return [*lines[:row], "\t".join(fields), *lines[row + 1 :]]


def _manifest_row(folder: GdcFolder) -> None:
    folder.seal()
    rows = folder.manifest().splitlines()
    folder.replaced["gdc_manifest.txt"] = "\n".join([*rows, "x\ty\tnot-an-md5\tmany\treleased"]) + "\n"


def _absent_file(folder: GdcFolder) -> None:
    folder.replaced[_name(_first(folder))] = None


def _absent_file_of_sheet(folder: GdcFolder) -> None:
    _absent_file(folder)
    folder.replaced["gdc_manifest.txt"] = None


def _damaged(folder: GdcFolder) -> None:
    file = _first(folder)
    folder.replaced[_name(file)] = file.text().replace("GNLY", "GNLX")


def _shortened(folder: GdcFolder) -> None:
    file = _first(folder)
    folder.replaced[_name(file)] = file.text()[:-40] + "\n"


def _other_model(folder: GdcFolder) -> None:
    _edit_star(lambda text: text.replace("GENCODE v36", "GENCODE v22"))(folder)


def _other_sex(folder: GdcFolder) -> None:
    folder.files[5].tpm |= {"XIST": 0.0, "RPS4Y1": 55.0}


def _replicate(folder: GdcFolder) -> None:
    folder.add_file(TARGET, "01A", plate="B111")


def _other_tissue(folder: GdcFolder) -> None:
    folder.add_file(TARGET, "06A", plate="A000")


def _only_rna(folder: GdcFolder) -> None:
    del folder.cases[TARGET]


def _only_clinical(folder: GdcFolder) -> None:
    folder.files = [f for f in folder.files if f.patient_id != TARGET]


def _strange_notice(folder: GdcFolder) -> None:
    folder.notice("8f2c", "General", entity_type="aliquot", case_submitter_id=None)


def _half_notice(folder: GdcFolder) -> None:
    folder.notice(TARGET, "General")
    folder.annotations[0]["category"] = ""


def _row(change: Callable[[str], str], row: int = 2):
    """One line of a STAR file's genes, counted from the first gene."""

    def edit(text: str) -> str:
        lines = text.splitlines()
        lines[6 + row] = change(lines[6 + row])
        return "\n".join(lines) + "\n"

    return _edit_star(edit)


def _set_tpm(value: str):
    return _row(lambda line: "\t".join([*line.split("\t")[:6], value, *line.split("\t")[7:]]))


def _all_zero(text: str) -> str:
    lines = text.splitlines()
    return "\n".join([*lines[:6], *("\t".join([*x.split("\t")[:6], "0.0000", "0", "0"]) for x in lines[6:])]) + "\n"


FOLDER_TRAPS = (
    Trap("a download that was cut", "folder.partial-file", W, lambda f: f.replaced.update({"x/a.tsv.partial": "x"})),
    Trap("a file of another kind", "folder.unknown-file", W, lambda f: f.replaced.update({"notes.docx": b"\x00\x01"})),
    Trap("an answer of the API that was cut", "folder.damaged-file", E, lambda f: f.replaced.update({"f.json": '[{"id"'})),
    Trap("a table of the GDC of which no column is one", "folder.damaged-file", E,
         lambda f: f.replaced.update({"x/follow_up.tsv": "a\tb\n1\t2\n"})),
    Trap("a table with NULs in its header", "folder.damaged-file", E,
    lambda f: f.replaced.update({"x/t.tsv": "a\x00b\tc\n1\t2\n"})),
    Trap("a text that is no UTF-8", "folder.damaged-file", E, lambda f: f.replaced.update({"x/t.txt": b"a\tb\xff\xfe\n1\t2\n"})),
    Trap("a file that is not in the folder", "manifest.file-missing", W, _absent_file),
    Trap("a file of the sheet that is not there", "sheet.file-missing", W, _absent_file_of_sheet),
    Trap("a file whose bytes changed", "manifest.md5", E, _damaged),
    Trap("a file that is too short", "manifest.size", E, _shortened),
    Trap("a manifest with a bad row", "manifest.bad-row", E, _manifest_row),
    Trap("a file that no sheet names", "star.no-sample", E, _sheet(lambda x: [x[0], *x[2:]])),
    Trap("two samples in one cell", "sheet.several-samples", E,
         _sheet(lambda x: _cells(x, 1, 6, "TCGA-TN-0000-01A, TCGA-TN-0000-11A")), ("star.no-sample",)),
    Trap("a file twice in the sheet", "sheet.file-twice", E, _sheet(lambda x: [*x, x[1]])),
    Trap("a normal sample labelled tumour", "sheet.type-and-barcode", E,
         _sheet(lambda x: _cells(x, 2, 7, "Primary Tumor")), ("star.no-sample",)),
    Trap("a tumour labelled blood", "sheet.type-and-barcode", E,
         _sheet(lambda x: _cells(x, 1, 7, "Blood Derived Normal")), ("star.no-sample",)),
    Trap("a sample of patient A under B", "sheet.other-case", E,
         _sheet(lambda x: _cells(x, 1, 5, "TCGA-TN-0001")), ("star.no-sample",)),
    Trap("a sheet with half a row", "sheet.field-count", E, _sheet(lambda x: [*x[:-1], x[-1][:60]]), ("star.no-sample",)),
    Trap("no gene model", "star.no-gene-model", E, _edit_star(lambda t: t.partition("\n")[2])),
    Trap("a column that is not there", "star.no-column", E, _edit_star(lambda t: t.replace("tpm_unstranded", "tpm"))),
    Trap("cut in the middle of a line", "rna.cut", E, _edit_star(lambda t: t[:-9])),
    Trap("a row with a field too few", "rna.field-count", E, _row(lambda line: line.rpartition("\t")[0])),
    Trap("text where a number belongs", "rna.not-a-number", E, _set_tpm("n/a")),
    Trap("a decimal comma", "rna.not-a-number", E, _set_tpm("3,14")),
    Trap("a negative TPM", "rna.negative", E, _set_tpm("-1.5")),
    Trap("a gene without a value", "rna.no-value", E, _set_tpm("")),
    Trap("a sample without expression", "rna.profile-empty", E, _edit_star(_all_zero)),
    Trap("a gene twice", "rna.gene-twice", E, _row(lambda line: f"{line}\n{line}")),
    Trap("two gene annotations mixed", "rna.gene-models-mixed", W, _other_model),
    Trap("RNA of the other sex", "sample.other-sex", W, _other_sex),
    Trap("two aliquots of one tumour", "aliquot.several", W, _replicate),
    Trap("a metastasis", "sample.other-tissue", W, _other_tissue),
    Trap("a patient with RNA alone", "patient.only-rna", W, _only_rna),
    Trap("a patient with clinical data alone", "patient.only-clinical", W, _only_clinical),
    Trap("a notice about nobody", "annotation.unknown-entity", W, _strange_notice),
    Trap("half a notice", "annotation.incomplete", E, _half_notice),
)  # fmt: skip


def of_folder(spring, study, tmp_path) -> list[Finding]:
    folder = GdcFolder.make(PATIENTS)
    spring(folder)
    return ingest(study, folder, tmp_path / "gdc", OPTIONS, dry_run=True).findings


# ------------------------------------------------------------------------------------------------- clinical tables


def _clinical(column: str, value: str, patient: str = TARGET, both_rows: bool = True):
    """One cell of the GDC's table, on both rows of a patient."""

    def spring(lines: list[str]) -> list[str]:
        at = lines[0].split("\t").index(column)
        rows = [i for i, line in enumerate(lines) if line.split("\t")[1] == patient]
        for i in rows if both_rows else rows[1:]:
            lines = _cells(lines, i, at, value)
        return lines

    return spring


def _every(column: str, values: Callable[[int], str], **fixed: str):
    def spring(lines: list[str]) -> list[str]:
        header = lines[0].split("\t")
        for i in range(1, len(lines)):
            lines = _cells(lines, i, header.index(column), values((i - 1) // 2))
            for name, value in fixed.items():
                lines = _cells(lines, i, header.index(name), value)
        return lines

    return spring


def _dead_without_day(lines: list[str]) -> list[str]:
    return _clinical("days_to_death", "'--", "TCGA-TN-0002")(lines)


def _both_days(lines: list[str]) -> list[str]:
    return _clinical("days_to_last_follow_up", "9000", "TCGA-TN-0002")(lines)


CLINICAL_TRAPS = (
    Trap("half a row", "clinical.field-count", E, lambda x: [*x[:-1], x[-1][:30]]),
    Trap("a barcode in lower case", "id.lower-case", E, _clinical("case_submitter_id", "tcga-tn-0003")),
    Trap("a blank behind a barcode", "id.blank-around", W, _clinical("case_submitter_id", "TCGA-TN-0003 ")),
    Trap("a no-break space", "id.blank-around", W, _clinical("case_submitter_id", "TCGA-TN-0003\u00a0")),
    Trap("a dash that is no hyphen", "id.other-hyphen", E, _clinical("case_submitter_id", "TCGA\u2013TN\u20130003")),
    Trap("a leading zero lost", "id.tcga-barcode", E, _clinical("case_submitter_id", "TCGA-TN-3")),
    Trap("a path for a name", "id.path", E, _clinical("case_submitter_id", "../../etc/passwd")),
    Trap("a formula for a name", "id.formula", E, _clinical("case_submitter_id", "=A1+B2")),
    Trap("SQL for a name", "id.quote", E, _clinical("case_submitter_id", "'); drop table patients; --")),
    Trap("a blank inside a name", "id.blank-inside", E, _clinical("case_submitter_id", "TCGA-TN 0003")),
    Trap("a zero-width space", "id.blank-inside", E, _clinical("case_submitter_id", "TCGA-TN\u200b-0003")),
    Trap("a name without end", "id.too-long", E, _clinical("case_submitter_id", "P" * 300)),
    Trap("no name", "id.no-patient", E, _clinical("case_submitter_id", "'--")),
    Trap("rows of one patient disagree", "clinical.rows-disagree", E, _clinical("age_at_index", "61", both_rows=False)),
    Trap("an age of 255", "clinical.age", E, _clinical("age_at_index", "255")),
    Trap("an age in words", "clinical.age", E, _clinical("age_at_index", "sixty")),
    Trap("a vital status of its own", "clinical.vital-status", E, _clinical("vital_status", "Deceased")),
    Trap("days in words", "clinical.not-a-number", E, _clinical("days_to_last_follow_up", "two years")),
    Trap("a date for days", "clinical.not-a-number", E, _clinical("days_to_last_follow_up", "2031-01-01")),
    Trap("last contact before diagnosis", "clinical.negative-days", W, _clinical("days_to_last_follow_up", "-7")),
    Trap("a follow-up of 0 days", "follow-up.zero", W, _clinical("days_to_last_follow_up", "0")),
    Trap("a spreadsheet's serial date", "follow-up.too-long", W, _clinical("days_to_last_follow_up", "44197")),
    Trap("death without a day", "follow-up.event-without-day", W, _dead_without_day),
    Trap("alive with a day of death", "clinical.alive-with-death", W, _clinical("days_to_death", "100")),
    Trap("a contact after death", "clinical.contact-after-death", W, _both_days),
    Trap("everybody censored", "follow-up.all-censored", W, _every(
        "days_to_last_follow_up", lambda i: str(500 + 100 * i), vital_status="Alive", days_to_death="'--")),
    Trap("everybody dead", "follow-up.all-events", W, _every(
        "days_to_death", lambda i: str(500 + 100 * i), vital_status="Dead", days_to_last_follow_up="'--")),
    Trap("months for days", "follow-up.not-days", W, _every(
        "days_to_last_follow_up", lambda i: str(12 + 5 * i), vital_status="Alive", days_to_death="'--"),
        ("follow-up.all-censored",)),
)  # fmt: skip


def of_clinical(spring, study, tmp_path) -> list[Finding]:
    text = GdcFolder.make(PATIENTS).clinical()
    path = tmp_path / "clinical.tsv"
    path.write_text("\n".join(spring(text.splitlines())) + "\n", encoding="utf-8")
    return clinical_reader(Format.CLINICAL, "c", "ihc-fish")(path).findings


# -------------------------------------------------------------------------------------------------------- matrices


def good_matrix() -> list[list[str]]:
    """250 genes x 6 samples of RSEM-like values."""
    from random import Random

    random = Random(5)
    names = [f"TCGA-TN-{i:04d}-{code}A-11R-A000-07" for i in range(3) for code in ("01", "11")]
    genes = [symbol for _, symbol in dict(GENES).items()] and [s for i, s in GENES if not i.endswith("_Y")]
    genes += [f"LOC{i:06d}" for i in range(250 - len(genes))]
    rows = [["gene", *names]]
    rows += [[g, *(f"{random.lognormvariate(4, 2):.3f}" for _ in names)] for g in genes]
    for row in rows:
        if row[0] in ("XIST", "RPS4Y1"):
            row[1:] = ["500.5" if row[0] == "XIST" else "0.0"] * len(names)
    return rows


def _cell(row: int, column: int, value: str):
    def spring(rows: list[list[str]]) -> list[list[str]]:
        rows[row][column] = value
        return rows

    return spring


def _column(column: int, value: str):
    def spring(rows):
        for row in rows[1:]:
            row[column] = value
        return rows

    return spring


def _each(change: Callable[[str], str]):
    def spring(rows):
        return [rows[0], *([r[0], *map(change, r[1:])] for r in rows[1:])]

    return spring


def _rename(change: Callable[[int, str], str]):
    def spring(rows):
        return [rows[0], *([change(i, r[0]), *r[1:]] for i, r in enumerate(rows[1:]))]

    return spring


def _mouse(i: int, gene: str) -> str:
    return "Gen" + "".join("abcdefghij"[int(digit)] for digit in f"{i:03d}")


MATRIX_TRAPS = (
    Trap("a barcode twice in the header", "rna.sample-twice", E, lambda r: _cell(0, 2, r[0][1])(r)),
    Trap("a barcode in lower case", "id.lower-case", E, lambda r: _cell(0, 1, r[0][1].lower())(r)),
    Trap("a column of nobody", "rna.unknown-sample", E, _cell(0, 1, "sample7")),
    Trap("a column that is a path", "id.path", E, _cell(0, 1, "../x")),
    Trap("genes and samples swapped", "no matrix", E, lambda r: list(map(list, zip(*r, strict=True)))),
    Trap("text among numbers", "rna.not-a-number", E, _cell(7, 3, "high")),
    Trap("an infinite value", "rna.not-a-number", E, _cell(7, 3, "inf")),
    Trap("a row cut short", "rna.field-count", E, lambda r: [*r[:-1], r[-1][:3]]),
    Trap("negative values", "rna.negative", E, _cell(7, 3, "-0.5")),
    Trap("logarithms called linear", "rna.scale-doubtful", W, _each(lambda v: f"{min(float(v), 9e4) ** 0.25:.3f}")),
    Trap("counts called TPM", "rna.looks-like-counts", W, _each(lambda v: str(int(float(v) * 10)))),
    Trap("a gene that became a date", "rna.gene-is-a-date", W, _cell(9, 0, "2-Sep")),
    Trap("a gene twice", "rna.gene-twice", W, lambda r: _cell(9, 0, r[8][0])(r)),
    Trap("two naming systems", "rna.mixed-names", W, _rename(lambda i, g: f"ENSG{i:011d}" if i % 2 else g)),
    Trap("another species", "rna.other-species", W, _rename(_mouse)),
    Trap("an empty sample", "rna.profile-empty", E, _column(2, "0")),
    Trap("a sample without any value", "rna.profile-empty", E, _column(2, "NA")),
)  # fmt: skip


def of_matrix(spring, study, tmp_path) -> list[Finding]:
    path = tmp_path / "m.csv"
    path.write_text("\n".join(",".join(row) for row in spring(good_matrix())) + "\n")
    unit = ExpressionUnit.TPM
    return rna.read(path, rna.MatrixOptions("c", unit, Scale.LINEAR, path.name)).findings


# ------------------------------------------------------------------------------------------------------- workbooks

ISPY = ("SUBJECTID", "age", "race_id", "ERpos", "PgRpos", "Her2MostPos", "Laterality", "MRI LD Baseline")
OUTCOMES = ("SUBJECTID", "sstat", "survDtD2 (tx)", "RFS", "rfs_ind")


def good_workbook() -> tuple[list[list], list[list]]:
    patients = [[1000 + i, 40.5 + i, 1, i % 2, i % 2, None if i == 4 else 0, 1 + i % 2, 30 + i] for i in range(12)]
    outcomes = [[1000 + i, 8 if i % 3 == 0 else 7, 900 + 50 * i, 700 + 50 * i, int(i % 3 == 0)] for i in range(12)]
    return [list(ISPY), *patients], [list(OUTCOMES), *outcomes]


def _book(sheet: int, row: int, column: str, value):
    def spring(sheets):
        sheets[sheet][row][sheets[sheet][0].index(column)] = value
        return sheets

    return spring


def _swapped(sheets):
    header = sheets[1][0]
    i, j = header.index("survDtD2 (tx)"), header.index("sstat")
    for row in sheets[1][1:]:
        row[i] = int(row[j] == 8)
    return sheets


def _uncomputed(sheets):
    column = sheets[0][0].index("ERpos")
    for row in sheets[0][1:]:
        row[column] = "=IF(1,1,0)"
    return sheets


WORKBOOK_TRAPS = (
    Trap("a code that no dictionary has", "map.unknown-code", E, _book(1, 3, "sstat", 6)),
    Trap("a receptor in words", "map.unknown-code", E, _book(0, 3, "ERpos", "strong")),
    Trap("an age in words", "map.not-a-number", E, _book(0, 3, "age", "[Not Available]")),
    Trap("a tumour of 9 metres", "map.not-a-number", E, _book(0, 3, "MRI LD Baseline", 9000)),
    Trap("a negative duration", "follow-up.bad-duration", E, _book(1, 3, "survDtD2 (tx)", -5)),
    Trap("a patient twice", "clinical.patient-twice", E, _book(0, 3, "SUBJECTID", 1000)),
    Trap("a row of nobody", "id.no-patient", E, _book(0, 3, "SUBJECTID", None)),
    Trap("recurrence after the end", "follow-up.beyond-survival", W, _book(1, 3, "RFS", 9000)),
    Trap("event and time swapped", "follow-up.time-is-event", E, _swapped,
         ("follow-up.zero", "follow-up.beyond-survival", "follow-up.not-days")),
    Trap("formulas that nobody computed", "no workbook", E, _uncomputed),
)  # fmt: skip


def of_workbook(spring, study, tmp_path) -> list[Finding]:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in zip(("predictors", "outcomes"), spring(good_workbook()), strict=True):
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    path = tmp_path / "book.xlsx"
    book.save(path)
    return mapped.read(path, "ispy1", maps.bundled_map("ispy1")).findings


NACT = ("Patient ID", "AGE at MRI1 (yrs)", "Race", "ER positive", "PR Positive", "HER2 Positive", "breast laterality", "LD 1",
        "censor", "DFS time (weeks)")  # fmt: skip


def write_nact(path: Path, n: int = 64, n_events: int = 23, event_code: int = 0) -> None:
    """A workbook as TCIA's of the pilot: the old format, censor 0 = event, weeks, cm."""
    book = xlwt.Workbook()
    book.add_sheet("Data Dictionary").write(0, 0, "censor: 0 = event")
    sheet = book.add_sheet("Clinical and DFS Data")
    for c, name in enumerate(NACT):
        sheet.write(0, c, name)
    for i in range(n):
        event = i < n_events
        values = (f"UCSF-BR-{i + 1:02d}", 45.5 + i % 9, "Caucasian", i % 2, i % 2, "NP" if i == 3 else 0, "L" if i % 2 else "R",
                  2.5 + i / 10, event_code if event else 1 - event_code, 40.0 + 3 * i)  # fmt: skip
        for c, value in enumerate(values):
            sheet.write(i + 1, c, value)
    book.save(str(path))


def of_nact(spring, study, tmp_path) -> list[Finding]:
    write_nact(tmp_path / "n.xls", **spring({}))
    return mapped.read(tmp_path / "n.xls", "breast-mri-nact-pilot", maps.bundled_map("breast-mri-nact-pilot")).findings


NACT_TRAPS = (
    Trap("a censor column the usual way round", "follow-up.events-unexpected", E, lambda x: {"event_code": 1}),
    Trap("far too many events", "follow-up.events-unexpected", E, lambda x: {"n_events": 60}),
)

ALL = (
    *((of_folder, t) for t in FOLDER_TRAPS),
    *((of_clinical, t) for t in CLINICAL_TRAPS),
    *((of_matrix, t) for t in MATRIX_TRAPS),
    *((of_workbook, t) for t in WORKBOOK_TRAPS),
    *((of_nact, t) for t in NACT_TRAPS),
)


def test_the_zoo_is_large():
    assert len(ALL) >= 60 and len({(f, t.name) for f, t in ALL}) == len(ALL)


@pytest.mark.parametrize("look", [of_folder, of_clinical, of_matrix, of_workbook, of_nact])
def test_the_good_study_has_no_finding(look, empty_study, tmp_path):
    same = {of_folder: lambda f: None, of_nact: lambda x: {}}.get(look, lambda x: x)
    assert look(same, empty_study, tmp_path) == []


@pytest.mark.parametrize(("look", "trap"), ALL, ids=[f"{f.__name__}-{t.name}" for f, t in ALL])
def test_the_trap_is_named(look, trap, empty_study, tmp_path):
    try:
        findings = look(trap.spring, empty_study, tmp_path)
    except TshdbError as error:  # the file as a whole is refused, in one line with the repair
        assert trap.rule.startswith("no ") and error.where and error.repair
        return
    mine = [f for f in findings if f.rule == trap.rule]
    assert mine, [f.rule for f in findings]
    assert {f.severity for f in mine} == {trap.severity}
    assert all(f.message and (f.line or f.value or f.path) for f in mine)
    assert {f.rule for f in findings} <= {trap.rule, *trap.also}


# --------------------------------------------------------------------------------- files that are refused as a whole


def _latin1(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"female", b"f\xe9male"))


def _cut_gzip(path: Path) -> None:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
        file.write(path.read_bytes() * 50)
    path.write_bytes(packed.getvalue()[:-40])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_latin1, "not UTF-8"),
        (_cut_gzip, "cut or damaged"),
        (lambda p: p.write_text(p.read_text().replace("vital_status", "status")), "no column vital_status"),
        (lambda p: p.write_text(""), "no column"),
    ],
)
def test_files_that_cannot_be_read_at_all(tmp_path, spoil, words):
    path = tmp_path / "clinical.tsv"
    path.write_text(GdcFolder.make(3).clinical())
    spoil(path)
    with pytest.raises(TshdbError, match=words):
        clinical_reader(Format.CLINICAL, "c", "ihc-fish")(path)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    folder = GdcFolder.make(2)
    root = folder.write(tmp_path / "gdc")
    outside = tmp_path / "outside.tsv"
    outside.write_text("secret")
    (root / "link.tsv").symlink_to(outside)
    contents = gdc_folder.look(root, OPTIONS)
    assert [f.rule for f in contents.findings] == ["folder.link-outside"]


def test_tpm_that_do_not_add_up(tmp_path):
    rows = [["gene", "TCGA-TN-0001-01A"]] + [[f"LOC{i:06d}", f"{i % 97 + 0.5}"] for i in range(12_000)]
    path = tmp_path / "m.csv"
    path.write_text("\n".join(map(",".join, rows)) + "\n")
    findings = rna.read(path, rna.MatrixOptions("c", ExpressionUnit.TPM, Scale.LINEAR, path.name)).findings
    assert [f.rule for f in findings] == ["rna.not-tpm"]
