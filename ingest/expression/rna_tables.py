"""Expression tables as they lie in files: wide, long, or with samples in the rows; numbers, and where each of them stands.

Wide tables are parsed by Arrow; where anything in one is not as it should be, it is read again row by row, so that every
bad cell is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ingest.expression.makes import FIRST_ROWS, SUMMARY, Make
from ingest.expression.series_matrix import GEO, TABLE_END
from tshdb.barcode import Barcode
from tshdb.errors import InvalidInput
from tshdb.file_content import FileContent
from tshdb.text_files import MISSING, field_count, number, open_binary, open_text, rows_of
from tshdb.written import encoding_of

COLUMNS = {
    "gene": ("gene", "gene_id", "symbol", "gene_symbol", "gene_name", "hugo_symbol", "ensembl", "ensembl_id", "entrez"),
    "sample": ("sample", "sample_id", "aliquot", "aliquot_id", "barcode", "tumor_sample_barcode"),
    "patient": ("patient", "patient_id"),
    "tissue": ("tissue", "compartment", "sample_type"),
    "value": (
        "value",
        "expression",
        "tpm",
        "fpkm",
        "fpkm_uq",
        "rsem",
        "rsem_normalized",
        "count",
        "counts",
        "intensity",
    ),
}
UNIT_OF_COLUMN = {
    "tpm": "tpm", "fpkm": "fpkm", "fpkm_uq": "fpkm_uq", "rsem": "rsem", "rsem_normalized": "rsem", "count": "counts",
    "counts": "counts", "intensity": "intensity",
}  # fmt: skip
TISSUE_CODES = {"tumor": "01", "tumour": "01", "primary tumor": "01", "normal": "11", "stroma": "11"}
BLOCK_BYTES = 4 << 20
HEAD_BYTES = 1 << 16
UNNAMED = ("", "NA", "---", "nan")
_COMMA = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+")
_TWO_NAMES = re.compile(r"(ENS[A-Z]*G\d{11}(?:\.\d+)?|MSTRG\.\d+)[|_](?!PAR_Y)([^|_\s]+)")  # an id and its symbol
MOST_FINDINGS = 1000


class Table(NamedTuple):
    """Values with their places: genes and samples as named, line of each gene, column of each sample.

    symbols: beside the genes, where the table has them.
    """

    genes: list[str]
    lines: list[int]
    samples: list[str]
    columns: list[int]
    values: np.ndarray
    sample_lines: list[int]
    symbols: list[str] | None = None


# ------------------------------------------------------------------------------------------------------ rows


@contextmanager
def rows_below(path: Path, make: Make, content: FileContent | None) -> Iterator[Iterator[tuple[int, list[str]]]]:
    """(line, fields) of the rows below the header. Raises InvalidInput for a table that is cut, where its format tells."""
    if make.cells is not None:
        yield iter(make.cells)
        return
    with open_text(path) as file:
        for _ in range(make.line - 1):
            file.readline()
        rows = rows_of(
            file, make.delimiter, None if make.what == GEO else content, make.line
        )  # GEO's has an end of its own
        for _ in range(make.n_header):
            next(rows, None)
        yield _until_the_end(rows, path) if make.what == GEO else rows


def _until_the_end(rows: Iterator[tuple[int, list[str]]], path: Path) -> Iterator[tuple[int, list[str]]]:
    for line, fields in rows:
        if fields[0].startswith(TABLE_END):
            return
        yield line, fields
    raise InvalidInput(
        f"GEO's series matrix ends without {TABLE_END}: it is cut", where=str(path), repair="Fetch it again"
    )


def decimal_comma(path: Path, make: Make, places: Sequence[int], content: FileContent) -> bool:
    """Whether the numbers of these columns have a decimal comma; said, since it is seen, not told.

    So it is where some have one, none a point, and not all of them three digits behind it, which could be thousands.
    """
    if make.delimiter == ",":
        return False
    with rows_below(path, make, None) as rows:
        cells = [fields[i].strip() for _, fields in islice(rows, FIRST_ROWS) for i in places if i < len(fields)]
    with_comma = [c for c in cells if _COMMA.fullmatch(c)]
    if not with_comma or any("." in c for c in cells) or all(_THOUSANDS.fullmatch(c) for c in with_comma):
        return False
    shown = next(c for c in with_comma if not _THOUSANDS.fullmatch(c))
    content.warn(
        None, None, shown, "text.decimal-comma", f"decimal commas: {shown} is read as {shown.replace(',', '.')}"
    )
    return True


# ------------------------------------------------------------------------------------------------------ wide


def read_wide(path: Path, make: Make, places: Sequence[int], content: FileContent) -> Table:
    """The columns at these places; all others take part in nothing."""
    parsed = None
    has_commas = decimal_comma(path, make, places, content)
    if make.cells is None and make.what != GEO and not has_commas:
        parsed = _parse_numbers(path, make, places, content)
    genes, symbols, lines, values = parsed or _parse_slowly(path, make, places, content, has_commas)
    if not lines and not content.errors:
        of_geo = "; the values of a series of sequencing lie in supplementary files" if make.what == GEO else ""
        raise InvalidInput(
            f"the file has a header and no rows{of_geo}", where=f"{path}:{make.line}", repair="Expected one gene a row"
        )
    if make.n_rows is not None and make.n_rows != len(lines) and not content.errors:
        raise InvalidInput(
            f"it has {len(lines):,} rows, and says that it has {make.n_rows:,}: it is cut", where=str(path),
            repair="Fetch it again",
        )  # fmt: skip
    columns = [i + make.offset + (0 if make.offset else 1) for i in places]
    names = [make.header[i] for i in places]
    return Table(genes, lines, names, columns, values, [make.line] * len(places), symbols)


def genes_of(path: Path, make: Make) -> list[str]:
    """The first names of the genes' column."""
    return first_cells(path, make, [make.gene])[0]


