"""What an expression matrix of that unit and scale does not look like: findings on its values, genes and samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ingest.expression.genes import gene_name
from ingest.expression.scale_checks import FEW_GENES, check_linear, check_log, origin_of_negatives, probe_of
from tshdb.errors import UsageError
from tshdb.file_content import FileContent
from tshdb.outlying_rows import outlying_rows, said
from tshdb.vocabulary import ExpressionUnit, Scale

ROUNDING = -1.0  # no rounding is larger, and log2(x + 1) ends here
MOST_FINDINGS = 1000
FEWEST_SUMMED, LEAST_SUMMED = 4, 8  # genes, and values, below which a row may be the sum of the others by chance
SUM_TOLERANCE = 1e-9
FEWEST_LIKE, FEWEST_RANKED = 5, 50  # samples, and genes, below which ranks say nothing
LIKE, UNLIKE = 0.7, 0.3  # rank correlation with the middle of all samples: of most, and of one that is like none
DOUBTFUL = 300.0  # 2 to the power of more is too large for a number


def clip_negative(values: np.ndarray, scale: Scale, content: FileContent) -> None:
    """Linear values between -1 and 0 become 0, in place. Raises UsageError for logarithms, which may be negative."""
    if scale is not Scale.LINEAR:
        raise UsageError("--clip-negative with logarithms", where="--scale log2", repair="Leave --clip-negative away")
    small = (values < 0) & (values > ROUNDING)
    if small.any():
        smallest = float(values[small].min())
        values[small] = 0.0
        content.warn(None, None, repr(smallest), "rna.clipped",
                     f"{int(small.sum()):,} values between {ROUNDING:g} and 0 count as 0")  # fmt: skip


def check_values(values: np.ndarray, lines, samples, unit: ExpressionUnit, scale: Scale, content: FileContent) -> None:
    """Findings about a matrix: empty profiles, logarithms that are none, values below zero.

    values    (genes, samples), NaN where there is none
    lines     of the file, one a gene
    samples   their names
    """
    if not values.size:
        return
    empty = ~((values != 0) & ~np.isnan(values)).any(axis=0)
    for j in np.flatnonzero(empty)[:MOST_FINDINGS]:
        content.error(None, samples[j], samples[j], "rna.profile-empty", "every gene is 0 or missing")
    _note_outlying(values, samples, scale, content)
    _note_unlike(values, samples, content)
    if scale is Scale.LOG2:
        check_log(values, lines, samples, unit, content)
        return
    negative = np.argwhere(values < 0)
    origin = origin_of_negatives(probe_of(values)) if len(negative) else ""
    with content.row(n_rows=len(set(negative[:, 0]))):
        for i, j in negative[:MOST_FINDINGS]:
            content.error(lines[i], samples[j], repr(float(values[i, j])), "rna.negative",
                          f"linear values are not negative; if these are logarithms, say --scale log2 ({origin})")  # fmt: skip
    if not len(negative):
        check_linear(values, samples, unit, content)


def _note_outlying(values: np.ndarray, samples, scale: Scale, content: FileContent) -> None:
    """A finding for each sample that is orders of magnitude off in most genes."""
    probe = probe_of(values)
    linear = np.exp2(np.minimum(probe, DOUBTFUL)) if scale is Scale.LOG2 else probe
    for row in outlying_rows(linear.T):
        content.warn(None, samples[row.row], samples[row.row], "rna.sample-off", said(row))


def _note_unlike(values: np.ndarray, samples, content: FileContent) -> None:
    """A finding for a sample in which the genes rank otherwise than in all others: its column moved by a row, or was sorted."""
    probe = np.nan_to_num(probe_of(values))
    if probe.shape[1] < FEWEST_LIKE or probe.shape[0] < FEWEST_RANKED:
        return
    ranks = np.argsort(np.argsort(probe, axis=0, kind="stable"), axis=0, kind="stable").astype(float)
    middle = np.argsort(np.argsort(np.median(ranks, axis=1), kind="stable"), kind="stable")
    centred, of_middle = ranks - ranks.mean(axis=0), middle - middle.mean()
    likeness = (centred * of_middle[:, None]).sum(axis=0) / np.sqrt((centred**2).sum(axis=0) * (of_middle**2).sum())
    if np.median(likeness) < LIKE:
        return
    for j in np.flatnonzero((likeness < UNLIKE) & (probe.max(axis=0) > probe.min(axis=0)))[:MOST_FINDINGS]:
        said = (
            f"its genes rank as in no other sample (correlation {likeness[j]:.2f}, of others {np.median(likeness):.2f}): "
            "has its column moved by a row, or was it sorted alone?"
        )
        content.warn(None, samples[j], samples[j], "rna.sample-unlike", said)


def row_of_sums(values: np.ndarray) -> int | None:
    """The place of the row that is the sum of all others in every column, as a spreadsheet adds it; None where there is none.

    values: (genes, samples), linear.
    """
    n_genes, n_samples = values.shape
    if n_genes < FEWEST_SUMMED or n_genes * n_samples < LEAST_SUMMED or np.isnan(values[:, 0]).all():
        return None
    row = int(np.nanargmax(values[:, 0]))
    sums = np.nansum(values, axis=0)
    is_sum = sums[0] > 0 and np.allclose(2 * values[row], sums, rtol=SUM_TOLERANCE, atol=0)
    return row if is_sum else None


def note_cases(genes: Sequence[str], content: FileContent) -> None:
    """A finding for genes that differ in capital letters alone: each is one of the study's genes, and hardly both are."""
    spelt: dict[str, str] = {}
    for gene in genes:
        other = spelt.setdefault(gene.casefold(), gene)
        if other != gene:
            content.warn(
                None, "gene", gene, "rna.gene-case", f"differs from {other} in capital letters alone; both are kept"
            )


def check_genes(genes: list[str], lines, content: FileContent) -> None:
    """Names of several systems in one table, or of another species."""
    if len(genes) < FEW_GENES:
        return
    kinds = [gene_name(g.strip()).id_type for g in genes]
    shares = {kind: kinds.count(kind) / len(kinds) for kind in set(kinds)}
    ensembl, symbols = shares.get("ensembl", 0), shares.get("symbol", 0)
    if ensembl > 0.05 and symbols > 0.05:
        at = kinds.index("symbol" if ensembl > symbols else "ensembl")
        content.warn(lines[at], "gene", genes[at], "rna.mixed-names",
                     f"{ensembl:.0%} Ensembl ids and {symbols:.0%} symbols: are two tables mixed?")  # fmt: skip
    mouse = [
        g
        for g in genes
        if g.startswith("ENSMUSG") or (g[:1].isupper() and g[1:].islower() and g.isalnum() and len(g) > 2)
    ]
    if len(mouse) > len(genes) / 2:
        content.warn(lines[0], "gene", mouse[0], "rna.other-species", "most names are spelt as those of the mouse")
