"""Whose make an expression table is, by its first rows.

Read        any table of genes and samples; Broad's GCT 1.2; Firehose's two header rows; featureCounts; cBioPortal; Xena;
            nf-core's merged tables; GEO's series matrix. Columns that are known to be no samples (NOTES) take part in nothing.
Refused     what `other_makes` knows by its name.
Sources     the programs' own manuals, and the formats' pages of the Broad Institute, GEO and cBioPortal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ingest.expression.other_makes import (
    refuse_by_first_line,
    refuse_by_header,
    refuse_clinical,
    refuse_copy_numbers,
    refuse_no_genes,
)
from ingest.expression.series_matrix import GEO, is_series_matrix, series_of
from ingest.tables.workbook import read_sheets
from tshdb.barcode import Barcode
from tshdb.errors import InvalidInput
from tshdb.file_content import FileContent
from tshdb.packing import is_workbook
from tshdb.text_files import MISSING, csv_reader, number, open_text, top_of

FIRST_ROWS = 50
SYMBOLS = (
    "gene_name", "gene_symbol", "genesymbol", "gene symbol", "symbol", "hugo_symbol", "hgnc_symbol", "external_gene_name",
    "gene name",
)  # fmt: skip
GENES = (
    "gene", "gene_id", "geneid", "genes", "id", "name", "ensembl", "ensembl_id", "ensembl_gene_id", "probe", "probe_id", *SYMBOLS,
)  # fmt: skip
ENTREZ = ("entrez_gene_id", "entrez", "entrezid", "entrez_id", "entrezgene", "entrezgene_id", "ncbi_gene_id", "geneid")
NOTES = frozenset({
    *GENES, *ENTREZ, "id_ref", "description", "desc", "definition", "gene_description", "gene_title", "gene title",
    "chr", "chrom", "chromosome", "chromosome_name", "seqname", "seqnames", "cytoband", "map_location", "locus",
    "start", "end", "start_position", "end_position", "txstart", "txend", "strand",
    "length", "gene_length", "width", "effective_length", "efflength", "gc_content", "percentage_gene_gc_content",
    "gene_type", "gene_biotype", "biotype", "genetype", "type_of_gene", "class_code", "source", "gene_version",
    "transcript_id", "transcript_id(s)", "tss_id", "uniprot", "uniprot_id", "refseq", "accession", "genbank",
    "composite.element.ref",
})  # fmt: skip
INDEX = ("", "row.names", "unnamed: 0", "x", "...1", "index")
SUMMARY = re.compile(r"__\w+|N_(?:unmapped|multimapping|noFeature|ambiguous)")


class Make(NamedTuple):
    """What the table is, as far as its rows need it.

    what        its name, for messages
    n_header    rows of the header: 2 of Firehose
    gene        place of the gene's name; symbol, entrez: places of other names of it
    notes       names of the columns that are no samples, by their places
    blanks      places of columns without a name and without values, as a delimiter at each line's end makes them
    n_rows      how many rows it says it has; None where it does not
    """

    what: str
    line: int
    header: list[str]
    delimiter: str
    offset: int
    n_header: int = 1
    gene: int = 0
    symbol: int | None = None
    entrez: int | None = None
    notes: dict[int, str] = {}
    n_rows: int | None = None
    cells: list[tuple[int, list[str]]] | None = None  # of a workbook, which is read at once
    titles: dict[str, str] = {}  # of GEO's samples
    blanks: tuple[int, ...] = ()

    @property
    def samples(self) -> list[int]:
        """The places of the columns that may be samples."""
        return [i for i in range(len(self.header)) if i not in (self.gene, *self.blanks) and i not in self.notes]


def make_of_file(path: Path) -> Make:
    """The make of a text. Raises InvalidInput for a make that is refused, by its name."""
    if is_workbook(path):
        return _of_workbook(path)
    with open_text(path) as file:
        first = file.readline()
    refuse_by_first_line(path, first)
    if is_series_matrix(first):
        series = series_of(path)
        header = [h.strip() for h in series.header]
        return Make(GEO, series.line, header, "\t", 1, titles=series.titles)
    with open_text(path) as file:
        top = top_of(file)
        rows = [
            fields for fields in islice(csv_reader(_with(top.header, top.rest), top.delimiter), FIRST_ROWS) if fields
        ]
    above = [line.strip().strip('"') for line in top.above]
    is_gct = any(line.startswith("#1.2") for line in above)
    n_rows = None
    if is_gct and above and above[-1].split("\t")[0].isdigit():
        n_rows = int(above[-1].split("\t")[0])
    if not rows:
        raise InvalidInput("the file is empty", where=f"{path}:1", repair="Expected a header row")
    return make_of(path, rows, top.line, top.delimiter, "GCT" if is_gct else "", n_rows)


def _of_workbook(path: Path) -> Make:
    """The one sheet of a workbook that holds numbers below names. Raises InvalidInput for none, or for several."""
    sheets = [
        sheet for sheet in read_sheets(path, FileContent())
        if len(sheet.header) > 1 and any(number(c) is not None for _, cells in sheet.rows[:FIRST_ROWS] for c in cells[1:])
    ]  # fmt: skip
    if len(sheets) != 1:
        names = f" ({', '.join(s.name for s in sheets)})" if sheets else ""
        raise InvalidInput(
            f"a workbook with {len(sheets)} sheets of numbers{names}", where=str(path),
            repair="Save the sheet of genes and samples as CSV UTF-8, and name that file",
        )  # fmt: skip
    sheet = sheets[0]
    rows = [sheet.header, *(cells for _, cells in sheet.rows[:FIRST_ROWS])]
    make = make_of(path, rows, sheet.header_line, "\t")
    return make._replace(cells=sheet.rows[make.n_header - 1 :])


def _with(header: str, rest):
    yield header
    yield from rest


def make_of(
    path: Path, rows: Sequence[Sequence[str]], line: int, delimiter: str, what: str = "", n_rows: int | None = None
) -> Make:
    """The make by the first rows, the header among them. Raises InvalidInput for a make that is refused."""
    header = [h.strip() for h in rows[0]]
    lower = [h.lower() for h in header]
    refuse_clinical(path, header, rows[1:])
    refuse_by_header(path, header, rows[1:])
    _refuse_groups_above(path, header, rows[1:], line)
    n_header = 1
    if lower[0] in ("hybridization ref", "composite element ref"):
        what, n_header = "Firehose", _second_header(path, rows)
    if len(rows) <= n_header:
        raise InvalidInput(
            "the file has a header and no rows", where=f"{path}:{line}", repair="Expected one gene a row"
        )
    width = len(rows[n_header])
    while len(header) > max(width, 1) and not header[-1]:
        header.pop()
    if width not in (len(header), len(header) + 1):
        raise InvalidInput(
            f"the header has {len(header)} fields and the first row {width}", where=f"{path}:{line + n_header}",
            repair="Expected one field a sample, after the gene",
        )  # fmt: skip
    offset = 1
    below = [[f.strip() for f in r] for r in rows[n_header:] if len(r) == width]
    if width == len(header) + 1:  # R: the column of the names has no name
        _refuse_nameless(path, header, below, line + n_header)
        header, lower, offset = ["", *header], ["", *lower], 0
    gene = _gene_column(path, lower, below)
    refuse_no_genes(path, [r[gene] for r in below])
    notes = {i: header[i] for i, name in enumerate(lower) if i != gene and (name in NOTES or i < gene)}
    blanks = tuple(i for i, name in enumerate(header) if not name and i > gene and not any(r[i] for r in below))
    refuse_copy_numbers(path, [r[i] for r in below for i in range(width) if i not in (gene, *notes, *blanks)])
    names = SYMBOLS if what != "GCT" else (*SYMBOLS, "description")
    symbol = next((i for i in notes if lower[i] in names), None)
    entrez = next((i for i in notes if lower[i] in ENTREZ), None)
    return Make(what, line, header, delimiter, offset, n_header, gene, symbol, entrez, notes, n_rows, blanks=blanks)


def _refuse_groups_above(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]], line: int) -> None:
    """Raise InvalidInput where the first row holds groups (tumour, normal), and the samples are named below it."""
    named = [f for f in rows[0][1:] if Barcode.is_one(f.strip())] if rows else []
    if len(named) > 1 and not any(map(Barcode.is_one, header)):
        raise InvalidInput(
            f"the samples are named on line {line + 1}, below a row of groups ({', '.join(filter(None, header[:3]))})",
            where=f"{path}:{line}", repair=f"Take line {line} out, so that the samples are the header",
        )  # fmt: skip


def _refuse_nameless(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]], line: int) -> None:
    """Raise InvalidInput for rows of one field more than the header that are not R's: their values would move by a column."""
    if not any(r[-1] for r in rows):
        raise InvalidInput(
            f"each row ends with a delimiter that the header lacks ({len(header)} names, {len(header) + 1} fields)",
            where=f"{path}:{line}", repair="Take it off the rows' ends, or end the header with it too",
        )  # fmt: skip
    if header[0].lower() in GENES and all(number(r[1]) is not None or r[1] in MISSING for r in rows):
        raise InvalidInput(
            f"the header names '{header[0]}' and {len(header) - 1} more columns, and the rows have {len(header) + 1} fields",
            where=f"{path}:{line}", repair="Give each column its name",
        )  # fmt: skip


