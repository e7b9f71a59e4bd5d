"""One aliquot's expression, as the GDC's RNA-seq workflows publish it.

Files    *.rna_seq.augmented_star_gene_counts.tsv (since release 32): a line `# gene-model: GENCODE v36`, a header, four rows
         N_unmapped, N_multimapping, N_noFeature, N_ambiguous, then one row a gene: versioned Ensembl id, symbol, biotype,
         counts (unstranded, first, second), TPM, FPKM, FPKM-UQ, all linear.
         *.htseq.counts.gz, *.FPKM.txt.gz, *.FPKM-UQ.txt.gz (before): two columns without a header; __no_feature and the
         like at the end of counts.
Makes    Patient, Sample, ExpressionProfile (one a unit) and the values. Gene ids lose their version; a _PAR_Y row, the
         second copy of a pseudoautosomal gene, is left out.
Who      The name of the file says nothing of its sample: the sample sheet or the API does (`gdc_sheets`).
"""

from __future__ import annotations

import gzip
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ingest.gdc.sheets import FileFacts
from tshdb.barcode import Barcode, compartment_of
from tshdb.file_content import FileContent, GeneIndex, Matrix, Record
from tshdb.head import Head
from tshdb.readers import Part, Reader
from tshdb.schema import ExpressionProfile, Patient, Sample
from tshdb.vocabulary import ExpressionUnit, Scale

STAR_SUFFIX = ".augmented_star_gene_counts.tsv"
GENE_MODEL = "# gene-model:"  # how its first line begins
STAR_COLUMNS = {
    ExpressionUnit.TPM: "tpm_unstranded",
    ExpressionUnit.FPKM: "fpkm_unstranded",
    ExpressionUnit.FPKM_UQ: "fpkm_uq_unstranded",
    ExpressionUnit.COUNTS: "unstranded",
}
HTSEQ_UNITS = {
    ".htseq.counts": ExpressionUnit.COUNTS,
    ".fpkm.txt": ExpressionUnit.FPKM,
    ".fpkm-uq.txt": ExpressionUnit.FPKM_UQ,
}
QC_ROWS = {
    "N_unmapped": "n_unmapped",
    "N_multimapping": "n_multimapping",
    "N_noFeature": "n_no_feature",
    "N_ambiguous": "n_ambiguous",
    "__not_aligned": "n_unmapped",
    "__alignment_not_unique": "n_multimapping",
    "__no_feature": "n_no_feature",
    "__ambiguous": "n_ambiguous",
}
XIST, RPS4Y1 = "ENSG00000229807", "ENSG00000129824"
MILLION = 1e6
TPM_TOLERANCE = 0.01


@dataclass(frozen=True, eq=False)
class _GeneRows:
    """The genes of a file and where they stand: index of the row of each gene, of QC rows, of the sex markers."""

    names: object  # the gene column, an Arrow array
    index: GeneIndex
    order: np.ndarray
    qc: dict[str, int]
    n_y_copies: int
    sex: tuple[int, int] | None


class GeneRows:
    """The gene columns that were met: a thousand files share one, which is looked through once."""

    def __init__(self):
        self._known: list[_GeneRows] = []
        self._lock = threading.Lock()

    def of(self, names, symbols, gene_types, content: FileContent) -> _GeneRows | None:
        """The places of the genes; None after an error. symbols, gene_types: functions that give them."""
        with self._lock:
            for known in self._known:
                if known.names.equals(names):
                    return known
            fresh = _gene_rows(names, symbols(), gene_types(), content)
            if fresh is not None:
                self._known.append(fresh)
            return fresh


def _gene_rows(names, symbols: list | None, gene_types: list | None, content: FileContent) -> _GeneRows | None:
    texts = names.to_pylist()
    qc, at, n_y = {}, {}, 0
    for i, text in enumerate(texts):
        if text in QC_ROWS:
            qc[text] = i
        elif text.startswith(("N_", "__")):
            continue
        elif text.endswith("_PAR_Y"):
            n_y += 1
        else:
            gene = text.partition(".")[0]
            if gene in at:
                content.error(None, "gene_id", text, "rna.gene-twice", f"{texts[at[gene]]} stands before it")
                return None
            at[gene] = i
    genes = sorted(at)
    order = np.array([at[g] for g in genes], dtype=int)
    index = GeneIndex(
        genes,
        ["ensembl" if g.startswith("ENS") else "symbol" for g in genes],
        [texts[i] if texts[i] != g else None for g, i in zip(genes, order, strict=True)],
        [symbols[i] if symbols else None for i in order],
        [gene_types[i] if gene_types else None for i in order],
    )
    sex = tuple(at.get(g) for g in (XIST, RPS4Y1))
    return _GeneRows(names, index, order, qc, n_y, None if None in sex else sex)


