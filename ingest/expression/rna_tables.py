"""Expression tables as they lie in files: wide, long, or with samples in the rows; numbers, and where each of them stands.

Wide tables are parsed by Arrow; where anything in one is not as it should be, it is read again row by row, so that every
bad cell is named.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tshdb.barcode import Barcode
from tshdb.errors import InvalidInput
from tshdb.file_content import FileContent
from tshdb.text_files import MISSING, number, open_binary, open_text, rows_of

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
TISSUE_CODES = {"tumor": "01", "tumour": "01", "primary tumor": "01", "normal": "11", "stroma": "11"}
BLOCK_BYTES = 4 << 20
MOST_FINDINGS = 1000


class Table(NamedTuple):
    """Values with their places: genes and samples as named, line of each gene, column of each sample."""

    genes: list[str]
    lines: list[int]
    samples: list[str]
    columns: list[int]
    values: np.ndarray
    sample_lines: list[int]


# ------------------------------------------------------------------------------------------------------ wide


def read_wide(path: Path, delimiter: str, header: list[str], content: FileContent) -> Table:
    names = [h.strip() for h in header]
    with open_text(path) as file:
        file.readline()
        first = next(rows_of(file, delimiter), None)
    if first is None:
        raise InvalidInput("the file has a header and no rows", where=f"{path}:1", repair="Expected one gene a row")
    offset = 1 if len(first[1]) == len(names) else 0 if len(first[1]) == len(names) + 1 else None
    if offset is not None and _is_transposed(path, delimiter, names):
        raise InvalidInput(
            "samples stand in the rows and genes in the header",
            where=f"{path}:1",
            repair='Say so in a map: orientation = "samples_in_rows" (--guess writes one)',
        )
    if offset is None:
        raise InvalidInput(
            f"the header has {len(names)} fields and the first row {len(first[1])}",
            where=f"{path}:2",
            repair="Expected one field a sample, after the gene",
        )
    samples = names[offset:]
    if not samples:
        raise InvalidInput("no samples in the header", where=f"{path}:1", repair="Is the delimiter tab or comma?")
    for name, times in Counter(samples).items():
        if times > 1:
            content.error(1, name, name, "rna.sample-twice", f"named {times} times; a sample has one column")
    genes, values = _parse_numbers(path, delimiter, samples, content)
    if genes is None:
        genes, lines, values = _parse_slowly(path, delimiter, samples, content)
    else:
        lines = list(range(2, len(genes) + 2))
    columns = [i + 2 for i in range(len(samples))]
    return Table(genes, lines, samples, columns, values, [1] * len(samples))


def _is_transposed(path: Path, delimiter: str, header: list[str]) -> bool:
    """Whether the first column holds barcodes, and the header none."""
    if any(Barcode.is_one(name) for name in header):
        return False
    with open_text(path) as file:
        file.readline()
        first = [fields[0].strip() for _, fields in islice(rows_of(file, delimiter), 20)]
    return sum(map(Barcode.is_one, first)) > len(first) / 2


def _parse_numbers(path: Path, delimiter: str, samples: list[str], content: FileContent):
    """(genes, values) by pyarrow, or (None, None) when anything in the file is not as it should be."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    n_lines = 0
    last = b"\n"
    with open_binary(path) as file:
        while block := file.read(BLOCK_BYTES):
            n_lines += block.count(b"\n")
            last = block
    if not last.endswith(b"\n"):
        n_lines += 1
        content.warn(n_lines, None, None, "rna.last-line-open", "the last line has no end; is the file complete?")
    names = ["", *map(str, range(len(samples)))]
    values = np.empty((n_lines - 1, len(samples)), order="F")
    genes: list[str] = []
    try:
        with open_binary(path) as file:
            reader = arrow_csv.open_csv(
                pa.PythonFile(file, mode="r"),
                arrow_csv.ReadOptions(skip_rows=1, column_names=names, block_size=BLOCK_BYTES, use_threads=True),
                arrow_csv.ParseOptions(delimiter=delimiter, quote_char=False if delimiter == "\t" else '"'),
                arrow_csv.ConvertOptions(
                    column_types={"": pa.string(), **dict.fromkeys(names[1:], pa.float64())},
                    null_values=sorted(MISSING),
                    strings_can_be_null=False,
                ),
            )
            row = 0
            for batch in reader:
                genes += batch.column(0).to_pylist()
                block = batch.select(list(range(1, len(names)))).to_tensor(null_to_nan=True, row_major=False).to_numpy()
                if np.isinf(block).any():
                    return None, None
                values[row : row + len(batch)] = block
                row += len(batch)
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return None, None
    pa.default_memory_pool().release_unused()
    if row != n_lines - 1:  # blank lines, or fields that hold line ends: lines must be counted one by one
        return None, None
    return genes, values