def _second_header(path: Path, rows: Sequence[Sequence[str]]) -> int:
    """How many header rows a Firehose table has. Raises InvalidInput where it holds several kinds of values."""
    if len(rows) < 2 or any(number(f) is not None for f in rows[1][1:]):
        return 1
    kinds = list(dict.fromkeys(f.strip() for f in rows[1][1:]))
    if len(kinds) > 1:
        raise InvalidInput(
            f"Firehose's second header row names {len(kinds)} kinds of values a sample ({', '.join(kinds[:4])})", 
            where=f"{path}:2", repair="Take the archive of one kind, such as …RSEM_genes_normalized, or one kind's columns",
        )  # fmt: skip
    return 2


def _gene_column(path: Path, lower: list[str], rows: Sequence[Sequence[str]]) -> int:
    """The place of the gene's name: the first column, unless that one only counts the rows."""
    counted = [r[0].strip() for r in rows]
    is_counting = len(rows) > 1 and counted in (
        [str(i) for i in range(len(rows))], [str(i) for i in range(1, len(rows) + 1)],
    )  # fmt: skip
    if lower[0] not in INDEX or not is_counting:
        return 0
    place = next((i for i, name in enumerate(lower[:4]) if name in GENES), None)
    if place is None:
        raise InvalidInput(
            "the first column counts the rows, and no other names the genes", where=f"{path}:1",
            repair="Write the table with its genes: in R row.names = TRUE of a matrix that has them",
        )  # fmt: skip
    return place
