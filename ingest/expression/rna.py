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

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ingest.expression import rna_map
from ingest.expression.column_names import hyphened, known_samples, of_bam, sample_names
from ingest.expression.expression_checks import check_genes, check_values, clip_negative, note_cases, row_of_sums
from ingest.expression.genes import UNSEEN, GeneName, are_entrez, gene_name, is_y_copy, not_a_gene
from ingest.expression.makes import make_of_file
from ingest.expression.other_makes import OtherMake
from ingest.expression.rna_tables import (
    UNNAMED,
    Table,
    first_cells,
    is_transposed,
    long_columns,
    places_of_long,
    read_long,
    read_transposed,
    read_wide,
)
from ingest.expression.scale_checks import refuse_what_cannot_be, take_back_offset
from ingest.gdc import sample_sheet
from ingest.gdc.sample_sheet import SampleRow, SampleSheet
from tshdb.barcode import Barcode
from tshdb.errors import InvalidInput, TshdbError, UsageError
from tshdb.file_content import FileContent, GeneIndex, Matrix, Record
from tshdb.head import Head
from tshdb.objects import sha256_of
from tshdb.readers import Described, Part, Reader, Request
from tshdb.schema import ExpressionProfile, Patient, Sample
from tshdb.text_files import MISSING, number
from tshdb.vocabulary import ExpressionUnit, Scale

if TYPE_CHECKING:
    from tshdb.config import Settings

KNOWN_MAKES = ("GCT", "Firehose", "GEO series matrix")
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
    sheet = sheet or SampleSheet({})
    make = make_of_file(path)
    long = None if options.transposed or make.cells is not None else long_columns(make.header, options.unit)
    if long:
        table = read_long(path, make, long, content)
    elif options.transposed:
        table = read_transposed(path, make, content)
    else:
        if is_transposed(path, make):
            raise InvalidInput(
                "samples stand in the rows and genes in the header",
                where=f"{path}:{make.line}",
                repair='Say so in a map: orientation = "samples_in_rows" (--guess writes one)',
            )
        make = make._replace(notes={i: n for i, n in make.notes.items() if sheet.sample_of(n) is None})
        if not make.samples:
            raise InvalidInput(
                "no samples in the header", where=f"{path}:{make.line}", repair="Is the delimiter tab or comma?"
            )
        named = make._replace(header=sample_names(make, sheet, content))
        columns = [(i, named.header[i], make.line) for i in make.samples]
        known = known_samples(columns, sheet, options.sample_type, content, make.titles)
        table = read_wide(path, named, [place for place, _ in known], content)
        _describe(table, [sample for _, sample in known], options, content)
        return content
    rows = [(j, hyphened(name) or name, table.sample_lines[j]) for j, name in enumerate(table.samples)]
    dotted = [(name, j) for j, name in enumerate(table.samples) if rows[j][1] != name]
    if dotted:
        name, j = dotted[0]
        content.warn(
            rows[j][2], "sample", name, "rna.names-of-r",
            f"dots are read as the hyphens that R's make.names made them of ({len(dotted)}: {name} is {rows[j][1]})",
        )  # fmt: skip
    known = known_samples(rows, sheet, options.sample_type, content)
    kept = [j for j, _ in known]
    if len(kept) < len(rows):
        table = table._replace(
            samples=[rows[j][1] for j in kept], columns=[table.columns[j] for j in kept],
            values=np.asfortranarray(table.values[:, kept]), sample_lines=[table.sample_lines[j] for j in kept],
        )  # fmt: skip
    else:
        table = table._replace(samples=[row[1] for row in rows])
    _describe(table, [sample for _, sample in known], options, content)
    return content


# --------------------------------------------------------------------------------------------- what it means


def _describe(table: Table, samples: Sequence[SampleRow], options: MatrixOptions, content: FileContent) -> None:
    """Findings on the values; records of patients, samples and profiles; the matrix with the study's gene names.

    samples: of the table's columns.
    """
    if options.log_offset is not None:
        take_back_offset(table.values, options.log_offset)
        options = options._replace(scale=Scale.LINEAR)
    if options.clip_negative:
        clip_negative(table.values, options.scale, content)
    check_values(table.values, table.lines, table.samples, options.unit, options.scale, content)
    check_genes(table.genes, table.lines, content)
    genes, order = _kept_genes(table, options, content)
    profile_ids = []
    for j, (name, sample) in enumerate(zip(table.samples, samples, strict=True)):
        line, column = table.sample_lines[j], table.columns[j]
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
    content.matrix = Matrix(genes, profile_ids, table.values, order)
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

    symbols = _symbols_of_one_row(table)
    n_y = 0
    are_numbers = are_entrez(table.genes)
    summed = row_of_sums(table.values) if options.scale is Scale.LINEAR else None
    for i, text in enumerate(table.genes):
        text = text.strip()
        if bad[i]:
            continue
        if i == summed:
            content.warn(
                table.lines[i],
                "gene",
                text,
                "rna.summary-row",
                "its values are the sums of all other rows; it is left out",
            )
            continue
        if is_y_copy(text):
            n_y += 1
            continue
        if (problem := not_a_gene(text, are_numbers)) is not None:
            content.warn(table.lines[i], "gene", text, *problem)
            continue
        if any(mark in text for mark in '"\t\r\n'):
            content.withhold(
                table.lines[i], "gene", text, "rna.gene-quoted", "a quotation mark or a line end is in the name"
            )
            continue
        if unseen := UNSEEN.search(text):
            said = f"a character that nobody sees (U+{ord(unseen[0]):04X}) is in the name"
            content.withhold(table.lines[i], "gene", text, "rna.gene-quoted", said)
            continue
        name = _gene_name(text, symbols[i])
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
    note_cases(genes, content)
    index = GeneIndex(
        genes,
        [best[g][1].id_type for g in genes],
        [best[g][1].source_name for g in genes],
        [None] * len(genes),
        [None] * len(genes),
    )
    return index, np.array([best[g][0] for g in genes], dtype=int)