def _parse_slowly(path: Path, delimiter: str, names: list[str], content: FileContent):
    """(first fields, lines, values), row by row; bad rows are withheld, each bad cell a finding."""
    keys, lines, rows = [], [], []
    with open_text(path) as file:
        file.readline()
        for line, fields in rows_of(file, delimiter):
            line += 1
            numbers = _numbers(line, fields, names, content)
            if numbers is not None:
                keys.append(fields[0])
                lines.append(line)
                rows.append(numbers)
    return keys, lines, np.array(rows, dtype=float).reshape(len(rows), len(names))


def _numbers(line: int, fields: list[str], names: list[str], content: FileContent) -> list[float] | None:
    """The values of a row behind its first field, one for each of the names; None for a row that is withheld."""
    if len(fields) != len(names) + 1:
        message = f"{len(fields)} fields; the header has {len(names) + 1}"
        content.withhold(line, None, fields[0], "rna.field-count", message)
        return None
    numbers = [np.nan if f.strip() in MISSING else number(f) for f in fields[1:]]
    if None not in numbers:
        return numbers
    with content.row():
        for name, text, value in zip(names, fields[1:], numbers, strict=True):
            if value is None:
                content.error(line, name, text, "rna.not-a-number", "expected a number or a blank", MOST_FINDINGS)
    return None


def read_transposed(path: Path, delimiter: str, header: list[str], content: FileContent) -> Table:
    """Samples in rows, genes in the header: every value has its sample's line."""
    genes = [h.strip() for h in header[1:]]
    keys, lines, values = _parse_slowly(path, delimiter, genes, content)
    samples = [key.strip() for key in keys]
    for name, times in Counter(samples).items():
        if times > 1:
            content.error(lines[samples.index(name)], header[0], name, "rna.sample-twice", f"stands on {times} rows")
    return Table(genes, [1] * len(genes), samples, [1] * len(samples), np.asfortranarray(values.T), lines)


# ------------------------------------------------------------------------------------------------------ long


def long_columns(header: list[str]) -> dict[str, int] | None:
    """Where the columns of a long table are, or None for a wide one."""
    lower = [h.strip().lower() for h in header]
    place_of_role = {}
    for role, names in COLUMNS.items():
        here = next((n for n in names if n in lower), None)
        if here is not None:
            place_of_role[role] = lower.index(here)
    has_sample = "sample" in place_of_role or {"patient", "tissue"} <= set(place_of_role)
    return place_of_role if {"gene", "value"} <= set(place_of_role) and has_sample else None


def read_long(path: Path, delimiter: str, at: dict[str, int], content: FileContent) -> Table:
    cells: dict[tuple[str, str], tuple[float, int]] = {}
    genes: dict[str, int] = {}
    samples: dict[str, int] = {}
    with open_text(path) as file:
        rows = rows_of(file, delimiter)
        _, header = next(rows)
        for line, fields in rows:
            if len(fields) != len(header):
                content.withhold(
                    line, None, None, "rna.field-count", f"{len(fields)} fields; the header has {len(header)}"
                )
                continue
            sample = fields[at["sample"]] if "sample" in at else _sample_of(fields, at)
            gene, text = fields[at["gene"]], fields[at["value"]].strip()
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
