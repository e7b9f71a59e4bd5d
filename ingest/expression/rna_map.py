"""Maps for expression tables of any make: which way they lie, what a value is, and whose a column is.

[expression]
unit = "tpm"                       # tpm, fpkm, fpkm_uq, rsem, counts, cpm, intensity
scale = "linear"                   # or log2
log_offset = 0.001                 # of log2(x + 0.001): x is taken back
orientation = "genes_in_rows"      # or samples_in_rows

[samples]                          # not needed where names are TCGA barcodes
pattern = "(?P<patient>[A-Z]+[0-9]+)_(?P<tissue>[TN])"
tissues = { T = "tumor", N = "stroma" }
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingest.expression.genes import gene_name
from ingest.gdc.sample_sheet import SampleRow, SampleSheet
from tshdb.barcode import STROMA_CODE, TUMOR_CODE, Barcode
from tshdb.errors import InvalidInput
from tshdb.map_files import refuse_undecided, written_map
from tshdb.text_files import csv_reader, number, open_text, top_of
from tshdb.vocabulary import Compartment, ExpressionUnit, Scale

HEAD_ROWS = 400
KNOWN_GENES = {
    "TP53",
    "GAPDH",
    "ACTB",
    "CD3D",
    "CD8A",
    "COL1A1",
    "EPCAM",
    "MKI67",
    "ESR1",
    "PGR",
    "ERBB2",
    "VWF",
    "GNLY",
}
TISSUE_LAST = "(?P<patient>.+)[-_. ](?P<tissue>[A-Za-z]+)"
TISSUES = {
    Compartment.TUMOR: {"t", "tu", "tum", "tumor", "tumour", "ca", "cancer", "primary"},
    Compartment.STROMA: {"n", "no", "norm", "normal", "nat", "s", "stroma", "adjacent"},
}
MOST_TISSUES = 12
GENES_HEADERS = {
    "gene", "genes", "gene_id", "geneid", "gene_name", "gene_symbol", "symbol", "hugo_symbol", "hgnc_symbol", "ensembl_id",
}  # fmt: skip
NAMELESS = {"", "id", "name", "probe", "id_ref", "x", "index", "row.names", "unnamed: 0"}
MANY_BEGINNINGS = 5
CODES = {Compartment.TUMOR: TUMOR_CODE, Compartment.STROMA: STROMA_CODE}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExpressionMap(_Strict):
    """[expression]"""

    unit: ExpressionUnit
    scale: Scale
    log_offset: float | None = None
    orientation: Literal["genes_in_rows", "samples_in_rows"] = "genes_in_rows"


class SamplesMap(_Strict):
    """[samples]: a regular expression with the groups patient and tissue (or patient alone, and one `tissue` for all)."""

    pattern: str
    tissues: dict[str, Compartment] = Field(default_factory=dict)
    tissue: Compartment | None = None


class RnaMap(_Strict):
    """A whole map."""

    expression: ExpressionMap
    samples: SamplesMap | None = None


class PatternSheet(SampleSheet):
    """Samples by a pattern of their names."""

    def __init__(self, samples: SamplesMap):
        super().__init__({})
        self._samples, self._pattern = samples, re.compile(samples.pattern)

    def sample_of(self, name: str, default_type: str | None = None) -> SampleRow | None:
        match = self._pattern.fullmatch(name)
        if match is None:
            return super().sample_of(name, default_type)
        groups = match.groupdict()
        compartment = self._samples.tissues.get(groups.get("tissue") or "", self._samples.tissue)
        if groups.get("patient") is None or compartment is None:
            return None
        return SampleRow(name, groups["patient"], CODES.get(compartment), compartment)


def load_rna_map(path: Path, source: str = "") -> RnaMap:
    """A map from a file. Raises NotFound or InvalidInput with the key that is wrong. source: as `maps.load_map` takes it."""
    written = written_map(path, source)
    refuse_undecided(written)
    try:
        rna_map = RnaMap.model_validate(written.values)
        if rna_map.samples is not None:
            re.compile(rna_map.samples.pattern)
        return rna_map
    except re.error as error:
        raise InvalidInput(f"samples.pattern: {error}", where=written.where, repair="Mend the pattern") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(
            f"{key}: {first['msg']}", where=written.where, repair="See docs/maps.md (tshdb docs maps), or --guess"
        ) from None


def is_gene(text: str) -> bool:
    """Whether a name looks like a gene's: an Ensembl id, SYMBOL|ENTREZ, or a symbol that everybody knows."""
    text = text.strip()
    return (
        gene_name(text).id_type == "ensembl"
        or text.upper() in KNOWN_GENES
        or re.fullmatch(r"[\w?.-]+\|\d+", text) is not None
    )


