"""The expression reader: everything as text first; what is wrong is said with its line."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from ingest.expression import rna
from ingest.expression.genes import gene_name, is_date, is_y_copy
from ingest.gdc import sample_sheet
from tshdb.errors import InvalidInput, NotFound, UsageError
from tshdb.schema import ExpressionProfile, Patient, Sample
from tshdb.vocabulary import Compartment, ExpressionUnit, Scale

T, S = "TCGA-A7-A0CE-01A-11R-A00Z-07", "TCGA-A7-A0CE-11A-21R-A089-07"


def read(tmp_path, text, scale="linear", name="m.csv", sheet=None, **options):
    path = tmp_path / name
    if isinstance(text, bytes):
        path.write_bytes(text)
    else:
        path.write_text(text)
    return rna.read(path, rna.MatrixOptions("c", ExpressionUnit.RSEM, Scale(scale), name, **options), sheet)


def values_of(content) -> dict[str, list[float]]:
    return {g: [content.matrix.column(j)[i] for j in range(len(content.matrix.profile_ids))]
            for i, g in enumerate(content.matrix.genes.ids)}  # fmt: skip


def rules(content) -> list[tuple[str, int | None]]:
    return [(f.rule, f.line) for f in content.findings]


def test_wide_matrix(tmp_path):
    content = read(tmp_path, f"gene,{T},{S}\nCD3D,1.5,2\nA1BG,,0012\n")
    assert values_of(content) == {"A1BG": [pytest.approx(np.nan, nan_ok=True), 12.0], "CD3D": [1.5, 2.0]}
    tables = [r.table for r in content.records]
    assert tables == [Patient, Sample, ExpressionProfile] * 2
    sample = content.records[4].values
    assert sample["sample_id"] == "TCGA-A7-A0CE-11A" and sample["compartment"] is Compartment.STROMA
    profile = content.records[2]
    assert profile.values["profile_id"] == f"{T}:rsem:m.csv" and (profile.line, profile.column) == (1, 2)
    assert profile.values["n_genes"] == 2 and profile.values["n_missing"] == 1
    assert content.findings == []


@pytest.mark.parametrize("token", ["", "NA", "NaN", "null", "removed"])
def test_missing_values(tmp_path, token):
    assert np.isnan(values_of(read(tmp_path, f"gene,{T}\nCD3D,{token}\n"))["CD3D"][0])


def test_gzip_tabs_and_rs_quotes(tmp_path):
    text = f'"","{T}"\n"CD3D",1.25\n'
    assert values_of(read(tmp_path, gzip.compress(text.encode()), name="a.csv.gz")) == {"CD3D": [1.25]}
    assert values_of(read(tmp_path, f"gene\t{T}\nCD3D\t1.25\n", name="a.tsv")) == {"CD3D": [1.25]}


def test_header_without_a_name_for_the_genes(tmp_path):
    assert values_of(read(tmp_path, f"{T}\t{S}\nCD3D\t1\t2\n")) == {"CD3D": [1.0, 2.0]}


def test_a_gene_called_na_stays(tmp_path):
    assert set(values_of(read(tmp_path, f"gene,{T}\nNA,1\nnan,2\n"))) == {"NA", "nan"}


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ("CD5,abc", "rna.not-a-number"),
        ('CD5,"1,5"', "rna.not-a-number"),
        ("CD5,inf", "rna.not-a-number"),
        ("CD5,1,2", "rna.field-count"),
        ("CD5", "rna.field-count"),
        ("CD5,-1", "rna.negative"),
        ("CD5,1_000", "rna.not-a-number"),
    ],
)
def test_bad_rows_are_found_with_their_line(tmp_path, row, rule):
    content = read(tmp_path, f"gene,{T}\nCD3D,1\n{row}\nCD6,2\n")
    assert rules(content) == [(rule, 3)] and content.n_withheld == 1
    assert set(values_of(content)) == {"CD3D", "CD6"}, "the good rows are there for --keep-going"


def test_a_bad_value_is_named_with_its_sample(tmp_path):
    finding = read(tmp_path, f"gene,{T},{S}\nCD3D,1,x2\n").findings[0]
    assert (finding.line, finding.column, finding.value) == (2, S, "x2")


def test_small_negative_values_count_as_zero_only_if_asked(tmp_path):
    text = f"gene,{T},{S}\nCD3D,-0.25,2\nCD5,-1,3\nCD6,4,-0.5\n"
    asked = read(tmp_path, text, clip_negative=True)
    assert [f.rule for f in asked.findings] == ["rna.clipped", "rna.negative"], "-1 is nobody's rounding"
    assert "2 values" in asked.findings[0].message and asked.findings[0].value == "-0.5"
    assert values_of(asked) == {"CD3D": [0.0, 2.0], "CD6": [4.0, 0.0]}
    with pytest.raises(UsageError, match="logarithms"):
        read(tmp_path, text, scale="log2", clip_negative=True)


def test_log_values_may_be_negative_but_not_large(tmp_path):
    assert [r for r, _ in rules(read(tmp_path, f"gene,{T}\nCD3D,-1.5\n", scale="log2"))] == ["rna.log-negative"]
    assert rules(read(tmp_path, f"gene,{T}\nCD3D,75\n", scale="log2")) == [("rna.scale-doubtful", 2)]


def test_a_sample_named_twice(tmp_path):
    assert ("rna.sample-twice", 1) in rules(read(tmp_path, f"gene,{T},{T}\nCD3D,1,2\n"))


def test_of_a_gene_named_twice_the_higher_mean_is_kept(tmp_path):
    content = read(tmp_path, f"gene,{T}\nCD3D,1\nCD5,1\nCD3D,9\nENSG00000178562.5,3\nENSG00000178562.7,2\n")
    assert values_of(content) == {"CD3D": [9.0], "CD5": [1.0], "ENSG00000178562": [3.0]}
    assert rules(content) == [("rna.gene-twice", 2), ("rna.gene-twice", 6)]


def test_unknown_names_need_a_sheet(tmp_path):
    text = "gene,one,two\nCD3D,1,2\n"
    assert [r for r, _ in rules(read(tmp_path, text))] == ["rna.unknown-sample"] * 2
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("sample,patient_id,compartment\none,P1,tumor\ntwo,P1,stroma\n")
    content = read(tmp_path, text, sheet=sample_sheet.read(sheet))
    assert [r.values["sample_id"] for r in content.records if r.table is Sample] == ["one", "two"]
    assert [r.values["sample_type_code"] for r in content.records if r.table is Sample] == ["01", "11"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sample,patient\n", "no column patient_id, compartment"),
        ("sample,patient_id,compartment\na,b,normal\n", "sheet.csv:2: compartment 'normal'"),
        ("sample,patient_id,compartment\na,b,tumor\na,b,tumor\n", "sheet.csv:3: sample 'a' stands twice"),
    ],
)
def test_bad_sheets(tmp_path, text, message):
    path = tmp_path / "sheet.csv"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=message):
        sample_sheet.read(path)


def test_bare_patients_need_a_sample_type(tmp_path):
    text = "gene,TCGA-A7-A0CE\nCD3D,1\n"
    assert [r for r, _ in rules(read(tmp_path, text))] == ["rna.unknown-sample"]
    sample = read(tmp_path, text, sample_type="01").records[1].values
    assert sample["sample_id"] == "TCGA-A7-A0CE-01" and sample["compartment"] is Compartment.TUMOR


def test_metastases_are_neither_tumour_nor_stroma(tmp_path):
    sample = read(tmp_path, "gene,TCGA-A7-A0CE-06A\nCD3D,1\n").records[1].values
    assert sample["compartment"] is Compartment.OTHER


def test_long_table(tmp_path):
    text = "patient,tissue,gene,rsem_normalized,source\nTCGA-A7-A0CE,tumor,CD3D,1.5,x\nTCGA-A7-A0CE,normal,CD3D,2,x\n"
    content = read(tmp_path, text)
    assert [r.values["sample_id"] for r in content.records if r.table is Sample] == [
        "TCGA-A7-A0CE-01",
        "TCGA-A7-A0CE-11",
    ]
    assert values_of(content) == {"CD3D": [1.5, 2.0]}
    assert content.records[0].line == 2 and content.records[0].column == 4


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (f"CD3D,{T},2", "rna.value-twice"),
        (f"CD5,{T},x", "rna.not-a-number"),
        (f"CD5,{T}", "rna.field-count"),
    ],
)
def test_bad_long_rows(tmp_path, row, rule):
    content = read(tmp_path, f"gene,sample,value\nCD3D,{T},1\n{row}\n")
    assert rules(content) == [(rule, 3)] and len(content.errors) == 1


def test_an_unknown_tissue(tmp_path):
    content = read(tmp_path, "patient,tissue,gene,value\nTCGA-A7-A0CE,blood?,CD3D,1\n")
    assert rules(content) == [("rna.tissue", 2)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"gene\n", "a header and no rows"),
        (b"gene,a\nCD3D,1,2,3\n", "header has 2 fields and the first row 4"),
        (b"\x1f\x8b\x08\x00broken", "cut or damaged"),
        ("gene,ä\nx,1\n".encode("latin-1"), "not UTF-8"),
    ],
)
def test_files_that_are_no_matrix(tmp_path, content, message):
    with pytest.raises(InvalidInput, match=message):
        read(tmp_path, content)


def test_a_cut_gzip_is_never_half_read(tmp_path):
    whole = gzip.compress(f"gene,{T}\n".encode() + b"".join(b"G%d,1.5\n" % i for i in range(5000)))
    for cut in (30, len(whole) // 2, len(whole) - 4):
        with pytest.raises(InvalidInput, match="cut or damaged"):
            read(tmp_path, whole[:cut], name="cut.csv.gz")


def test_the_gene_of_an_open_last_line_is_withheld(tmp_path):
    content = read(tmp_path, f"gene,{T}\nCD3D,1\nCD5,26.1")  # of 26.193
    assert rules(content) == [("text.last-line-open", 3)] and content.n_withheld == 1
    assert list(content.matrix.genes.ids) == ["CD3D"]


def test_a_missing_file(tmp_path):
    with pytest.raises(NotFound):
        rna.read(tmp_path / "nothing.csv", rna.MatrixOptions("c", ExpressionUnit.TPM, Scale.LINEAR, "x"))


@pytest.mark.parametrize(
    ("text", "gene_id", "id_type", "source"),
    [
        ("CD3D", "CD3D", "symbol", None),
        ("ELTD1", "ADGRL4", "symbol", "ELTD1"),
        ("CXorf36|79742", "DIPK2B", "symbol", "CXorf36|79742"),
        ("?|10357", "entrez:10357", "entrez", "?|10357"),
        ("10357", "entrez:10357", "entrez", "10357"),
        ("ENSG00000000003.13", "ENSG00000000003", "ensembl", "ENSG00000000003.13"),
        ("ENSG00000000003", "ENSG00000000003", "ensembl", None),
        ("1557733_a_at", "1557733_a_at", "probeset", None),
        ("200000_s_at", "200000_s_at", "probeset", None),
    ],
)
def test_gene_names(text, gene_id, id_type, source):
    assert gene_name(text) == (gene_id, id_type, source)


def test_a_legacy_symbol_stays_where_the_file_has_both(tmp_path):
    assert set(values_of(read(tmp_path, f"gene,{T}\nELTD1,1\nADGRL4,2\n"))) == {"ELTD1", "ADGRL4"}


def test_spreadsheet_dates_and_y_copies(tmp_path):
    assert is_date("2-Sep") and not is_date("CD3D") and is_y_copy("ENSG00000002586.20_PAR_Y")
    content = read(tmp_path, f"gene,{T}\n2-Sep,1\nENSG00000002586.20,1\nENSG00000002586.20_PAR_Y,9\n")
    assert [r for r, _ in rules(content)] == ["rna.gene-is-a-date", "rna.par-y"]
    assert values_of(content)["ENSG00000002586"] == [1.0]


def test_real_matrices(shared):
    """The published files, as they are: sizes and edges that data/README.md names."""

    def matrix(name, unit, scale, **options):
        path = shared / "expression" / name
        return rna.read(path, rna.MatrixOptions("tcga-brca", ExpressionUnit(unit), Scale(scale), name, **options))

    pairs = matrix("tcga-brca-rsem-110-pairs.csv.gz", "rsem", "linear")
    assert pairs.matrix.values.shape == (18708, 220) and not pairs.errors
    assert {"ADGRL4", "DIPK2B", "CAVIN2", "entrez:100133144"} <= set(pairs.matrix.genes.ids)
    aliquots = matrix("tcga-brca-rsem-909-genes-1218-aliquots.csv.gz", "rsem", "linear")
    codes = [r.values["sample_type_code"] for r in aliquots.records if r.table is Sample]
    assert (codes.count("01"), codes.count("06"), codes.count("11")) == (1097, 7, 114)
    counts = matrix("tcga-brca-htseq-counts-9-pairs-ensembl.csv.gz", "counts", "linear")
    assert len(counts.matrix.profile_ids) == 18 and "ENSG00000000003" in counts.matrix.genes.ids
    long = matrix("tcga-brca-mcp-markers-110-pairs-long.csv.gz", "rsem", "linear")
    assert len(long.matrix.profile_ids) == 220 and len(long.matrix.genes) == 106
    tumors = matrix("tcga-brca-rsem-1382-genes-956-tumors.csv.gz", "rsem", "linear", sample_type="01")
    assert {f.rule for f in tumors.findings} == {"rna.negative"} and len(tumors.matrix.genes) == 1382 - 135
    tumors = matrix(
        "tcga-brca-rsem-1382-genes-956-tumors.csv.gz", "rsem", "linear", sample_type="01", clip_negative=True
    )
    assert [f.rule for f in tumors.findings] == ["rna.clipped"] and "7,444 values" in tumors.findings[0].message
    assert tumors.matrix.values.shape == (1382, 956) and tumors.matrix.values.min() == 0
