"""What values say of their scale, held against what was declared: counts, CPM, TPM, FPKM, logarithms and of what, z scores.

Everything is judged from the values, at any number of genes. Findings say where such values come from: log2(x + 0.001) of UCSC
Xena's Toil matrices, log2(x + 0.1) of SCAN-B, RMA of arrays, matrices that were centred or made z scores.

    log2(x + offset)  has the floor log2(offset), at which all genes without expression stand: below 0 where offset < 1
    z scores          genes have mean 0 and standard deviation 1; centred ones mean (or median) 0
    RMA               log2 intensities, which have no 0: the smallest are about 2
"""

from __future__ import annotations

import numpy as np

from tshdb.errors import InvalidInput, UsageError
from tshdb.file_content import FileContent
from tshdb.vocabulary import ExpressionUnit, Scale

NOTHING = 1e-9
PROBED = 2_000_000  # values that are looked at
WHOLE = 1e-3
MILLION, TPM_TOLERANCE = 1e6, 0.05
WHOLE_GENOME, MANY_GENES, FEW_GENES = 10_000, 5_000, 200
DOUBTFUL_LOG2 = 50.0  # no log2 of an expression value is larger
LINEAR_LIKE_LOG = 30.0  # linear values whose largest is this small look like logarithms
FEW_VALUES = 12  # above 0; of fewer nothing is said
PEAKED = 10.0  # linear values of few genes have a largest that is so many times their median
SMALLEST_RMA, LARGEST_RMA = 1.0, 20.0
LARGEST_LOG10 = 7.0
AT_FLOOR = 0.005  # of the values stand at the smallest, where that is an offset's
OFFSET_TOLERANCE = 0.02  # of the offset: what rounding to few decimals leaves
KNOWN_OFFSETS = {
    0.001: "UCSC Xena's Toil matrices",
    0.1: "SCAN-B",
    0.01: "a small offset",
    0.5: "voom's",
    1e-6: "a small offset",
}
OF_A_MILLION = (ExpressionUnit.TPM, ExpressionUnit.CPM)
FRACTIONAL = (ExpressionUnit.TPM, ExpressionUnit.FPKM, ExpressionUnit.FPKM_UQ, ExpressionUnit.CPM)


def take_back_offset(values: np.ndarray, offset: float) -> None:
    """Logarithms log2(x + offset) become x, in place. Raises InvalidInput for values that are below log2(offset)."""
    if not values.size or np.isnan(values).all():
        return
    smallest, largest = float(np.nanmin(values)), float(np.nanmax(values))
    if largest > DOUBTFUL_LOG2 or 2.0**smallest - offset < -OFFSET_TOLERANCE * offset:
        why = (
            f"above {DOUBTFUL_LOG2:.0f}"
            if largest > DOUBTFUL_LOG2
            else f"below log2({offset:g}) = {np.log2(offset):.4g}"
        )
        raise InvalidInput(
            f"a value of {largest if largest > DOUBTFUL_LOG2 else smallest:g} is {why}: these are not log2(x + {offset:g})",
            where=f"--log-offset {offset:g}",
            repair="Say the offset by which the logarithms were made; without one, leave --log-offset away",
        )
    np.exp2(values, out=values)
    values -= offset
    values[np.abs(values) < OFFSET_TOLERANCE * offset] = 0.0


def refuse_what_cannot_be(unit: ExpressionUnit, scale: Scale, offset: float | None) -> None:
    """Raises UsageError for an offset of linear values, and for logarithms of counts without one: they hold the depth."""
    if offset is not None and scale is not Scale.LOG2:
        raise UsageError(
            "--log-offset with linear values", where="--scale linear", repair="Say --scale log2, or no offset"
        )
    if offset is not None and not 0 < offset <= 10:
        raise UsageError(
            f"--log-offset {offset:g}", where="--log-offset", repair="Expected above 0, such as 1 or 0.001"
        )
    if offset is None and unit is ExpressionUnit.COUNTS and scale is Scale.LOG2:
        raise UsageError(
            "logarithms of counts without their offset: sequencing depth cannot be taken out of them",
            where="--unit counts --scale log2",
            repair="Say --log-offset (1 for log2(count + 1)), so that they become counts per million; or --unit cpm if they are",
        )  # fmt: skip


