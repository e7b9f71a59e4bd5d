"""The ladder's verdict in words: does the signature show more than the tumour's volume, and more than images without texture?

adds              the signature's own AUC lies above one half, and is larger than that of every volume rung, each with its 95 %
                  interval. On data without a truth both must happen by chance: fewer than one in forty. Whether by texture is
                  not known: there is no AUC of images with shuffled voxels
adds texture      it adds, and is larger than that of the same images with shuffled voxels, with its whole interval: where the
                  grey levels lie counts, beyond the shape and the histogram
no texture shown  it adds, and that is not shown: shape or histogram may be all
volume only       it is not shown that it adds: a difference that is not above 0 is no difference for this purpose
cannot be judged  the signature or volume has no AUC, or the difference has no interval
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tshdb.vocabulary import LadderVerdict


class Finding(NamedTuple):
    """The verdict, and the sentence that says what it rests on."""

    verdict: LadderVerdict
    words: str


def finding(
    signature: Mapping[str, Any], volumes: Sequence[Mapping], others: Sequence[Mapping], shuffled: Mapping[str, Any]
) -> Finding:
    """The verdict on rows of ladder_rungs: the signature's, those of volume alone, all others, and that of shuffled voxels."""
    for row in (signature, *volumes):
        is_alike = row.get("difference") is not None and row["difference"] <= 0
        if row["auc"] is None or (row is not signature and row["difference_lower"] is None and not is_alike):
            why = row["reason"] or "no interval"
            return Finding(LadderVerdict.CANNOT_BE_JUDGED, f"cannot be judged: {row['rung']}: {why}")
    closest = min(volumes, key=lambda row: _least(row, "difference", "difference_lower"))
    said = _difference(closest)
    is_above_chance = _least(signature, "auc", "ci_lower") > 0.5
    if _least(closest, "difference", "difference_lower") > 0 and is_above_chance:
        verdict, of_texture = _texture(shuffled)
        words = f"adds to volume alone: {said}; {of_texture}"
        known = [row for row in others if row["difference"] is not None]
        if equal := [row["rung"] for row in known if _least(row, "difference", "difference_lower") <= 0]:
            words += f"; not shown to do better than {', '.join(equal)}"
        return Finding(verdict, words)
    words = f"nothing beyond volume can be shown: {said}"
    if not is_above_chance:
        words += (
            f"; the signature's own AUC is not above .50: {_with_interval(signature, 'auc', 'ci_lower', 'ci_upper')}"
        )
    return Finding(LadderVerdict.VOLUME_ONLY, words)


def worth(row: Mapping[str, Any]) -> str:
    """In words, what the search was worth. row: of ladder_rungs, of the forest without a search."""
    if row["difference"] is None:
        return f"what the search was worth is not known: {row['reason']}"
    said = f"the search was worth {_with_interval(row, 'difference', 'difference_lower', 'difference_upper')} of AUC"
    lower, upper = row["difference_lower"], row["difference_upper"]
    if lower is None:
        return f"{said}, without an interval: {row['reason']}"
    if lower > 0:
        return f"{said}: more than the same forest reaches with all features"
    if upper < 0:
        return f"{said}: the same forest does better with all features"
    return f"{said}: not shown to be worth anything beside the same forest with all features"


def _texture(shuffled: Mapping[str, Any]) -> Finding:
    """What is known of texture, of a signature that adds to volume."""
    difference, lower = shuffled["difference"], shuffled["difference_lower"]
    if difference is None or (lower is None and difference > 0):
        return Finding(LadderVerdict.ADDS, f"whether by texture is not known: {shuffled['rung']}: {shuffled['reason']}")
    said = _difference(shuffled)
    if _least(shuffled, "difference", "difference_lower") > 0:
        return Finding(LadderVerdict.ADDS_TEXTURE, f"and texture to shape and histogram: {said}")
    return Finding(LadderVerdict.NO_TEXTURE, f"no texture can be shown beyond shape and histogram: {said}")


def _least(row: Mapping[str, Any], value: str, lower: str) -> float:
    """The lower end of an interval; the value itself where all patients are placed alike, and it has none."""
    return float(row[value] if row[lower] is None else row[lower])


def _difference(row: Mapping[str, Any]) -> str:
    return f"difference {_with_interval(row, 'difference', 'difference_lower', 'difference_upper')}, {row['rung']}"


def _with_interval(row: Mapping[str, Any], value: str, lower: str, upper: str) -> str:
    if row[lower] is None:
        return short(row[value])
    return f"{short(row[value])} ({short(row[lower])} to {short(row[upper])})"


def short(value: float) -> str:
    """Two decimals without the zero before the point: .07, -.12, 1.00."""
    text = f"{value:.2f}"
    return "0" if float(text) == 0 else text.replace("0.", ".", 1)