def _symbols_of_one_row(table: Table) -> list[str | None]:
    """The symbol beside each gene's id, where it is the symbol of no other row; others keep their ids."""
    if table.symbols is None:
        return [None] * len(table.genes)
    symbols = [text.strip() for text in table.symbols]
    times = Counter(gene_name(text).gene_id for text in symbols)
    ids = {text.strip() for text in table.genes}
    return [
        text if text not in UNNAMED and times[gene_name(text).gene_id] == 1 and text not in ids else None for text in symbols
    ]  # fmt: skip


def _gene_name(text: str, symbol: str | None) -> GeneName:
    """The gene's name; by the symbol beside it where its own name is an Ensembl id, an Entrez id or a probe set."""
    name = gene_name(text)
    if symbol is None or name.id_type == "symbol" or gene_name(symbol).id_type != "symbol":
        return name
    return gene_name(symbol)._replace(source_name=text)


# --------------------------------------------------------------------------------------------------- as a record


def _recorded(request: Request, settings: Settings) -> dict[str, Any]:
    """Unit, scale and what else was asked; a map says the first two itself. Raises UsageError without either."""
    options = dict(request.options)
    if "map" in request.files:
        map_ = rna_map.load_rna_map(request.files["map"], request.name)
        options |= {"unit": str(map_.expression.unit), "scale": str(map_.expression.scale)}
        if map_.expression.log_offset is not None:
            options["log_offset"] = map_.expression.log_offset
        for word in ("unit", "scale", "log_offset"):
            said = request.options.get(word)
            if said is not None and said != options[word]:
                raise UsageError(
                    f"--{word.replace('_', '-')} {said}, and the map says {options[word]}", where="tshdb ingest rna",
                    repair="Say it in one place: leave the option out, or correct the map",
                )  # fmt: skip
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


def _describes(head: Head) -> Described | None:
    """A matrix by its samples or its genes; also what is known to be none. Unit and scale only a person can say."""
    if head.is_json or (head.problem is not None and not head.is_workbook):
        return None
    try:
        make = make_of_file(head.path)
        long = None if make.cells is not None else places_of_long(make.header)
        genes, *columns = first_cells(head.path, make, [long["gene"] if long else make.gene, *make.samples])
    except OtherMake as error:
        return Described(error.message, needs=error.repair)
    except TshdbError:
        return None
    if long is not None:
        return _of_long(first_cells(head.path, make, [long["sample"]])[0] if "sample" in long else None)
    are_numbers = all(number(cell) is not None or cell in MISSING for column in columns for cell in column)
    if are_numbers and sum(map(rna_map.is_gene, make.header)) > len(make.header) / 2:
        return Described(
            f"an expression matrix with samples in the rows, {len(make.samples):,} genes",
            needs="a map, which says its unit and scale, and whose its rows are",
            command="ingest rna FILE --collection NAME --guess",
        )  # fmt: skip
    names = [of_bam(name) or hyphened(name) or name for name in (make.header[i] for i in make.samples)]
    n_barcodes = sum(Barcode.is_one(name) for name in [*names, *make.titles.values()])
    is_of_genes = (
        make.what in KNOWN_MAKES
        or sum(map(rna_map.is_gene, genes)) > len(genes) / 2
        or (are_numbers and rna_map.are_symbols(make.header[make.gene], genes))
    )
    if not names or (n_barcodes <= len(names) / 2 and not is_of_genes):
        return None
    what = (
        f"an expression matrix{f' ({make.what})' if make.what else ''}, {len(names):,} sample{'s' * (len(names) > 1)}"
    )
    needs, samples = "", ""
    if n_barcodes < len(names):
        needs, samples = ", and whose its columns are", " --samples SHEET.csv"
    elif any(Barcode.is_one(name) and Barcode.parse(name).sample_type is None for name in names):
        needs, samples = ", and of which tissue they are, since the names are patients'", " --sample-type 01"
    return Described(
        what, needs=f"its unit and scale{needs}",
        command=f"ingest rna FILE --collection NAME --unit UNIT --scale SCALE{samples}",
    )  # fmt: skip


def _of_long(samples: list[str] | None) -> Described:
    """A long table. samples: its first ones; None where it names patients and tissues."""
    is_known = samples is None or all(map(Barcode.is_one, samples))
    return Described(
        "a long table of expression (gene, sample, value)",
        needs=f"its unit and scale{'' if is_known else ', and whose its samples are'}",
        command=f"ingest rna FILE --collection NAME --unit UNIT --scale SCALE{'' if is_known else ' --samples SHEET.csv'}",
    )


READER = Reader(
    name="rna",
    about="an expression matrix (genes x samples), or a long table of values",
    part=Part.RNA,
    precedence=110,
    read=_read,
    recorded=_recorded,
    reads_again=lambda options: "unit" in options and "map" not in options and options.get("samples") is None,
    guess=rna_map.guess,
    describes=_describes,
    command="ingest rna",
)
