"""Expression matrices: genes x samples, or long tables with one value a row.

Files    csv or tsv, plain or gzip. Wide: first column genes, first row samples. Long: columns gene, sample (or patient
         and tissue) and value, under the names of `rna_tables.COLUMNS`.
Makes    Patient, Sample, ExpressionProfile and the matrix of values, as they stand in the file.
Missing  blank, NA, NaN, null, removed: no value. A value that is none of these and no number is an error.
Twice    a sample named twice is an error. Of a gene named twice the row with the highest mean is kept (a warning).
Scale    linear values must not be negative; --scale log2 says that values are logarithms already. Of log2(x + offset) with a
         declared offset x is taken back, so that they are linear. Of a matrix that was computed back from z scores,
         --clip-negative makes 0 of values between -1 and 0, and says how many. Values are held against what is declared.
Genes    dates, numbers, summary rows (__no_feature, N_unmapped) and spike-ins are findings, and no genes.
Counts   keep their library size, the sum over all genes: log2(CPM + 1) is made of it.
Samples  TCGA barcodes make their patients and samples; other names need a sample sheet (`ingest.gdc.sample_sheet`).
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ingest.expression import rna_map
from ingest.expression.expression_checks import check_genes, check_values, clip_negative
from ingest.expression.genes import are_entrez, gene_name, is_y_copy, not_a_gene
from ingest.expression.rna_tables import Table, long_columns, read_long, read_transposed, read_wide
from ingest.expression.scale_checks import refuse_what_cannot_be, take_back_offset
from ingest.gdc import sample_sheet
from ingest.gdc.sample_sheet import SampleSheet
from ingest.identifiers import checked_sample
from tshdb.errors import InvalidInput, UsageError
from tshdb.file_content import FileContent, GeneIndex, Matrix, Record
from tshdb.objects import sha256_of
from tshdb.readers import Part, Reader, Request
from tshdb.schema import ExpressionProfile, Patient, Sample
from tshdb.text_files import delimiter_of, open_text
from tshdb.vocabulary import ExpressionUnit, Scale

if TYPE_CHECKING:
    from tshdb.config import Settings

SEX_MARKERS = {"XIST": {"XIST", "ENSG00000229807"}, "RPS4Y1": {"RPS4Y1", "ENSG00000129824"}}


class MatrixOptions(NamedTuple):
    """How to understand the file. sample_type: the TCGA code of samples whose names are bare patients.

    clip_negative: linear values between -1 and 0 are somebody's rounding and count as 0.
    log_offset: values are log2(x + log_offset), and x is taken back.
    """

    collection: str
    unit: ExpressionUnit
    scale: Scale
    name: str
    sample_type: str | None = None
    workflow: str | None = None
    gene_model: str | None = None
    transposed: bool = False
    clip_negative: bool = False
    log_offset: float | None = None


def read(path: Path, options: MatrixOptions, sheet: SampleSheet | None = None) -> FileContent:
    """Everything in the file. Raises InvalidInput when it is no expression matrix at all, or one of another offset."""
    refuse_what_cannot_be(options.unit, options.scale, options.log_offset)
    content = FileContent()
    with open_text(path) as file:
        header_line = file.readline()
    if not header_line.strip():
        raise InvalidInput("the file is empty", where=f"{path}:1", repair="Expected a header row")
    delimiter = delimiter_of(header_line)
    header = next(csv.reader([header_line], delimiter=delimiter), [])
    long = None if options.transposed else long_columns(header)
    if options.transposed:
        table = read_transposed(path, delimiter, header, content)
    elif long:
        table = read_long(path, delimiter, long, content)
    else:
        table = read_wide(path, delimiter, header, content)
    if options.log_offset is not None:
        take_back_offset(table.values, options.log_offset)
        options = options._replace(scale=Scale.LINEAR)
    if options.clip_negative:
        clip_negative(table.values, options.scale, content)
    check_values(table.values, table.lines, table.samples, options.unit, options.scale, content)
    check_genes(table.genes, table.lines, content)
    _describe(table, options, sheet, content)
    return content


# --------------------------------------------------------------------------------------------- what it means


def _describe(table: Table, options: MatrixOptions, sheet: SampleSheet | None, content: FileContent) -> None:
    """Records of patients, samples and profiles, and the matrix with the study's gene names."""
    genes, order = _kept_genes(table, options, content)
    profile_ids, chosen = [], []
    seen: set[str] = set()
    for j, name in enumerate(table.samples):
        if name in seen:
            continue
        seen.add(name)
        line, column = table.sample_lines[j], table.columns[j]
        if checked_sample(name, line, name, content) is None:
            continue
        sample = (sheet or SampleSheet({})).sample_of(name, options.sample_type)
        if sample is None:
            content.error(line, name, name, "rna.unknown-sample",
                          "no TCGA sample barcode and not in a sample sheet; name one with --samples")  # fmt: skip
            continue
        profile_id = f"{name}:{options.unit}:{options.name}"
        column_values = table.values[:, j][order]
        content.records += [
            Record(Patient, {"patient_id": sample.patient_id, "collection": options.collection}, line, column),
            Record(Sample, sample._asdict(), line, column),
            Record(
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
                    "library_size": float(np.nansum(column_values)) if options.unit is ExpressionUnit.COUNTS else None,
                },
                line,
                column,
            ),
        ]
        profile_ids.append(profile_id)
        chosen.append(j)
    values = table.values if len(chosen) == len(table.samples) else np.asfortranarray(table.values[:, chosen])
    content.matrix = Matrix(genes, profile_ids, values, order)
    _note_sex_markers(content, options)


