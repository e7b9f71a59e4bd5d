"""Expression matrices: genes x samples, or long tables with one value a row.

Files    csv or tsv, plain or gzip. Wide: first column genes, first row samples. Long: columns gene, sample (or patient
         and tissue) and value, under the names of COLUMNS.
Makes    Patient, Sample, ExpressionProfile and the matrix of values, as they stand in the file.
Missing  blank, NA, NaN, null, removed: no value. A value that is none of these and no number is an error.
Twice    a sample named twice is an error. Of a gene named twice the row with the highest mean is kept (a warning).
Scale    linear values must not be negative; --scale log2 says that values are logarithms already.
Samples  TCGA barcodes make their patients and samples; other names need a sample sheet (`ingest.sample_sheet`).
"""

from __future__ import annotations

import csv
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ingest.expression_checks import check_genes, check_values
from ingest.genes import gene_name, is_date, is_y_copy
from ingest.identifiers import checked_sample
from ingest.sample_sheet import SampleSheet
from ingest.text import MISSING, delimiter_of, number, open_binary, open_text, rows_of
from tshdb.barcode import Barcode
from tshdb.errors import InvalidInput
from tshdb.reading import Found, GeneIndex, Matrix, Reading
from tshdb.schema import ExpressionProfile, Patient, Sample
from tshdb.vocabulary import ExpressionUnit, Scale

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
SEX_MARKERS = {"XIST": {"XIST", "ENSG00000229807"}, "RPS4Y1": {"RPS4Y1", "ENSG00000129824"}}
BLOCK_BYTES = 4 << 20
MOST_FINDINGS = 1000


class Options(NamedTuple):
    """How to understand the file. sample_type: the TCGA code of samples whose names are bare patients."""

    collection: str
    unit: ExpressionUnit
    scale: Scale
    name: str
    sample_type: str | None = None
    workflow: str | None = None
    gene_model: str | None = None
    transposed: bool = False


class _Table(NamedTuple):
    """Values with their places: genes and samples as named, line of each gene, column of each sample."""

    genes: list[str]
    lines: list[int]
    samples: list[str]
    columns: list[int]
    values: np.ndarray
    sample_lines: list[int]


def read(path: Path, options: Options, sheet: SampleSheet | None = None) -> Reading:
    """Everything in the file. Raises InvalidInput when it is no expression matrix at all."""
    reading = Reading()
    with open_text(path) as file:
        header_line = file.readline()
    if not header_line.strip():
        raise InvalidInput("the file is empty", where=f"{path}:1", repair="Expected a header row")
    delimiter = delimiter_of(header_line)
    header = next(csv.reader([header_line], delimiter=delimiter), [])
    long = None if options.transposed else _long_columns(header)
    if options.transposed:
        table = _read_transposed(path, delimiter, header, reading)
    elif long:
        table = _read_long(path, delimiter, long, reading)
    else:
        table = _read_wide(path, delimiter, header, reading)
    check_values(table.values, table.lines, table.samples, options.unit, options.scale, reading)
    check_genes(table.genes, table.lines, reading)
    _describe(table, options, sheet, reading)
    return reading


# ------------------------------------------------------------------------------------------------------ wide


def _read_wide(path: Path, delimiter: str, header: list[str], reading: Reading) -> _Table:
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
            reading.error(1, name, name, "rna.sample-twice", f"named {times} times; a sample has one column")
    genes, values = _parse_numbers(path, delimiter, samples, reading)
    if genes is None:
        genes, lines, values = _parse_slowly(path, delimiter, samples, reading)
    else:
        lines = list(range(2, len(genes) + 2))
    columns = [i + 2 for i in range(len(samples))]
    return _Table(genes, lines, samples, columns, values, [1] * len(samples))


def _is_transposed(path: Path, delimiter: str, header: list[str]) -> bool:
    """Whether the first column holds barcodes, and the header none."""
    if any(Barcode.is_one(name) for name in header):
        return False
    with open_text(path) as file:
        file.readline()
        first = [fields[0].strip() for _, fields in islice(rows_of(file, delimiter), 20)]
    return sum(map(Barcode.is_one, first)) > len(first) / 2


def _parse_numbers(path: Path, delimiter: str, samples: list[str], reading: Reading):
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
        reading.warn(n_lines, None, None, "rna.last-line-open", "the last line has no end; is the file complete?")
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


