"""Matrices of expression: cells, rows, columns and delimiters that are not what they seem."""

from __future__ import annotations

import pytest

from ingest.expression import rna
from tests.ingest.test_rna import values_of
from tests.ingest.zoo.judge import CLEAN, SAMPLES, Found, Refused, W, judge, look_at_matrix, matrix, written
from tshdb.vocabulary import ExpressionUnit, Scale

PLAIN = matrix()
COMMAS = matrix(tab=",")
MANY = matrix([f"LOC{i}" for i in range(60)])
LONG = "gene,sample,value\n" + "".join(
    f"{g},{s},{(i + 1) * (j + 2) * 7.5 + 0.25}\n" for i, g in enumerate(("CD8A", "TP53")) for j, s in enumerate(SAMPLES)
)
WORDS = "rna.not-a-number"
CELLS = {cell: (PLAIN.replace("15.25", cell), Found(WORDS, line=2)) for cell in (
    "1,015.25", "1 015.25", "1\u00a0015.25", "15\u200b.25", "１５．２５", "15.25%", "<1", ">90", "15-20", "~15", "15.25*",
    "#REF!", "#DIV/0!", "#VALUE!", "0x1F", "1e400", "inf", "1_5", "n.d.", "-", "?", "TRUE",
)}  # fmt: skip


def with_row(text: str, row: int, new: str) -> str:
    """The text with one more line before line `row` + 1."""
    lines = text.splitlines(keepends=True)
    return "".join([*lines[:row], new + "\n", *lines[row:]])