def first_cells(path: Path, make: Make, places: Sequence[int]) -> list[list[str]]:
    """The first cells of columns."""
    with rows_below(path, make, None) as rows:
        first = [fields for _, fields in islice(rows, FIRST_ROWS) if len(fields) > max(places)]
    return [[fields[i].strip() for fields in first] for i in places]


def is_transposed(path: Path, make: Make) -> bool:
    """Whether the first column holds barcodes, and the header none."""
    if any(map(Barcode.is_one, make.header)):
        return False
    first = genes_of(path, make)
    return sum(map(Barcode.is_one, first)) > len(first) / 2


def _parse_numbers(path: Path, make: Make, places: Sequence[int], content: FileContent):
    """(genes, symbols, lines, values) by pyarrow, or None when anything in the file is not as it should be."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    n_lines = 0
    last = head = b""
    has_nul = False
    with open_binary(path) as file:
        while block := file.read(BLOCK_BYTES):
            head = head or block[:HEAD_BYTES]
            has_nul = has_nul or b"\x00" in block
            n_lines += block.count(b"\n")
            last = block
    if has_nul or encoding_of(head) != "utf-8-sig" or (b"\r" in head and b"\r\n" not in head):
        return None
    if not last.endswith(b"\n"):
        return None  # it may be cut: row by row the last one is told
    n_above = make.line - 1 + make.n_header
    n_rows = n_lines - n_above
    names = [str(i) for i in range(len(make.header))]
    texts = [str(i) for i in (make.gene, make.symbol, make.entrez, *make.blanks) if i is not None]
    numbers = [names[i] for i in places]
    if n_rows < 0:
        return None
    values = np.empty((n_rows, len(places)), order="F")
    columns: dict[str, list[str]] = {name: [] for name in texts}
    is_quoted = make.delimiter != "\t" or b'"' in head
    try:
        with open_binary(path) as file:
            reader = arrow_csv.open_csv(
                pa.PythonFile(file, mode="r"),
                arrow_csv.ReadOptions(skip_rows=n_above, column_names=names, block_size=BLOCK_BYTES, use_threads=True),
                arrow_csv.ParseOptions(delimiter=make.delimiter, quote_char='"' if is_quoted else False),
                arrow_csv.ConvertOptions(
                    column_types={**dict.fromkeys(texts, pa.string()), **dict.fromkeys(numbers, pa.float64())},
                    include_columns=texts + numbers,
                    null_values=sorted(MISSING),
                    strings_can_be_null=False,
                ),
            )
            row = 0
            for batch in reader:
                for i, name in enumerate(texts):
                    columns[name] += batch.column(i).to_pylist()
                if numbers:
                    block = batch.select(list(range(len(texts), len(texts) + len(numbers))))
                    block = block.to_tensor(null_to_nan=True, row_major=False).to_numpy()
                    if np.isinf(block).any():
                        return None
                    values[row : row + len(batch)] = block
                row += len(batch)
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return None
    pa.default_memory_pool().release_unused()
    genes = columns[str(make.gene)]
    is_odd = make.delimiter == "\t" and any('"' in g for g in genes)
    if row != n_rows or is_odd or any(text.strip() for i in make.blanks for text in columns[str(i)]):
        return None  # blank lines, or fields that hold line ends or marks: rows must be looked at one by one
    symbols = columns[str(make.symbol)] if make.symbol is not None else None
    entrez = columns[str(make.entrez)] if make.entrez is not None else None
    genes = [_named(g, entrez[i] if entrez else None) for i, g in enumerate(genes)]
    return _without_summaries(genes, symbols, list(range(n_above + 1, n_lines + 1)), values, content)


def _parse_slowly(path: Path, make: Make, places: Sequence[int], content: FileContent, has_commas: bool):
    """(genes, symbols, lines, values), row by row; bad rows are withheld, each bad cell a finding."""
    genes, symbols, lines, rows = [], [], [], []
    names = [make.header[i] for i in places]
    with rows_below(path, make, content) as below:
        for line, fields in below:
            if len(fields) != len(make.header):
                content.withhold(line, None, fields[0], "rna.field-count", field_count(fields, len(make.header)))
                continue
            if not any(map(str.strip, fields)):
                continue
            nameless = next((i for i in make.blanks if fields[i].strip()), None)
            if nameless is not None:
                message = f"column {nameless + 1} has no name, and a value in this row: have the values moved?"
                content.withhold(line, None, fields[nameless], "rna.field-count", message)
                continue
            texts = [fields[i].strip() for i in places]
            if has_commas:
                texts = [t.replace(",", ".") if _COMMA.fullmatch(t) else t for t in texts]
            numbers = _numbers(line, texts, names, content)
            if numbers is not None:
                genes.append(_named(fields[make.gene], fields[make.entrez] if make.entrez is not None else None))
                symbols.append(fields[make.symbol].strip() if make.symbol is not None else "")
                lines.append(line)
                rows.append(numbers)
    values = np.array(rows, dtype=float).reshape(len(rows), len(places))
    return _without_summaries(genes, symbols if make.symbol is not None else None, lines, values, content)


def _named(gene: str, entrez: str | None) -> str:
    """The gene's name, or its Entrez id where the table leaves the name empty."""
    if gene.strip() in UNNAMED and entrez is not None and entrez.strip().isdigit():
        return f"?|{entrez.strip()}"  # as Firehose writes it: a number among names would be a damaged one
    return gene


