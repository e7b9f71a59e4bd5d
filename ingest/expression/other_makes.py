"""Files of expression that are no table of genes and samples: each is refused by its name, with what to do.

They hold one sample without its name (STAR, HTSeq, salmon, kallisto, RSEM, Cufflinks), transcripts, several values a sample,
or no values at all. They are told by their first rows, never by their names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tshdb.errors import InvalidInput
from tshdb.text_files import number

MERGE = "Merge the samples into one table, a column each, named by the samples"
SUM_UP = f"In R: tximport sums them up to genes. {MERGE}"
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
)
_TRANSCRIPT = re.compile(r"ENS[A-Z]*T\d{11}|[NX][MR]_\d+")


class OtherMake(InvalidInput):
    """A file that is known, and is no matrix."""


def refuse_by_first_line(path: Path, first: str) -> None:
    """Raise OtherMake for files that say what they are in their first line, and are no matrix."""
    line = first.strip().strip('"')
    for begins, what, repair in FIRST_LINES:
        if line.startswith(begins):
            raise OtherMake(what, where=f"{path}:1", repair=repair)


def refuse_by_header(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Raise OtherMake for the results of one sample, and for tables of several values a sample."""
    lower = {h.lower() for h in header}
    for names, what, repair in HEADERS:
        if names <= lower:
            raise OtherMake(what, where=f"{path}:1", repair=repair)
    if {h.split(".")[0] for h in header if "." in h} >= {"abundance", "counts", "length"}:
        raise OtherMake(
            "tximport's whole list: abundance, counts and length of each sample", where=f"{path}:1",
            repair="Write one of them: write.csv(txi$abundance, 'tpm.csv')",
        )  # fmt: skip
    numbers = [number(h) is not None for h in header[1:]]
    if rows and numbers and all(numbers) and number(header[0]) is None and header[0]:
        program = {4: "STAR's ReadsPerGene", 2: "HTSeq's counts"}.get(len(header), "a table")
        raise OtherMake(f"{program} without a header: nothing names the samples", where=f"{path}:1", repair=MERGE)


def refuse_transcripts(path: Path, names: Sequence[str]) -> None:
    """Raise OtherMake where most names are transcripts."""
    if sum(bool(_TRANSCRIPT.match(name)) for name in names) > len(names) / 2:
        raise OtherMake(
            f"the rows are transcripts ({names[0]}), no genes", where=str(path),
            repair="Sum them up to genes (tximport), or take the table of genes",
        )  # fmt: skip