SIX = "\t".join
ROWS = {
    "a delimiter at each row's end that the header lacks": (
        "".join(line + ("\t" if i else "") + "\n" for i, line in enumerate(PLAIN.splitlines())),
        Refused("each row ends with a delimiter.*Take it off"),
    ),
    "a header that names the genes, and a column less": (PLAIN.replace("\tTCGA-Z1-Q003-11A", ""), Refused("Give each column")),
    "one value, far below, in a column without a name": (
        MANY.replace("\n", "\t\n")[:-1] + "9\n", Found("rna.field-count", says="column 8 has no name", line=61),
    ),
    "values below no name at all": (
        "".join(line + ("\t5" if i else "\t") + "\n" for i, line in enumerate(PLAIN.splitlines())),
        Found("rna.unknown-sample", says="no sample's name"),
    ),
    "a row cut short": (PLAIN[:-12] + "\n", Found("rna.field-count", says="6 fields")),
    "a NUL in a name": (PLAIN.replace("TP53", "TP\x0053"), Refused("NUL character.*Fetch it again")),
    "NULs behind the end": (PLAIN + "\x00" * 40, Refused("NUL character")),
    "the mark of an old editor's end": (PLAIN + "\x1a", Found("text.last-line-open")),
    "a total below": (with_row(PLAIN, 5, SIX(["Total", *["500"] * 6])), Found("rna.summary-row", W, "a sum", 6)),
    "a sum below, in German": (with_row(PLAIN, 5, SIX(["Summe", *["500"] * 6])), Found("rna.summary-row", W, line=6)),
    "a sum under the name of a gene": (
        with_row(PLAIN, 5, SIX(["ACTB", *[str(75 * (j + 2) + 1) for j in range(6)]])),
        Found("rna.summary-row", W, "the sums of all other rows", 6),
    ),
    "a note below": (PLAIN + "Source: a table of ours\n", Found("rna.field-count", says="1 fields")),
    "a row of units": (with_row(PLAIN, 1, SIX(["unit", *["TPM"] * 6])), Found("rna.row-of-words", says="header row", line=2)),
    "a row of groups below the header": (with_row(PLAIN, 1, SIX(["", *["T", "N"] * 3])), Found("rna.row-of-words", line=2)),
    "a row of groups above the header": (
        SIX(["", *["Tumour", "Normal"] * 3]) + "\n" + PLAIN, Refused("named on line 2.*Take line 1"),
    ),
    "the header once more": (PLAIN + PLAIN, Found("rna.row-of-words", line=6, also=("rna.gene-twice",))),
    "a mean beside the samples": (
        "".join(line + ("\t500" if i else "\tMean") + "\n" for i, line in enumerate(PLAIN.splitlines())), Found("id.summary"),
    ),
    "a gene whose name hides a character": (PLAIN.replace("TP53", "TP53\u200b"), Found("rna.gene-quoted", says="U+200B", line=3)),
    "a byte-order mark in the middle": (PLAIN.replace("TP53", "\ufeffTP53"), Found("rna.gene-quoted", says="U+FEFF")),
    "a gene in two spellings": (PLAIN.replace("ESR1", "Tp53"), Found("rna.gene-case", W, "TP53")),
    "two versions of one gene": (
        matrix(("ENSG00000153563.1", "ENSG00000153563.2")), Found("rna.gene-twice", W, "higher mean", 2),
    ),
    "the second copy on Y": (
        matrix(("ENSG00000182378.15", "ENSG00000182378.15_PAR_Y", "ENSG00000141510.18")), Found("rna.par-y", W),
    ),
    "a long table's total": (LONG + "Total,,500\n", Found("rna.unknown-sample", line=14, also=("rna.summary-row",))),
    "a long table's value without a sample": (LONG + "CD8A,,5\n", Found("rna.unknown-sample", line=14)),
    "a long table's value without a gene": (LONG + f",{SAMPLES[0]},5\n", Found("rna.no-gene", W, line=14)),
    "a long table's value twice": (LONG + f"CD8A,{SAMPLES[0]},5\n", Found("rna.value-twice", line=14)),
    "a long table of another unit": (LONG.replace("value", "fpkm"), Refused("stand in fpkm, and the unit is tpm")),
    "a long table of two units, neither said": (
        LONG.replace("value", "fpkm,rsem").replace("\n", ",1\n").replace("rsem,1", "rsem"), Refused("stand in fpkm, rsem"),
    ),
}  # fmt: skip
NAMES = {
    "barcodes in lower case": (matrix(names=[s.lower() for s in SAMPLES]), Found("id.lower-case", says="TCGA-Z1-Q001-01A")),
    "barcodes with underscores": (matrix(names=[s.replace("-", "_") for s in SAMPLES]), Found("id.tcga-barcode")),
    "a sample twice": (matrix(names=[*SAMPLES[:5], SAMPLES[0]]), Found("rna.sample-twice", says="2 times")),
    "a sample twice, which pandas has renamed": (matrix(names=[*SAMPLES[:5], SAMPLES[0] + ".1"]), Found("rna.unknown-sample")),
    "patients for samples": (
        matrix(names=["TCGA-Z1-Q001", "TCGA-Z1-Q002"]), Found("rna.unknown-sample", says="--sample-type 01"),
    ),
    "files' UUIDs for samples": (
        matrix(names=["0a1b2c3d-1111-4222-8333-444455556666", "1a1b2c3d-1111-4222-8333-444455556666"]),
        Found("rna.unknown-sample", says="--samples"),
    ),
    "two aliquots of one tumour": (
        matrix(names=["TCGA-Z1-Q001-01A-11R-A115-07", "TCGA-Z1-Q001-01A-12R-A116-07"]), Found("aliquot.several", W),
    ),
    "two vials of one tumour": (matrix(names=["TCGA-Z1-Q001-01A", "TCGA-Z1-Q001-01B"]), Found("aliquot.several", W)),
    "blood beside a metastasis": (
        matrix(names=["TCGA-Z1-Q001-10A", "TCGA-Z1-Q001-06A"]), Found("sample.other-tissue", W, "neither tumour"),
    ),
    "a sample that became a date": (matrix(names=["2020-09-02", SAMPLES[1]]), Found("id.date")),
    "a sample that became a number": (matrix(names=["1.2E+11", SAMPLES[1]]), Found("id.number")),
    "genes across and samples down": (
        "".join("\t".join(r) + "\n" for r in zip(*[line.split("\t") for line in PLAIN.splitlines()], strict=True)),
        Refused('orientation = "samples_in_rows"'),
    ),
}  # fmt: skip
ALL = {**CELLS, **ROWS, **NAMES}


