"""Files as people have them: one small table in many makes, each read with the same values, or refused by its name.

The values are by hand. The layouts follow the pages of the programs and archives that write them.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import openpyxl
import pytest

from ingest.expression import rna
from ingest.gdc import clinical as gdc_clinical
from ingest.gdc import sample_sheet
from ingest.tables import mapped, maps
from tests.ingest.test_rna import values_of
from tshdb.errors import InvalidInput
from tshdb.file_content import FileContent
from tshdb.schema import FollowUp, Patient, Sample
from tshdb.text_files import delimiter_of, open_table, open_text
from tshdb.vocabulary import ExpressionUnit, Scale

SAMPLES = [f"TCGA-Z1-Q00{i}-{kind}A" for i in (1, 2) for kind in ("01", "11")]
GENES = {  # symbol: (Ensembl, Entrez, values)
    "CD8B": ("ENSG00000172116", "926", (40, 20, 12, 30)),
    "CD8A": ("ENSG00000153563", "925", (50, 25.5, 16, 8)),
    "TP53": ("ENSG00000141510", "7157", (300, 280, 310, 150)),
}
WANTED = {gene: list(map(float, values)) for gene, (_, _, values) in GENES.items()}


def table(above, header, names, tab="\t", end="\n") -> str:
    """names: (symbol, Ensembl, Entrez) -> the first fields of a row."""
    rows = [tab.join([*names(g, e, n), *map(str, v)]) for g, (e, n, v) in GENES.items()]
    return end.join([*above, tab.join(header), *rows]) + end


PLAIN = table([], ["gene", *SAMPLES], lambda g, e, n: [g])
QUOTED = table([], [f'"{s}"' for s in SAMPLES], lambda g, e, n: [f'"{g}"'])


def packed_tar(name: str, text: str, mode: str = "w:gz", others: int = 0) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as packed:
        for each in [name, *(f"other{i}.txt" for i in range(others))]:
            member = tarfile.TarInfo(each)
            member.size = len(text.encode())
            packed.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def packed_zip(text: str, *names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name in names:
            packed.writestr(name, text)
    return buffer.getvalue()


def workbook(*sheets: tuple[str, list[list]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


MATRIX = [["gene", *SAMPLES], *([g, *v] for g, (_, _, v) in GENES.items())]
SERIES = "\n".join([
    '!Series_title\t"Invented"', "", "!Sample_title\t" + "\t".join(f'"{s}"' for s in SAMPLES),
    "!Sample_geo_accession\t" + "\t".join(f'"GSM{i}"' for i in range(4)),
    "!Sample_characteristics_ch1\t" + "\t".join(f'"er: {w}"' for w in ("pos", "pos", "neg", "neg")),
    "!series_matrix_table_begin", '"ID_REF"\t' + "\t".join(f'"GSM{i}"' for i in range(4)),
    *(f'"{g}"\t' + "\t".join(map(str, v)) for g, (_, _, v) in GENES.items()), "!series_matrix_table_end", "",
])  # fmt: skip
COMMAS = table([], ["gene", *SAMPLES], lambda g, e, n: [g], ";").replace("25.5", "25,5")

READ = {
    "plain": PLAIN,
    "commas": PLAIN.replace("\t", ","),
    "CR alone": PLAIN.replace("\n", "\r"),
    "CR LF": PLAIN.replace("\n", "\r\n"),
    "UTF-8 with a mark": PLAIN.encode("utf-8-sig"),
    "UTF-16": PLAIN.encode("utf-16"),
    "UTF-16, big end first, without a mark": PLAIN.encode("utf-16-be"),
    "gzip": gzip.compress(PLAIN.encode()),
    "bzip2": bz2.compress(PLAIN.encode()),
    "xz": lzma.compress(PLAIN.encode()),
    "zip": packed_zip(PLAIN, "m.tsv", "__MACOSX/._m.tsv"),
    "tar.gz": packed_tar("level_3/m.tsv", PLAIN),
    "tar": packed_tar("m.tsv", PLAIN, "w"),
    "R's write.table": QUOTED,
    "R's write.csv": '"",' + QUOTED.replace("\t", ","),
    "R's write.table, as it is without sep": QUOTED.replace("\t", " "),
    "R's row numbers before the genes": '"","gene",' + ",".join(SAMPLES) + "\n"
    + "".join(f'"{i}","{g}",{",".join(map(str, v))}\n' for i, (g, (_, _, v)) in enumerate(GENES.items(), 1)),
    "semicolons and decimal commas": COMMAS,
    "a spreadsheet's sep=": "sep=;\r\n" + COMMAS.replace("\n", "\r\n"),
    "GCT": table(["#1.2", "3\t4"], ["Name", "Description", *SAMPLES], lambda g, e, n: [e + ".1", g]),
    "GCT by symbols": table(["#1.2", "3\t4"], ["NAME", "Description", *SAMPLES], lambda g, e, n: [g, "na"]),
    "Firehose": table(
        [], ["Hybridization REF", *(s + "-11R-A115-07" for s in SAMPLES)], lambda g, e, n: [f"{g}|{n}"]
    ).replace("07\nCD8B", "07\ngene_id\t" + "\t".join(["normalized_count"] * 4) + "\nCD8B"),
    "featureCounts": table(
        ['# Program:featureCounts v2.0.6; Command:"featureCounts" "-a" "genes.gtf"'],
        ["Geneid", "Chr", "Start", "End", "Strand", "Length", *(f"/data/{s}.sorted.bam" for s in SAMPLES)],
        lambda g, e, n: [g, "chr1;chr1", "1;50", "40;99", "+;+", "90"],
    ),
    "nf-core's salmon.merged": table([], ["gene_id", "gene_name", *SAMPLES], lambda g, e, n: [e + ".5", g]),
    "cBioPortal": table([], ["Hugo_Symbol", "Entrez_Gene_Id", *SAMPLES], lambda g, e, n: [g, n]),
    "Xena": table([], ["sample", *SAMPLES], lambda g, e, n: [g]),
    "biomaRt's columns behind": "\n".join(
        line + tail for line, tail in zip(PLAIN.splitlines(), ("\tgene_biotype\tend", "\tx\t1", "\tx\t2", "\tx\t3"), strict=True)
    ) + "\n",
    "names of R": table([], ["gene", *(s.replace("-", ".") for s in SAMPLES)], lambda g, e, n: [g]),
    "merged HTSeq": PLAIN + "".join(f"{n}\t9\t9\t9\t9\n" for n in ("__no_feature", "__alignment_not_unique", "N_unmapped")),
    "GEO's series matrix": SERIES,
    "GEO's, with line ends in its texts": SERIES.replace('"Invented"', '"In\nvented\r\n"').replace(
        "!Sample_geo", '!Sample_note\t"a\n"\t"b\r"\t"c"\t"d"\n!Sample_geo'
    ),
    "GEO's series matrix, packed": gzip.compress(SERIES.encode()),
    "a workbook": workbook(("notes", [["read me"]]), ("expression", MATRIX)),
}  # fmt: skip


def read(tmp_path, data: bytes | str, sheet=None, scale=Scale.LINEAR):
    path = tmp_path / "table"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return rna.read(path, rna.MatrixOptions("c", ExpressionUnit.RSEM, scale, "m"), sheet)


@pytest.mark.parametrize("make", READ)
def test_a_make_is_read_with_its_values(tmp_path, make):
    content = read(tmp_path, READ[make])
    assert content.errors == []
    assert values_of(content) == WANTED
    assert [r.values["sample_id"] for r in content.records if r.table is Sample] == SAMPLES


REFUSED = {
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(64), "an HDF5 file"),
    "R, packed": (gzip.compress(b"X\n\x00\x00\x00\x03" + bytes(64)), "an object of R"),
    "Parquet": (b"PAR1" + bytes(64), "a Parquet file"),
    "a page": (b"<!DOCTYPE html><html>error</html>", "a web page"),
    "tar of two": (packed_tar("a.txt", PLAIN, others=1), "a tar archive of 2 files"),
    "zip of two": (packed_zip(PLAIN, "a.txt", "b.txt"), "a zip archive of 2 files"),
    "a workbook of two tables": (workbook(("a", MATRIX), ("b", MATRIX)), "a workbook with 2 sheets"),
    "a stray CR": (PLAIN.replace("CD8A\t", "CD8A\r\t"), "lines end in two ways"),
    "Latin-1": (PLAIN.replace("CD8B", "Größe").encode("latin-1"), "Windows-1252"),
    "GCT 1.3": ("#1.3\n1\t1\t0\t0\nid\tS\n", "GCT of version 1.3"),
    "GCT that is cut": (READ["GCT"].rpartition("ENSG")[0], "it is cut"),
    "GEO that is cut": (SERIES.partition("!series_matrix_table_end")[0], "it is cut"),
    "GEO with an empty table": (SERIES.partition('"CD8B"')[0] + "!series_matrix_table_end\n", "supplementary files"),
    "GEO without a table": ('!Series_title\t"a"\n!Sample_title\t"b"\n', "without a table"),
    "SOFT": ("^DATABASE = GeoMiame\n!Database_name = Gene\n", "a SOFT file of GEO"),
    "cBioPortal's meta": ("cancer_study_identifier: brca\nstable_id: rna\n", "a meta file of cBioPortal"),
    "Firehose, several values": (
        f"Hybridization REF\t{SAMPLES[0]}\t{SAMPLES[0]}\ngene_id\traw_count\tscaled_estimate\nA|1\t1\t2\n", "2 kinds of values",
    ),
    "STAR": ("N_unmapped\t5\t5\t5\nENSG00000000003\t1\t2\t3\n", "STAR's ReadsPerGene"),
    "HTSeq": ("ENSG00000000003\t1\nENSG00000000005\t2\n", "HTSeq's counts"),
    "RSEM": ("gene_id\ttranscript_id(s)\tlength\texpected_count\tTPM\tFPKM\nA\ta\t1\t1\t1\t1\n", "RSEM's result"),
    "salmon": ("Name\tLength\tEffectiveLength\tTPM\tNumReads\nENST00000000001\t1\t1\t1\t1\n", "salmon's quant.sf"),
    "kallisto": ("target_id\tlength\teff_length\test_counts\ttpm\nENST00000000001\t1\t1\t1\t1\n", "kallisto's abundance"),
    "transcripts": (PLAIN.replace("CD8B", "ENST00000000001").replace("CD8A", "ENST00000000002"), "the rows are transcripts"),
    "tximport": ('"","abundance.A","counts.A","length.A"\n"TP53",1,2,3\n', "tximport's whole list"),
    "the GDC's": ("# gene-model: GENCODE v36\ngene_id\tgene_name\n", "one sample of the GDC"),
    "MatrixMarket": ("%%MatrixMarket matrix coordinate integer general\n1 1 1\n", "MatrixMarket"),
    "row numbers and no genes": ('"","TCGA-Z1-Q001-01A"\n"1",5\n"2",6\n', "counts the rows"),
    "a quotation mark left open": (PLAIN.replace("\t", ",") + 'CD19,1,2,3,"4', "within a quoted field"),
}  # fmt: skip


@pytest.mark.parametrize("make", REFUSED)
def test_a_make_is_refused_by_its_name(tmp_path, make):
    data, says = REFUSED[make]
    with pytest.raises(InvalidInput, match=says) as refused:
        read(tmp_path, data)
    assert refused.value.repair


def test_a_column_that_is_no_sample_takes_part_in_nothing(tmp_path):
    rows = "CD3D\t915\t800\t400\nCD3D\t100500\t1\t2\nCD28\t940\t50\t60\n\t7157\t1\t1\n"
    content = read(tmp_path, f"Hugo_Symbol\tEntrez_Gene_Id\t{SAMPLES[0]}\t{SAMPLES[1]}\n{rows}")
    assert values_of(content) == {"CD28": [50, 60], "CD3D": [800, 400], "entrez:7157": [1, 1]}
    nobody = read(tmp_path, f"gene\tnobody\t{SAMPLES[0]}\nCD3D\t-9\t800\nCD3D\t100500\t1\n")
    assert [f.rule for f in nobody.errors] == ["rna.unknown-sample"], "and its values are not judged either"
    assert values_of(nobody) == {"CD3D": [800]}


def test_an_id_that_shares_its_symbol_keeps_its_name(tmp_path):
    rows = "ENSG00000000001.2\tAAA\t1\nENSG00000000002.1\tAAA\t2\nENSG00000000003.1\tBBB\t3\nENSG00000000004.1\t\t4\n"
    content = read(tmp_path, f"gene_id\tgene_name\t{SAMPLES[0]}\n{rows}")
    assert values_of(content) == {"ENSG00000000001": [1], "ENSG00000000002": [2], "BBB": [3], "ENSG00000000004": [4]}
    assert content.findings == []


def test_a_sample_named_twice_is_neither_of_them(tmp_path):
    content = read(tmp_path, f"gene\t{SAMPLES[0]}\t{SAMPLES[0]}\t{SAMPLES[1]}\nCD3D\t1\t2\t3\n")
    assert [f.rule for f in content.errors] == ["rna.sample-twice"] and values_of(content) == {"CD3D": [3]}


def test_names_of_r_are_those_of_the_sheet(tmp_path):
    sheet = sample_sheet.SampleSheet({"7-AB": sample_sheet.SampleRow("7-AB", "P7", "01", "tumor")})
    content = read(tmp_path, "gene\tX7.AB\nCD3D\t1\n", sheet)
    assert [r.values["patient_id"] for r in content.records if r.table is Patient] == ["P7"]
    assert [f.rule for f in content.findings] == ["rna.names-of-r"]


def test_names_of_r_in_a_column_are_said_too(tmp_path):
    content = read(tmp_path, "gene,sample,value\nCD3D,TCGA.Z1.Q001.01A,1.5\n")
    assert [r.values["sample_id"] for r in content.records if r.table is Sample] == ["TCGA-Z1-Q001-01A"]
    assert [f.rule for f in content.findings] == ["rna.names-of-r"]


@pytest.mark.parametrize(
    ("text", "values"),
    [("gene;S\nA;1,5\nB;2\n", [1.5, 2.0]), ("gene\tS\nA\t1,5\nB\t-2,25e1\n", [1.5, -22.5]), ("gene;S\nA;1,234\nB;2\n", None),
     ("gene;S\nA;1,5\nB;2.5\n", None), ('gene,S\nA,"1,5"\nB,2\n', None)],
)  # fmt: skip
def test_decimal_commas_are_read_where_nothing_else_is_possible(tmp_path, text, values):
    content = read(tmp_path, text.replace("S\n", f"{SAMPLES[0]}\n", 1), scale=Scale.LOG2)
    rules = [f.rule for f in content.findings]
    assert ("text.decimal-comma" in rules) == (values is not None) and ("rna.not-a-number" in rules) == (values is None)
    if values:
        assert [v for (v,) in values_of(content).values()] == values


# ---------------------------------------------------------------------------------------------------- tables of text


def rows(tmp_path, text: str | bytes, **how):
    path = tmp_path / "t"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    content = FileContent()
    with open_table(path, content, "clinical.field-count", **how) as opened:
        return opened.header, [fields for _, fields in opened.rows], [(f.rule, f.line) for f in content.findings]


@pytest.mark.parametrize(
    ("text", "header", "first"),
    [
        ('"id"\t"n"\n"a"\t1\n"b"\t2\n', ["id", "n"], ["a", "1"]),
        ('id\tn\n5" nail\t1\n', ["id", "n"], ['5" nail', "1"]),
        ('id\tn\n"say ""a"""\t1\n', ["id", "n"], ['say "a"', "1"]),
        ('id\tn\n"say \\"a\\""\t1\n', ["id", "n"], ['say "a"', "1"]),
        ('"id"\t"n"\n"1"\t"a"\t1\n"2"\t"b"\t2\n', ["row.names", "id", "n"], ["1", "a", "1"]),
        ("#1\n#2\n#3\n#4\nid\tn\na\t1\n", ["id", "n"], ["a", "1"]),
        ("#id\tn\na\t1\n", ["#id", "n"], ["a", "1"]),
        ("\n\nid,n\na,1\n", ["id", "n"], ["a", "1"]),
        ('id;"size, mm";n\na;1;2\n', ["id", "size, mm", "n"], ["a", "1", "2"]),
        ('id,n\n"a\rb",1\n', ["id", "n"], ["a\rb", "1"]),
        ('"id" "n"\n"a b" 1\n', ["id", "n"], ["a b", "1"]),
    ],
)
def test_a_table_is_read_as_it_was_written(tmp_path, text, header, first):
    assert rows(tmp_path, text)[:2][0] == header
    assert rows(tmp_path, text)[1][0] == first and rows(tmp_path, text)[2] == []


