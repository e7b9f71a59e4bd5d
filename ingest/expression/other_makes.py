"""Files of expression that are no table of genes and samples: each is refused by its name, with what to do.

They hold one sample without its name (STAR, HTSeq, salmon, kallisto, RSEM, Cufflinks), transcripts, several values a sample,
fold changes, mutations, copy numbers, or no values at all. They are told by their first rows, never by their names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tshdb.errors import InvalidInput
from tshdb.text_files import number

MERGE = "Merge the samples into one table, a column each, named by the samples"
SUM_UP = f"In R: tximport sums them up to genes. {MERGE}"
NOT_READ = "It is not read: name a table of the expression of genes"
OF_GROUPS = "Take the table of counts or of expression from which they were made"
OF_THE_GDC = "tshdb ingest tcga-brca --from FOLDER, with its sample sheet"
STAR = "one sample of the GDC (STAR counts)"
FIRST_LINES = (
    ("#1.3", "GCT of version 1.3, which has rows of metadata", "Save it as GCT 1.2, or as a plain table"),
    ("# gene-model", STAR, OF_THE_GDC),
    ("%%MatrixMarket", "a sparse matrix (MatrixMarket), as of single cells", "Sum it up a sample, and write a table"),
    ("^DATABASE", "a SOFT file of GEO", "Take the series matrix (…_series_matrix.txt.gz) of the same page"),
    (
        "cancer_study_identifier:",
        "a meta file of cBioPortal, which tells of a table",
        "Name the data_….txt that it is of",
    ),
    ("type_of_cancer:", "a meta file of cBioPortal", "Name a data_….txt of the same folder"),
)
HEADERS = (
    ({"name", "effectivelength", "tpm", "numreads"}, "salmon's quant.sf: the transcripts of one sample", SUM_UP),
    ({"target_id", "est_counts", "tpm"}, "kallisto's abundance.tsv: the transcripts of one sample", SUM_UP),
    ({"gene_id", "expected_count", "tpm", "fpkm"}, "RSEM's result of one sample, without its name", MERGE),
    ({"transcript_id", "expected_count", "tpm"}, "RSEM's result of one sample: its transcripts", SUM_UP),
    ({"gene_id", "unstranded", "tpm_unstranded"}, STAR, OF_THE_GDC),
    ({"gene_id", "fpkm_conf_lo", "fpkm_conf_hi"}, "Cufflinks' result of one sample", MERGE),
    ({"gene id", "coverage", "fpkm", "tpm"}, "StringTie's gene abundances of one sample, without its name", MERGE),
    ({"hugo_symbol", "variant_classification"}, "a table of mutations (MAF)", NOT_READ),
    ({"hugo_symbol", "ncbi_build"}, "a table of mutations (MAF)", NOT_READ),
    ({"loc.start", "loc.end", "num.mark"}, "segments of copy numbers", NOT_READ),
    ({"basemean", "log2foldchange", "padj"}, "fold changes of groups (DESeq2)", OF_GROUPS),
    ({"logfc", "logcpm", "pvalue"}, "fold changes of groups (edgeR)", OF_GROUPS),
    ({"logfc", "aveexpr", "p.value"}, "fold changes of groups (limma)", OF_GROUPS),
)
NO_GENES = (
    (
        re.compile(r"ENS[A-Z]*T\d{11}|[NX][MR]_\d+"),
        "transcripts",
        "Sum them up to genes (tximport), or take the table of genes",
    ),
    (re.compile(r"(?:cg|ch\.\d+\.)\d{6,}[A-Z]?$"), "sites of methylation", NOT_READ),
    (
        re.compile(r"(?:[OPQ]\d[A-Z0-9]{3}\d|[A-NR-Z]\d(?:[A-Z][A-Z0-9]{2}\d){1,2})(?:-\d+)?$"),
        "proteins (UniProt)",
        NOT_READ,
    ),
)  # UniProt's accessions, as its help page gives them
CLINICAL = frozenset({"vitalstatus", "daystodeath", "daystolastfollowup", "yearstobirth", "bcrpatientbarcode"})
COPY_NUMBERS = frozenset({-2.0, -1.5, -1.0, 0.0, 1.0, 2.0})
FEW = 4


class OtherMake(InvalidInput):
    """A file that is known, and is no matrix."""


def refuse_by_first_line(path: Path, first: str) -> None:
    """Raise OtherMake for files that say what they are in their first line, and are no matrix."""
    line = first.strip().strip('"')
    for begins, what, repair in FIRST_LINES:
        if line.startswith(begins):
            raise OtherMake(what, where=f"{path}:1", repair=repair)


def has_patients_in_columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether a table is one of Firehose's clinical ones: its rows are days_to_death and the like, its columns patients."""
    first = {r[0].strip().lower().replace("_", "").removeprefix("patient.") for r in (header, *rows) if r}
    return len(first & CLINICAL) > 1


def refuse_clinical(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Raise InvalidInput for a clinical table with patients in columns: it is read by a map."""
    if has_patients_in_columns(header, rows):
        raise InvalidInput(
            "a clinical table with patients in columns, as of Firehose", where=f"{path}:1",
            repair="tshdb ingest clinical FILE --collection NAME --guess",
        )  # fmt: skip


def refuse_by_header(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Raise OtherMake for the results of one sample, of groups, and for tables of several values a sample."""
    lower = {h.lower() for h in header}
    for names, what, repair in HEADERS:
        if names <= lower:
            if what.startswith("salmon") and rows and not any(t.match(rows[0][0]) for t, what, _ in NO_GENES[:1]):
                what, repair = "salmon's quant.genes.sf: the genes of one sample, without its name", MERGE
            raise OtherMake(what, where=f"{path}:1", repair=repair)
    if header[0] == "Status" and rows and rows[0][0] == "Assigned":
        raise OtherMake("featureCounts' summary of reads", where=f"{path}:1", repair="Name the counts themselves")
    if {h.split(".")[0] for h in header if "." in h} >= {"abundance", "counts", "length"}:
        raise OtherMake(
            "tximport's whole list: abundance, counts and length of each sample", where=f"{path}:1",
            repair="Write one of them: write.csv(txi$abundance, 'tpm.csv')",
        )  # fmt: skip
    numbers = [number(h) is not None for h in header[1:]]
    if rows and numbers and all(numbers) and number(header[0]) is None and header[0]:
        program = {4: "STAR's ReadsPerGene", 2: "HTSeq's counts"}.get(len(header), "a table")
        raise OtherMake(f"{program} without a header: nothing names the samples", where=f"{path}:1", repair=MERGE)


def refuse_no_genes(path: Path, names: Sequence[str]) -> None:
    """Raise OtherMake where most names are transcripts, sites of methylation or proteins."""
    for pattern, what, repair in NO_GENES:
        if sum(bool(pattern.match(name)) for name in names) > len(names) / 2:
            raise OtherMake(f"the rows are {what} ({names[0]}), no genes", where=str(path), repair=repair)


def refuse_copy_numbers(path: Path, cells: Sequence[str]) -> None:
    """Raise OtherMake where all values are losses and gains (-2 to 2), as GISTIC and cBioPortal write them."""
    values = {v for c in cells if (v := number(c)) is not None}
    if len(cells) >= FEW and values <= COPY_NUMBERS and min(values, default=0.0) < 0:
        raise OtherMake("copy numbers (losses and gains, -2 to 2), no expression", where=str(path), repair=NOT_READ)