@pytest.mark.parametrize("trap", ALL)
def test_a_matrix_is_not_what_it_seems(zoo_study, tmp_path, trap):
    data, verdict = ALL[trap]
    judge(look_at_matrix(zoo_study, tmp_path, data), verdict)


FIRST = {"CD8A": 15.25, "TP53": 30.25, "ESR1": 45.25, "GNLY": 60.25}
RIGHT = {
    "a delimiter at every line's end": (PLAIN.replace("\n", "\t\n"), FIRST),
    "a delimiter at the header's end alone": (PLAIN.replace("\n", "\t\n", 1), FIRST),
    "commas at every line's end": (COMMAS.replace("\n", ",,\n"), FIRST),
    "rows of delimiters below": (PLAIN + "\t" * 6 + "\n" + "\t" * 6 + "\n", FIRST),
    "an empty line in the middle": (with_row(PLAIN, 2, ""), FIRST),
    "bars between the fields": (PLAIN.replace("\t", "|"), FIRST),
    "no-break spaces around numbers": (PLAIN.replace("30.25", "\u00a030.25\u00a0"), FIRST),
    "a no-break space behind a gene": (PLAIN.replace("TP53", "TP53\u00a0"), FIRST),
    "digits of another script": (PLAIN.replace("15.25", "١٥.٢٥"), FIRST),
    "an id column behind": (
        "".join(line + (f"\t{i * 900}" if i else "\tentrez_id") + "\n" for i, line in enumerate(PLAIN.splitlines())), FIRST,
    ),
    "an id and its symbol in one name": (
        matrix(("ENSG00000153563.16|CD8A", "ENSG00000141510.18|TP53")), {"CD8A": 15.25, "TP53": 30.25},
    ),
    "an id and its symbol, with an underscore": (
        matrix(("ENSG00000153563_CD8A", "ENSG00000141510_TP53")), {"CD8A": 15.25, "TP53": 30.25},
    ),
    "Illumina's probes beside their symbols": (
        matrix(("ILMN_1762337\tCD8A", "ILMN_2055271\tTP53"), head="ID_REF\tSymbol"), {"CD8A": 15.25, "TP53": 30.25},
    ),
    "Agilent's probes beside their symbols": (
        matrix(("A_23_P100001\tCD8A", "A_33_P3211666\tTP53"), head="probe_id\tGene Symbol"),
        {"CD8A": 15.25, "TP53": 30.25},
    ),
    "StringTie's loci": (matrix(("MSTRG.12|TP53", "ENSG00000153563|CD8A")), {"CD8A": 30.25, "TP53": 15.25}),
    "ids that share a symbol": (
        matrix(("ENSG00000000001.2|AAA", "ENSG00000000002.1|AAA")), {"ENSG00000000001": 15.25, "ENSG00000000002": 30.25},
    ),
    "a symbol and its Entrez number": (matrix(("CD8A|925", "?|7157")), {"CD8A": 15.25, "entrez:7157": 30.25}),
    "several columns of values, one of the unit": (
        LONG.replace("value", "tpm,fpkm").replace("\n", ",1\n").replace("fpkm,1", "fpkm"), {"CD8A": 15.25, "TP53": 30.25},
    ),
}  # fmt: skip


@pytest.mark.parametrize("make", RIGHT)
def test_a_matrix_is_read_rightly_all_the_same(tmp_path, make):
    data, wanted = RIGHT[make]
    path = written(tmp_path, "m.tsv", data)
    content = rna.read(path, rna.MatrixOptions("c", ExpressionUnit.TPM, Scale.LINEAR, "m"))
    assert content.errors == []
    assert {gene: values[0] for gene, values in values_of(content).items()} == wanted
    assert [p for p in content.matrix.profile_ids if p.startswith("TCGA-Z1-Q003-11A")]


def test_without_a_trap_there_is_no_finding(zoo_study, tmp_path):
    judge(look_at_matrix(zoo_study, tmp_path, PLAIN), CLEAN)
    judge(look_at_matrix(zoo_study, tmp_path, LONG, name="l.csv"), CLEAN)