def htseq_unit(path: Path) -> ExpressionUnit | None:
    """The unit that an older file's name says."""
    name = path.name.lower().removesuffix(".gz")
    return next((unit for suffix, unit in HTSEQ_UNITS.items() if name.endswith(suffix)), None)


def read(
    data: bytes, path: Path, facts: FileFacts, collection: str, units: tuple[ExpressionUnit, ...], genes: GeneRows
):
    """What one file holds. data: its bytes, as they lie on the disk. Errors are findings; then there is no record."""
    content = FileContent()
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            return _refused(content, None, "rna.cut", f"the gzip file is cut or damaged ({error}); fetch it again")
    if data and not data.endswith(b"\n"):
        return _refused(content, data.count(b"\n") + 1, "rna.cut", "the last line has no end; fetch the file again")
    if unit := htseq_unit(path):
        return _read(data, path, facts, collection, {unit: 1}, _Layout(0, 2, None, "HTSeq"), genes, content)
    first, _, rest = data.partition(b"\n")
    header = rest.partition(b"\n")[0].decode("utf-8", "replace").rstrip("\r").split("\t")
    if not first.startswith(GENE_MODEL.encode()):
        return _refused(content, 1, "star.no-gene-model", "expected a first line '# gene-model: …'")
    missing = [c for c in ("gene_id", *(STAR_COLUMNS[u] for u in units)) if c not in header]
    if missing:
        return _refused(content, 2, "star.no-column", f"no column {', '.join(missing)}")
    model = first.decode("utf-8", "replace").partition(":")[2].strip()
    layout = _Layout(2, len(header), model, "STAR - Counts", header)
    return _read(
        data, path, facts, collection, {u: header.index(STAR_COLUMNS[u]) for u in units}, layout, genes, content
    )


@dataclass(frozen=True)
class _Layout:
    n_skipped: int
    n_columns: int
    gene_model: str | None
    workflow: str
    header: list[str] | None = None


def _refused(content: FileContent, line: int | None, rule: str, message: str, column=None, value=None) -> FileContent:
    content.withhold(line, column, value, rule, message)
    content.records, content.matrix, content.sex_markers = [], None, {}
    return content