def _without_summaries(genes, symbols, lines, values, content: FileContent):
    """The rows that are genes: counters of the program that counted are none, and rows without a name are withheld."""
    genes, symbols = _of_two_names(genes, symbols)
    if (empty := [not g.strip() and bool(np.isnan(v).all()) for g, v in zip(genes, values, strict=True)]) and any(
        empty
    ):
        filled = [i for i, is_empty in enumerate(empty) if not is_empty]
        genes, lines = [genes[i] for i in filled], [lines[i] for i in filled]
        symbols = [symbols[i] for i in filled] if symbols is not None else None
        values = np.asfortranarray(values[filled])
    is_summary = [SUMMARY.fullmatch(g.strip()) is not None for g in genes]
    is_unnamed = [not g.strip() for g in genes]
    for line in (line for line, empty in zip(lines, is_unnamed, strict=True) if empty):
        content.withhold(line, "gene", "", "rna.no-gene", "the row names no gene")
    if any(is_summary):
        left = [g.strip() for g, out in zip(genes, is_summary, strict=True) if out]
        content.warn(
            lines[is_summary.index(True)], "gene", left[0], "rna.summary-row",
            f"{len(left)} rows of HTSeq or STAR count reads, not genes, and are left out: {', '.join(left)}",
        )  # fmt: skip
    kept = [i for i in range(len(genes)) if not is_summary[i] and not is_unnamed[i]]
    if len(kept) == len(genes):
        return genes, symbols, lines, values
    return (
        [genes[i] for i in kept], [symbols[i] for i in kept] if symbols is not None else None, [lines[i] for i in kept],
        np.asfortranarray(values[kept]),
    )  # fmt: skip


def _of_two_names(genes: list[str], symbols: list[str] | None) -> tuple[list[str], list[str] | None]:
    """(ids, symbols) of names that hold both, ENSG00000153563.16|CD8A; of StringTie's loci (MSTRG.12|TP53) the symbol."""
    pairs = [_TWO_NAMES.fullmatch(g.strip()) for g in genes]
    if symbols is not None or not any(pairs):
        return genes, symbols
    ids = [
        g if pair is None else pair[2] if pair[1].startswith("MSTRG") else pair[1]
        for g, pair in zip(genes, pairs, strict=True)
    ]
    return ids, ["" if pair is None or pair[1].startswith("MSTRG") else pair[2] for pair in pairs]


def _numbers(line: int, texts: list[str], names: list[str], content: FileContent) -> list[float] | None:
    """The values of a row, one for each of the names; None for a row that is withheld."""
    numbers = [np.nan if t in MISSING else number(t) for t in texts]
    if None not in numbers:
        return numbers
    with content.row():
        if len(names) > 1 and numbers.count(None) == len(names):
            said = (
                "no number in the whole row: a further header row (units, groups), or the header once more? take it out"
            )
            content.error(line, names[0], texts[0], "rna.row-of-words", said)
            return None
        for name, text, value in zip(names, texts, numbers, strict=True):
            if value is None:
                hint = "; with a decimal comma, or a comma of thousands?" if "," in text else ""
                content.error(
                    line, name, text, "rna.not-a-number", f"expected a number or a blank{hint}", MOST_FINDINGS
                )
    return None