def are_symbols(header: str, names: Sequence[str]) -> bool:
    """Whether the names of a first column are likely genes: its header says so, or they are as different as symbols are.

    Patients are numbered behind one word, or a few; symbols begin in many ways, also in the alphabet's order.
    """
    if header.lower() in GENES_HEADERS:
        return True
    begin = {match[0] for name in names if (match := re.match(r"[A-Za-z]+", name))}
    are_words = all(re.fullmatch(r"[A-Za-z][\w.@/-]*", name) for name in names)
    return header.lower() in NAMELESS and are_words and len(begin) >= max(MANY_BEGINNINGS, len(names) / 4)


def looks_transposed(header: list[str], first_column: list[str]) -> bool:
    """Whether genes stand in the header and samples in the first column."""
    across, down = sum(map(is_gene, header[1:])), sum(map(is_gene, first_column))
    barcodes = sum(Barcode.is_one(name.strip()) for name in first_column)
    return (across > 2 * down and across >= 2) or (
        barcodes > len(first_column) / 2 and not any(map(Barcode.is_one, header))
    )


def _unit(path: Path, values: Sequence[float], is_log: bool) -> tuple[str, str]:
    """(unit, why): by a word in the file's name, or by values that only counts have."""
    words = re.split(r"[^a-z]+", path.name.lower())
    named = {u for u in ExpressionUnit if str(u) in words}
    if len(named) == 1:
        return str(named.pop()), "by the file's name"
    if not is_log and all(v == int(v) for v in values):
        return str(ExpressionUnit.COUNTS), "whole numbers"
    return "?", "tpm, fpkm, fpkm_uq, rsem, counts, cpm or intensity: nothing says which"


def _of_samples(names: Sequence[str]) -> list[str]:
    """[samples]: the patient before the last mark, the tissue behind it, where that is so for all names."""
    matches = [re.fullmatch(TISSUE_LAST, name) for name in names]
    fitting = [m for m in matches if m is not None]
    if len(fitting) < len(names):
        other = next(name for name, m in zip(names, matches, strict=True) if m is None)
        return [
            f'pattern = "?"    # which is the patient: (?P<patient>.+)_(?P<tissue>[TN]); in {other} it is not the end',
            'tissue = "?"    # tumor or stroma, where all are; else tissues = { T = "tumor", N = "stroma" }',
        ]  # fmt: skip
    found = sorted({m["tissue"] for m in fitting})
    n_patients = len({m["patient"] for m in fitting})
    of_tissue = {t: next((c for c, words in TISSUES.items() if t.lower() in words), "?") for t in found[:MOST_TISSUES]}
    pairs = ", ".join(f'{tissue} = "{c}"' for tissue, c in of_tissue.items())
    return [
        f'pattern = "{TISSUE_LAST}"    # it fits all {len(names)} names, of {n_patients} patients',
        f"tissues = {{ {pairs} }}    # all that stand at their ends; stroma is normal tissue of the same breast",
    ]


def guess(path: Path, unit: str | None = None, scale: str | None = None) -> str:
    """A map as TOML text, from the first rows. unit, scale: where they are known."""
    with open_text(path) as file:
        top = top_of(file)
        rows = list(islice(csv_reader(chain([top.header], top.rest), top.delimiter), HEAD_ROWS))
    header, rows = (rows[0], rows[1:]) if rows else ([], [])
    if len(header) < 2 or not rows:
        raise InvalidInput(
            "no table with a header, names and values", where=str(path), repair="Is it an expression matrix?"
        )
    transposed = looks_transposed(header, [r[0] for r in rows if r])
    values = [v for row in rows for v in map(number, row[1:]) if v is not None]
    if not values:
        raise InvalidInput("no numbers in the first rows", where=str(path), repair="Is it an expression matrix?")
    is_log = min(values) < 0 or max(values) <= 30
    unit, why_unit = (unit, "as you said") if unit else _unit(path, values, is_log)
    of_values = f"values from {min(values):g} to {max(values):g}"
    why_scale = f"as you said; {of_values}" if scale else of_values
    scale = scale or ("log2" if is_log else "linear")
    names = [r[0] for r in rows if r] if transposed else header[1:]
    lines = [
        f"# A guess from the first rows of {path.name}: correct it, then name it with --map. A ? must become a meaning.",
        "[expression]",
        f'unit = "{unit}"    # {why_unit}',
        f'scale = "{scale}"    # {why_scale}',
        f'orientation = "{"samples_in_rows" if transposed else "genes_in_rows"}"',
    ]
    if not all(Barcode.is_one(name.strip()) for name in names):
        lines += ["", f"[samples]    # names such as {', '.join(names[:3])}", *_of_samples([n.strip() for n in names])]
    return "\n".join(lines) + "\n"