def _columns(data: bytes, layout: _Layout, wanted: dict[str, object]):
    """Columns by number-names, typed; raises ArrowInvalid for a row or a cell that is not as it should be."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    names = [str(i) for i in range(layout.n_columns)]
    return arrow_csv.read_csv(
        pa.BufferReader(data),
        arrow_csv.ReadOptions(
            skip_rows=layout.n_skipped, column_names=names, block_size=max(len(data), 1 << 16), use_threads=False
        ),
        arrow_csv.ParseOptions(delimiter="\t", quote_char=False),
        arrow_csv.ConvertOptions(
            column_types=wanted, include_columns=list(wanted), null_values=[""], strings_can_be_null=False
        ),
    ).combine_chunks()


def _read(
    data, path: Path, facts: FileFacts, collection, at: dict, layout: _Layout, genes: GeneRows, content
) -> FileContent:
    import pyarrow as pa

    gene_column = str(layout.header.index("gene_id")) if layout.header else "0"
    wanted = {gene_column: pa.string()} | {str(i): pa.float64() for i in at.values()}
    if layout.header:
        wanted[str(layout.header.index("unstranded"))] = pa.float64()
    try:
        table = _columns(data, layout, wanted)
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        return _refused(content, *_bad_place(data, layout, error))

    def texts(name: str):
        if not layout.header or name not in layout.header:
            return lambda: None
        column = str(layout.header.index(name))
        return lambda: _columns(data, layout, {column: pa.string()})[column].to_pylist()

    column = table[gene_column]
    names = column.chunk(0) if column.num_chunks else pa.array([], pa.string())
    with content.row():
        rows = genes.of(names, texts("gene_name"), texts("gene_type"), content)
    if rows is None:
        return content
    if not len(rows.order):
        return _refused(content, layout.n_skipped + 1, "rna.no-genes", "the file has no gene")
    values = np.column_stack([table[str(i)].to_numpy(zero_copy_only=False) for i in at.values()])
    for j, unit in enumerate(at):
        problem = _problem(values[:, j][rows.order], unit)
        if problem is not None:
            rule, message, place = problem
            line = None if place is None else layout.n_skipped + 1 + int(rows.order[place])
            return _refused(content, line, rule, message, layout.header[at[unit]] if layout.header else None)
    _describe(content, path, facts, collection, at, layout, rows, values, table)
    return content


def _problem(values: np.ndarray, unit: ExpressionUnit) -> tuple[str, str, int | None] | None:
    """(rule, message, place of the gene) of what no such column holds."""
    if np.isnan(values).any():
        return "rna.no-value", "a gene has no value; expected a number", int(np.flatnonzero(np.isnan(values))[0])
    if values.min() < 0:
        return "rna.negative", "a linear value is not negative", int(np.argmin(values))
    if not values.any():
        return "rna.profile-empty", "every gene is 0: the sample has no expression", None
    if unit is ExpressionUnit.COUNTS and (values != np.floor(values)).any():
        return "rna.not-counts", "counts are whole numbers", int(np.flatnonzero(values != np.floor(values))[0])
    return None


def _describe(content, path, facts: FileFacts, collection, at, layout: _Layout, rows: _GeneRows, values, table) -> None:
    patient_id = facts.case_id or Barcode.parse(facts.sample_id).patient_id
    code = Barcode.parse(facts.sample_id).sample_type if Barcode.is_one(facts.sample_id) else None
    sample = {
        "sample_id": facts.sample_id,
        "patient_id": patient_id,
        "sample_type_code": code,
        "compartment": compartment_of(code),
        "preservation_method": facts.preservation,
    }
    counts = table[str(layout.header.index("unstranded"))] if layout.header else table[str(next(iter(at.values())))]
    has_qc = layout.header is not None or ExpressionUnit.COUNTS in at
    qc = {QC_ROWS[name]: int(counts[i].as_py()) for name, i in rows.qc.items() if has_qc and counts[i].is_valid}
    line = layout.n_skipped or 1
    content.records += [
        Record(Patient, {"patient_id": patient_id, "collection": collection}, line),
        Record(Sample, sample, line),
    ]
    profile_ids = []
    for j, (unit, column) in enumerate(at.items()):
        profile_id = f"{facts.sample_id}.{facts.file_id[:8]}:{unit}:{'star' if layout.header else 'htseq'}"
        profile_ids.append(profile_id)
        profile = {
            "profile_id": profile_id,
            "sample_id": facts.sample_id,
            "aliquot_id": facts.aliquot_id or facts.sample_id,
            "unit": unit,
            "scale": Scale.LINEAR,
            "workflow": layout.workflow,
            "gene_model": layout.gene_model,
            "n_genes": len(rows.index),
            "n_missing": 0,
            "library_size": float(values[:, j][rows.order].sum()) if unit is ExpressionUnit.COUNTS else None,
            **qc,
        }
        content.records.append(Record(ExpressionProfile, profile, line, column + 1))
        if rows.sex is not None:
            content.sex_markers[profile_id] = (float(values[rows.sex[0], j]), float(values[rows.sex[1], j]))
        total = float(values[:, j][rows.order].sum())
        if unit is ExpressionUnit.TPM and len(rows.index) > 10_000 and abs(total / MILLION - 1) > TPM_TOLERANCE:
            content.warn(line, "tpm_unstranded", f"{total:.0f}", "rna.not-tpm", "TPM of all genes add up to a million")
    content.matrix = Matrix(rows.index, profile_ids, values, rows.order)


def _bad_place(data: bytes, layout: _Layout, error: Exception) -> tuple[int, str, str]:
    """(line, rule, message) of the first row that is not as the others; only looked for after Arrow refused."""
    for i, line in enumerate(data.split(b"\n"), 1):
        if i <= layout.n_skipped or not line:
            continue
        fields = line.rstrip(b"\r").split(b"\t")
        if len(fields) != layout.n_columns:
            return i, "rna.field-count", f"{len(fields)} fields; expected {layout.n_columns}"
        for field in fields[3:] if layout.header else fields[1:]:
            try:
                float(field or b"0")
            except ValueError:
                return i, "rna.not-a-number", f"'{field.decode('utf-8', 'replace')}' is no number"
    return layout.n_skipped + 1, "rna.unreadable", str(error).splitlines()[0]


def _recognises(head: Head) -> bool:
    if head.path.name.endswith(STAR_SUFFIX) or htseq_unit(head.path):  # a thousand files: by their names, unopened
        return True
    return head.text.startswith(GENE_MODEL)


READER = Reader(
    name="star-counts",
    about="STAR or HTSeq counts of the GDC",
    part=Part.RNA,
    precedence=100,
    recognises=_recognises,
)