def read_transposed(path: Path, make: Make, content: FileContent) -> Table:
    """Samples in rows, genes in the header: every value has its sample's line."""
    places = [i for i in range(len(make.header)) if i != make.gene]
    has_commas = decimal_comma(path, make, places, content)
    keys, _, lines, values = _parse_slowly(path, make, places, content, has_commas)
    samples = [key.strip() for key in keys]
    genes = [make.header[i] for i in places]
    return Table(genes, [make.line] * len(genes), samples, [1] * len(samples), np.asfortranarray(values.T), lines)


# ------------------------------------------------------------------------------------------------------ long


def places_of_long(header: list[str]) -> dict[str, int] | None:
    """Where the columns of a long table are, by what they are for, of several the first that is known; None for a wide one."""
    lower = [h.strip().lower() for h in header]
    place_of_role = {}
    for role, names in COLUMNS.items():
        here = next((n for n in names if n in lower), None)
        if here is not None:
            place_of_role[role] = lower.index(here)
    has_sample = "sample" in place_of_role or {"patient", "tissue"} <= set(place_of_role)
    return place_of_role if {"gene", "value"} <= set(place_of_role) and has_sample else None


def long_columns(header: list[str], unit: str) -> dict[str, int] | None:
    """As `places_of_long`; of several columns of values the one that names the unit.

    Raises InvalidInput where none of several does, or where the only one names another unit.
    """
    place_of_role = places_of_long(header)
    if place_of_role is None:
        return None
    lower = [h.strip().lower() for h in header]
    named = [name for name in lower if name in COLUMNS["value"]]
    fitting = [name for name in named if UNIT_OF_COLUMN.get(name, name) == unit]
    if not fitting and (len(named) > 1 or named[0] in UNIT_OF_COLUMN):
        raise InvalidInput(
            f"the values stand in {', '.join(named)}, and the unit is {unit}", where=f"--unit {unit}",
            repair="Say the unit that the column names, or leave one column of values",
        )  # fmt: skip
    return place_of_role | {"value": lower.index((fitting or named)[0])}


def read_long(path: Path, make: Make, at: dict[str, int], content: FileContent) -> Table:
    cells: dict[tuple[str, str], tuple[float, int]] = {}
    genes: dict[str, int] = {}
    samples: dict[str, int] = {}
    header = make.header
    has_commas = decimal_comma(path, make, [at["value"]], content)
    with rows_below(path, make, content) as rows:
        for line, fields in rows:
            if len(fields) != len(header):
                content.withhold(line, None, None, "rna.field-count", field_count(fields, len(header)))
                continue
            sample = fields[at["sample"]].strip() if "sample" in at else _sample_of(fields, at)
            gene, text = fields[at["gene"]], fields[at["value"]].strip()
            if has_commas and _COMMA.fullmatch(text):
                text = text.replace(",", ".")
            value = np.nan if text in MISSING else number(text)
            if sample is None:
                content.withhold(line, header[at["tissue"]], fields[at["tissue"]], "rna.tissue",
                                 f"expected one of {', '.join(TISSUE_CODES)}")  # fmt: skip
            elif value is None:
                content.withhold(line, header[at["value"]], text, "rna.not-a-number", "expected a number or a blank")
            elif (gene, sample) in cells:
                before, where = cells[gene, sample]
                same = before == value or (before != before and value != value)
                note = content.warn if same else content.withhold
                note(line, header[at["gene"]], gene, "rna.value-twice", f"{sample} has it on line {where} already")
            else:
                cells[gene, sample] = (value, line)
                genes.setdefault(gene, line)
                samples.setdefault(sample, line)
    values = np.full((len(genes), len(samples)), np.nan, order="F")
    row = {g: i for i, g in enumerate(genes)}
    column = {s: i for i, s in enumerate(samples)}
    for (gene, sample), (value, _) in cells.items():
        values[row[gene], column[sample]] = value
    columns = [at["value"] + 1] * len(samples)
    return Table(list(genes), list(genes.values()), list(samples), columns, values, list(samples.values()))


def _sample_of(fields: list[str], at: dict[str, int]) -> str | None:
    """patient + tissue -> a sample barcode without vial, such as TCGA-A7-A0CE-11."""
    tissue = fields[at["tissue"]].strip().lower()
    code = TISSUE_CODES.get(tissue, tissue if tissue.isdigit() and len(tissue) == 2 else None)
    return None if code is None else f"{fields[at['patient']].strip()}-{code}"