def _parse_slowly(path: Path, delimiter: str, samples: list[str], reading: Reading):
    """(genes, lines, values), row by row; bad rows are withheld, each bad cell a finding."""
    genes, lines, rows = [], [], []
    with open_text(path) as file:
        file.readline()
        for line, fields in rows_of(file, delimiter):
            line += 1
            if len(fields) != len(samples) + 1:
                reading.error(
                    line, None, fields[0], "rna.field-count", f"{len(fields)} fields; the header has {len(samples) + 1}"
                )
                reading.n_withheld += 1
                continue
            numbers = [np.nan if f.strip() in MISSING else number(f) for f in fields[1:]]
            bad = [i for i, value in enumerate(numbers) if value is None]
            for i in bad:
                if len(reading.findings) < MOST_FINDINGS:
                    reading.error(line, samples[i], fields[i + 1], "rna.not-a-number", "expected a number or a blank")
            if bad:
                reading.n_withheld += 1
                continue
            genes.append(fields[0])
            lines.append(line)
            rows.append(numbers)
    return genes, lines, np.array(rows, dtype=float).reshape(len(rows), len(samples))


def _read_transposed(path: Path, delimiter: str, header: list[str], reading: Reading) -> _Table:
    """Samples in rows, genes in the header: every value has its sample's line."""
    genes = [h.strip() for h in header[1:]]
    samples, lines, rows = [], [], []
    with open_text(path) as file:
        file.readline()
        for line, fields in rows_of(file, delimiter):
            line += 1
            if len(fields) != len(header):
                reading.error(
                    line, None, fields[0], "rna.field-count", f"{len(fields)} fields; the header has {len(header)}"
                )
                reading.n_withheld += 1
                continue
            numbers = [np.nan if f.strip() in MISSING else number(f) for f in fields[1:]]
            bad = [i for i, value in enumerate(numbers) if value is None]
            for i in bad[: max(0, MOST_FINDINGS - len(reading.findings))]:
                reading.error(line, genes[i], fields[i + 1], "rna.not-a-number", "expected a number or a blank")
            if bad:
                reading.n_withheld += 1
                continue
            samples.append(fields[0].strip())
            lines.append(line)
            rows.append(numbers)
    for name, times in Counter(samples).items():
        if times > 1:
            reading.error(lines[samples.index(name)], header[0], name, "rna.sample-twice", f"stands on {times} rows")
    values = np.array(rows, dtype=float).reshape(len(rows), len(genes)).T
    return _Table(genes, [1] * len(genes), samples, [1] * len(samples), np.asfortranarray(values), lines)


# ------------------------------------------------------------------------------------------------------ long


def _long_columns(header: list[str]) -> dict[str, int] | None:
    """Where the columns of a long table are, or None for a wide one."""
    lower = [h.strip().lower() for h in header]
    found = {}
    for role, names in COLUMNS.items():
        here = next((n for n in names if n in lower), None)
        if here is not None:
            found[role] = lower.index(here)
    has_sample = "sample" in found or {"patient", "tissue"} <= set(found)
    return found if {"gene", "value"} <= set(found) and has_sample else None


def _read_long(path: Path, delimiter: str, at: dict[str, int], reading: Reading) -> _Table:
    cells: dict[tuple[str, str], tuple[float, int]] = {}
    genes: dict[str, int] = {}
    samples: dict[str, int] = {}
    with open_text(path) as file:
        rows = rows_of(file, delimiter)
        _, header = next(rows)
        for line, fields in rows:
            if len(fields) != len(header):
                reading.error(
                    line, None, None, "rna.field-count", f"{len(fields)} fields; the header has {len(header)}"
                )
                reading.n_withheld += 1
                continue
            sample = fields[at["sample"]] if "sample" in at else _sample_of(fields, at)
            gene, text = fields[at["gene"]], fields[at["value"]].strip()
            value = np.nan if text in MISSING else number(text)
            if sample is None:
                reading.error(line, header[at["tissue"]], fields[at["tissue"]], "rna.tissue",
                              f"expected one of {', '.join(TISSUE_CODES)}")  # fmt: skip
            elif value is None:
                reading.error(line, header[at["value"]], text, "rna.not-a-number", "expected a number or a blank")
            elif (gene, sample) in cells:
                before, where = cells[gene, sample]
                same = before == value or (before != before and value != value)
                note = reading.warn if same else reading.error
                note(line, header[at["gene"]], gene, "rna.value-twice", f"{sample} has it on line {where} already")
                if same:
                    continue
            else:
                cells[gene, sample] = (value, line)
                genes.setdefault(gene, line)
                samples.setdefault(sample, line)
                continue
            reading.n_withheld += 1
    values = np.full((len(genes), len(samples)), np.nan, order="F")
    row = {g: i for i, g in enumerate(genes)}
    column = {s: i for i, s in enumerate(samples)}
    for (gene, sample), (value, _) in cells.items():
        values[row[gene], column[sample]] = value
    columns = [at["value"] + 1] * len(samples)
    return _Table(list(genes), list(genes.values()), list(samples), columns, values, list(samples.values()))


def _sample_of(fields: list[str], at: dict[str, int]) -> str | None:
    """patient + tissue -> a sample barcode without vial, such as TCGA-A7-A0CE-11."""
    tissue = fields[at["tissue"]].strip().lower()
    code = TISSUE_CODES.get(tissue, tissue if tissue.isdigit() and len(tissue) == 2 else None)
    return None if code is None else f"{fields[at['patient']].strip()}-{code}"