def _note_sex_markers(content: FileContent, options: MatrixOptions) -> None:
    """XIST and RPS4Y1 of every profile, linear, where the table has both."""
    matrix = content.matrix
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
    content.sex_markers = {p: (float(x), float(y)) for p, x, y in zip(matrix.profile_ids, *pair, strict=True)}


def _kept_genes(table: Table, options: MatrixOptions, content: FileContent) -> tuple[GeneIndex, np.ndarray]:
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
    are_numbers = are_entrez(table.genes)
    for i, text in enumerate(table.genes):
        text = text.strip()
        if bad[i]:
            continue
        if is_y_copy(text):
            n_y += 1
            continue
        if (problem := not_a_gene(text, are_numbers)) is not None:
            content.warn(table.lines[i], "gene", text, *problem)
            continue
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
        content.warn(table.lines[dropped], "gene", text, "rna.gene-twice",
                     f"line {table.lines[kept]} has the higher mean and is kept")  # fmt: skip
    if n_y:
        content.warn(None, "gene", None, "rna.par-y", f"{n_y} _PAR_Y copies are left out")
    genes = sorted(best)
    index = GeneIndex(
        genes,
        [best[g][1].id_type for g in genes],
        [best[g][1].source_name for g in genes],
        [None] * len(genes),
        [None] * len(genes),
    )
    return index, np.array([best[g][0] for g in genes], dtype=int)


# --------------------------------------------------------------------------------------------------- as a record


def _recorded(request: Request, settings: Settings) -> dict[str, Any]:
    """Unit, scale and what else was asked; a map says the first two itself. Raises UsageError without either."""
    options = dict(request.options)
    if "map" in request.files:
        map_ = rna_map.load_rna_map(request.files["map"])
        options |= {"unit": str(map_.expression.unit), "scale": str(map_.expression.scale)}
        if map_.expression.log_offset is not None:
            options["log_offset"] = map_.expression.log_offset
        options["map"] = map_.model_dump(mode="json")
    if options.get("unit") is None or options.get("scale") is None:
        raise UsageError(
            "no --unit or no --scale", where="tshdb ingest rna", repair="Say both, or name a map with --map (--guess)"
        )
    refuse_what_cannot_be(ExpressionUnit(options["unit"]), Scale(options["scale"]), options.get("log_offset"))
    if sheet := request.files.get("samples"):
        options["samples"] = sha256_of(sheet) if sheet.is_file() else str(sheet)
    return options


def _read(path: Path, request: Request) -> FileContent:
    given = request.options
    map_ = rna_map.RnaMap.model_validate(given["map"]) if given.get("map") is not None else None
    sheet = sample_sheet.read(request.files["samples"]) if "samples" in request.files else None
    if map_ is not None and map_.samples is not None:
        sheet = rna_map.PatternSheet(map_.samples)
    options = MatrixOptions(
        request.collection, ExpressionUnit(given["unit"]), Scale(given["scale"]), request.name, given.get("sample_type"),
        given.get("workflow"), given.get("gene_model"),
        map_ is not None and map_.expression.orientation == "samples_in_rows", given.get("clip_negative", False),
        given.get("log_offset"),
    )  # fmt: skip
    return read(path, options, sheet)


READER = Reader(
    name="rna",
    about="an expression matrix (genes x samples), or a long table of values",
    part=Part.RNA,
    precedence=110,
    read=_read,
    recorded=_recorded,
    reads_again=lambda options: "unit" in options and "map" not in options and options.get("samples") is None,
    guess=rna_map.guess,
    command="ingest rna",
)