def probe_of(values: np.ndarray) -> np.ndarray:
    """At most PROBED values of a matrix (genes, samples): whole genes, evenly taken. NaN where there is none."""
    step = max(1, -(-values.size // PROBED))
    return values[::step]


def check_log(values: np.ndarray, lines, samples, unit: ExpressionUnit, content: FileContent) -> None:
    """Of logarithms without a declared offset: are they log2(x + 1)?"""
    probe = probe_of(values)
    known = probe[~np.isnan(probe)]
    if not known.size:
        return
    smallest, largest = float(known.min()), float(np.nanmax(values))
    if largest > DOUBTFUL_LOG2:
        i, j = np.argwhere(values > DOUBTFUL_LOG2)[0]
        content.warn(lines[i], samples[j], repr(float(values[i, j])), "rna.scale-doubtful",
                     f"above {DOUBTFUL_LOG2:.0f}, which no log2 value is; is --scale linear meant?")  # fmt: skip
        return
    is_array = unit is ExpressionUnit.INTENSITY
    if float(np.nanmin(values)) < -NOTHING:
        i, j = np.argwhere(values == np.nanmin(values))[0]
        content.warn(lines[i], samples[j], repr(float(values[i, j])), "rna.log-negative", origin_of_negatives(probe))
    elif not is_array and len(values) >= FEW_GENES and smallest > SMALLEST_RMA and largest < LARGEST_RMA:
        content.warn(None, samples[0], f"{smallest:g}", "rna.scale-doubtful",
                     f"no value below {smallest:.3g}: intensities of arrays (RMA)? then say --unit intensity")  # fmt: skip
    elif not is_array and len(values) >= WHOLE_GENOME and largest < LARGEST_LOG10:
        content.warn(None, samples[0], f"{largest:g}", "rna.scale-doubtful",
                     f"no value above {largest:.3g}: logarithms to the base 10?")  # fmt: skip


def origin_of_negatives(probe: np.ndarray) -> str:
    """Where a matrix (genes, samples) with values below 0 is likely from, and what follows of it."""
    known = probe[~np.isnan(probe)]
    smallest = float(known.min())
    offset = 2.0**smallest
    near = next((o for o in KNOWN_OFFSETS if abs(np.log2(o) - smallest) < 0.01), None)
    at_floor = probe <= smallest + 0.001
    n_genes = int(
        at_floor.any(axis=1).sum()
    )  # of one gene alone they stand below its own centre, not at an offset's floor
    is_floor = at_floor.sum() >= max(AT_FLOOR * known.size, 3) and n_genes > 1
    if smallest > -25 and offset < 1 and (near is not None or is_floor):
        said = f"{near:g}" if near is not None else f"{offset:.3g}"
        whose = f", as {KNOWN_OFFSETS[near]} are" if near is not None else ""
        return f"below 0: log2(x + {said}){whose}? Say --log-offset {said}: it is taken back, and the values become log2(x + 1)"
    with np.errstate(all="ignore"):
        centers = np.array([np.median(row[~np.isnan(row)]) for row in probe if not np.isnan(row).all()])
        spreads = np.array([np.std(row[~np.isnan(row)], ddof=1) for row in probe if (~np.isnan(row)).sum() > 2])
    negative = float((known < 0).mean())
    if 0.2 < negative < 0.8 and float(np.median(np.abs(centers))) < 0.5:
        is_z = spreads.size > 0 and 0.8 < float(np.median(spreads)) < 1.25 and float(np.std(spreads)) < 0.1
        kind = "z scores of each gene" if is_z else "a matrix that was centred"
        return f"below 0: {kind}? There is no zero on such a scale, and no ratio of abundances: take the values before that step"
    why = "logarithms without an offset, or an array's"
    return f"below 0, so that these are not log2(x + 1): {why}? No ratio is made of negative abundances"


def check_linear(values: np.ndarray, samples, unit: ExpressionUnit, content: FileContent) -> None:
    """Of linear values: are they of the unit that was said? A finding at most."""
    probe = probe_of(values)
    known = probe[~np.isnan(probe)]
    if not known.size:
        return
    largest = float(known.max())
    is_whole = largest > WHOLE and bool((np.abs(known - np.round(known)) < WHOLE).all())
    sums = np.nansum(values, axis=0)
    if not is_whole and _looks_like_logs(known, largest, len(values)):
        content.warn(None, samples[0], f"{largest:g}", "rna.scale-doubtful",
                     f"no value above {LINEAR_LIKE_LOG:.0f}; are these logarithms (--scale log2)?")  # fmt: skip
    elif unit is ExpressionUnit.COUNTS and not is_whole:
        content.warn(
            None, samples[0], f"{largest:g}", "rna.not-counts", "counts are whole numbers; is another --unit meant?"
        )
    elif unit in FRACTIONAL and is_whole and largest > 100:
        content.warn(
            None,
            samples[0],
            f"{largest:g}",
            "rna.looks-like-counts",
            f"every value is whole; are these counts, not {unit}?",
        )
    elif unit in OF_A_MILLION:
        off = np.flatnonzero(sums > MILLION * (1 + TPM_TOLERANCE))
        if not len(off) and len(values) >= WHOLE_GENOME:
            off = np.flatnonzero(np.abs(sums / MILLION - 1) > TPM_TOLERANCE)
        if len(off):
            content.warn(
                None,
                samples[off[0]],
                f"{sums[off[0]]:.0f}",
                "rna.not-tpm",
                f"{unit.upper()} of all genes add up to a million",
            )
    maxima = np.fmax.reduce(values, axis=0)
    odd = np.flatnonzero((maxima > 0) & (maxima <= LINEAR_LIKE_LOG) & (maxima * PEAKED**2 < np.nanmedian(maxima)))
    if len(values) >= FEW_GENES / 10 and len(odd):
        content.warn(
            None, samples[odd[0]], f"{maxima[odd[0]]:g}", "rna.scale-doubtful",
            f"no value of {len(odd)} samples is above {LINEAR_LIKE_LOG:.0f}, and those of others are hundreds of times larger: "
            "are these logarithms?",
        )  # fmt: skip
    if unit is ExpressionUnit.COUNTS and len(values) < MANY_GENES:
        content.warn(
            None, samples[0], str(len(values)), "rna.few-genes-counted",
            f"counts become counts per million of what these {len(values):,} genes count together: is it the whole table?",
        )  # fmt: skip


def _looks_like_logs(known: np.ndarray, largest: float, n_genes: int) -> bool:
    """Whether values that are called linear lie as logarithms do. Few genes must also lack the peaks that linear values have."""
    if largest > LINEAR_LIKE_LOG:
        return False
    positive = known[known > 0]
    return n_genes >= FEW_GENES or (positive.size >= FEW_VALUES and largest < PEAKED * float(np.median(positive)))