# --------------------------------------------------------------------------------------------- what it means


def _describe(table: _Table, options: Options, sheet: SampleSheet | None, reading: Reading) -> None:
    """Records of patients, samples and profiles, and the matrix with the study's gene names."""
    genes, order = _kept_genes(table, options, reading)
    profile_ids, chosen = [], []
    seen: set[str] = set()
    for j, name in enumerate(table.samples):
        if name in seen:
            continue
        seen.add(name)
        line, column = table.sample_lines[j], table.columns[j]
        if checked_sample(name, line, name, reading) is None:
            continue
        sample = (sheet or SampleSheet({})).sample_of(name, options.sample_type)
        if sample is None:
            reading.error(line, name, name, "rna.unknown-sample",
                          "no TCGA sample barcode and not in a sample sheet; name one with --samples")  # fmt: skip
            continue
        profile_id = f"{name}:{options.unit}:{options.name}"
        column_values = table.values[:, j][order]
        reading.records += [
            Found(Patient, {"patient_id": sample.patient_id, "collection": options.collection}, line, column),
            Found(Sample, sample._asdict(), line, column),
            Found(
                ExpressionProfile,
                {
                    "profile_id": profile_id,
                    "sample_id": sample.sample_id,
                    "aliquot_id": name,
                    "unit": options.unit,
                    "scale": options.scale,
                    "workflow": options.workflow,
                    "gene_model": options.gene_model,
                    "n_genes": len(genes),
                    "n_missing": int(np.isnan(column_values).sum()),
                },
                line,
                column,
            ),
        ]
        profile_ids.append(profile_id)
        chosen.append(j)
    values = table.values if len(chosen) == len(table.samples) else np.asfortranarray(table.values[:, chosen])
    reading.matrix = Matrix(genes, profile_ids, values, order)
    _note_sex_markers(reading, options)


def _note_sex_markers(reading: Reading, options: Options) -> None:
    """XIST and RPS4Y1 of every profile, linear, where the table has both."""
    matrix = reading.matrix
    at = {}
    for marker, names in SEX_MARKERS.items():
        for i, gene in enumerate(matrix.genes.ids):
            if gene in names:
                at[marker] = matrix.order[i]
    if len(at) < len(SEX_MARKERS):
        return
    pair = np.nan_to_num(matrix.values[[at["XIST"], at["RPS4Y1"]], :])
    if options.scale is Scale.LOG2:
        pair = 2.0**pair - 1.0
    reading.sex_markers = {p: (float(x), float(y)) for p, x, y in zip(matrix.profile_ids, *pair, strict=True)}


def _kept_genes(table: _Table, options: Options, reading: Reading) -> tuple[GeneIndex, np.ndarray]:
    """The genes that are kept, sorted by the study's name, and the row of each."""
    bad = np.zeros(len(table.genes), dtype=bool)
    if options.scale is Scale.LINEAR and table.values.size:
        bad = (table.values < 0).any(axis=1)
    best: dict[str, tuple[int, object]] = {}
    present = {g.strip() for g in table.genes}
    means: dict[int, float] = {}

    def mean(i: int) -> float:
        if i not in means:
            row = table.values[i]
            means[i] = float(np.nanmean(row)) if not np.isnan(row).all() else -1.0
        return means[i]

    n_y = 0
    for i, text in enumerate(table.genes):
        text = text.strip()
        if bad[i]:
            continue
        if is_y_copy(text):
            n_y += 1
            continue
        if is_date(text):
            reading.warn(table.lines[i], "gene", text, "rna.gene-is-a-date", "a spreadsheet has renamed this gene")
        name = gene_name(text)
        if name.id_type == "symbol" and name.source_name == text and name.gene_id in present:
            name = name._replace(gene_id=text, source_name=None)  # the file knows both the old and the new symbol
        if name.gene_id not in best:
            best[name.gene_id] = (i, name)
            continue
        other = best[name.gene_id][0]
        kept, dropped = (i, other) if mean(i) > mean(other) else (other, i)
        if kept == i:
            best[name.gene_id] = (i, name)
        reading.warn(table.lines[dropped], "gene", text, "rna.gene-twice",
                     f"line {table.lines[kept]} has the higher mean and is kept")  # fmt: skip
    if n_y:
        reading.warn(None, "gene", None, "rna.par-y", f"{n_y} _PAR_Y copies are left out")
    genes = sorted(best)
    index = GeneIndex(
        genes,
        [best[g][1].id_type for g in genes],
        [best[g][1].source_name for g in genes],
        [None] * len(genes),
        [None] * len(genes),
    )
    return index, np.array([best[g][0] for g in genes], dtype=int)