def test_rows_that_end_with_a_delimiter_have_no_nameless_column(tmp_path):
    header, whole, findings = rows(tmp_path, "id\tn\na\t1\t\nb\t2\t\n")
    assert header == ["id", "n"] and whole == [] and [f for f, _ in findings] == ["clinical.field-count"] * 2


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("id,n\na,1\nb,2", [("text.last-line-open", 3)]),
        ("id,n\na,1\nb", [("text.last-line-open", 3)]),
        ("id,n\n" + "a,1\n" * 9 + "b,26.1", [("text.last-line-open", 11)]),
        ('id,n\na,1\nb,"x, y ""z"""', []),
        ('id,n\na,1\nb,2"', [("text.last-line-open", 3)]),
        ('id\tn\na\t1\nb\t"2"', []),
        ("id,n", []),
    ],
)
def test_the_row_of_a_last_line_without_an_end_is_withheld(tmp_path, text, findings):
    """A file must end as its format ends: what a quotation mark closes is whole, all else may be cut."""
    _, whole, found = rows(tmp_path, text)
    assert found == findings
    assert len(whole) == text.count("\n") - bool(findings)


def test_a_name_that_stands_twice_is_refused_or_gets_its_place(tmp_path):
    with pytest.raises(InvalidInput, match=r"'time' stands 2 times in the header \(columns 2, 4\)"):
        rows(tmp_path, "id,time,x,time\na,1,2,3\n")
    assert rows(tmp_path, "id,time,x,time\na,1,2,3\n", needs=())[0] == ["id", "time (column 2)", "x", "time (column 4)"]


def test_what_is_no_utf8_is_read_where_its_encoding_is_said(tmp_path):
    (tmp_path / "t").write_bytes("id\nGröße\n".encode("cp1252"))
    with open_text(tmp_path / "t", "cp1252") as file:
        assert file.read() == "id\nGröße\n"


def test_the_delimiter_is_looked_for_outside_of_quotation_marks():
    assert [delimiter_of(h) for h in ("a\tb,c", 'a;"b,c,d"', "a,b;c,d", '"a" "b"', "a b")] == ["\t", ";", ",", " ", ","]


# ------------------------------------------------------------------------------------------------------- clinical

OF_2018 = ["case_id", "submitter_id", "project_id", "gender", "vital_status", "days_to_death", "days_to_last_follow_up"]
LIVING = ["u1", "TCGA-Z1-Q001", "TCGA-BRCA", "female", "Alive", "--", "300"]


def gdc(tmp_path, header, *lines, collection="tcga-brca"):
    path = tmp_path / "clinical.tsv"
    path.write_text("".join("\t".join(row) + "\n" for row in (header, *lines)))
    return gdc_clinical.read(path, collection)


def patients(content) -> list[str]:
    return [r.values["patient_id"] for r in content.records if r.table is Patient]


def test_the_gdcs_tables_of_all_years(tmp_path):
    assert patients(gdc(tmp_path, OF_2018, LIVING)) == ["TCGA-Z1-Q001"]
    prefixed = [f"cases.{name}" for name in OF_2018]
    assert patients(gdc(tmp_path, prefixed, LIVING)) == ["TCGA-Z1-Q001"]
    several = [*OF_2018, "submitter_id", "submitter_id"]
    assert patients(gdc(tmp_path, several, [*LIVING, "TCGA-Z1-Q001_diagnosis", "TCGA-Z1-Q001-01A"])) == ["TCGA-Z1-Q001"]
    with pytest.raises(InvalidInput, match="no column case_submitter_id"):
        gdc(tmp_path, several, [*LIVING, "TCGA-Z1-Q009", "x"])
    with pytest.raises(InvalidInput, match="'vital_status' stands 2 times"):
        gdc(tmp_path, [*OF_2018, "vital_status"], [*LIVING, "Dead"])


def test_rows_of_another_project_are_told_once_and_withheld(tmp_path):
    others = [[f"u{i}", f"TCGA-Z1-R00{i}", "TCGA-THCA", *LIVING[3:]] for i in (1, 2, 3)]
    content = gdc(tmp_path, OF_2018, LIVING, *others)
    assert patients(content) == ["TCGA-Z1-Q001"] and content.n_withheld == 3
    (error,) = content.errors
    assert (error.rule, error.line, error.value) == ("clinical.other-project", 3, "TCGA-THCA")
    assert len(patients(gdc(tmp_path, OF_2018, LIVING, *others, collection="mine"))) == 4, "a name of its own takes all"


def test_geos_samples_are_a_clinical_table(tmp_path):
    (tmp_path / "t").write_text(SERIES)
    map_ = maps.parse_map(
        '[patient_id]\ncolumn = "title"\npattern = "(TCGA-..-....)-01A"\ntemplate = "{1}"\n'
        '[table]\nwhere = { column = "geo_accession", equals = ["GSM0", "GSM2"] }\n'
        '[patients.er_status]\ncolumn = "er"\ncodes = { pos = "positive", neg = "negative" }\n', "m",
    )  # fmt: skip
    content = mapped.read(tmp_path / "t", "c", map_)
    assert [(r.values["patient_id"], r.values["er_status"]) for r in content.records] == [
        ("TCGA-Z1-Q001", "positive"), ("TCGA-Z1-Q002", "negative"),
    ]  # fmt: skip


def test_a_map_names_one_of_two_columns_by_its_place(tmp_path):
    (tmp_path / "t").write_text("id,time,status,time,status\nP00001,1000,0,200,1\n")
    text = (
        '[patient_id]\ncolumn = "id"\n[follow_ups.OS]\ntime_origin = "diagnosis"\n'
        'event = { column = AT, codes = { "0" = false, "1" = true } }\nduration = { column = "time", unit = "days" }\n'
    )
    with pytest.raises(InvalidInput, match="stands 2 times"):
        mapped.read(tmp_path / "t", "c", maps.parse_map(text.replace("AT", "3"), "m"))
    text = text.replace("AT", "3").replace('"time"', "2")
    content = mapped.read(tmp_path / "t", "c", maps.parse_map(text, "m"))
    (outcome,) = [r.values for r in content.records if r.table is FollowUp]
    assert (outcome["event"], outcome["duration_days"]) == (False, 1000.0)
    assert {v.field: v.value for v in content.raw_values} == {
        "time (column 2)": "1000", "status (column 3)": "0", "time (column 4)": "200", "status (column 5)": "1",
    }  # fmt: skip
