"""The tumour of each examination: an outline that a person or an archive drew, else one grown by spatial fuzzy c-means.

Given    outlines (`is_outline`) that lie on the images, by kind in the order of `prefer`; of several lesions the largest, or all.
         Enhancement masks are none.
Grown    from a person's seed, or the strongest enhancement in a person's box (`tshdb ingest decisions`); else from the strongest
         enhancement inside the breast, and flagged: a person must look.
Compared with `compare` a given outline is held against the one grown from its middle: overlap, and the share corrected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from analyses.imaging.region_images import image_at, images_of, mask_on
from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_STUDY
from tshdb.schema import (
    BreastMask,
    DceSlice,
    ImagingDecision,
    ImagingInstance,
    ImagingSeries,
    Mask,
    PreparedImage,
    Segmentation,
    TumorMask,
)
from tshdb.vocabulary import MaskKind, RegionStatus

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = [
    "study_uid", "status", "kind", "segmentation_id", "n_outlines", "side", "n_voxels", "volume_ml", "x_mm", "y_mm", "z_mm",
    "seed_rule", "n_rounds", "fcm_dice", "corrected_share", "qc_flags", "reason", "object_id",
]  # fmt: skip
SMALL_ML = 0.05
BOXES = (1.0, 1.5, 2.25)  # times box_mm, while what grows reaches its border


class TumorMaskParameters(Parameters):
    """[tumor_masks]"""

    prefer: tuple[str, ...] = ("manual", "expert", "les")
    """kinds of outlines, the first goes first"""
    lesions: Literal["largest", "all"] = "largest"
    """of several of one kind the largest, or all"""
    grow: bool = True
    """whether an examination without an outline gets one by fuzzy c-means"""
    compare: bool = False
    """hold given outlines against grown ones"""
    resample: bool = False
    """outlines in another grid may be put on the images"""
    p: float = Field(default=1.0, ge=0)
    """weight of a voxel's own membership"""
    q: float = Field(default=1.0, ge=0)
    """of its neighbours', (1, 0) is plain fuzzy c-means"""
    m: float = Field(default=2.0, gt=1)
    """fuzziness"""
    window: tuple[int, int, int] = (3, 5, 5)
    """of neighbours, slices, rows and columns"""
    clusters: int = Field(default=2, ge=2)
    """of which the brightest is the tumour"""
    least_membership: float = Field(default=0.5, gt=0, le=1)
    """of a voxel in it"""
    box_mm: float = Field(default=40.0, gt=0)
    """edge of the box around the seed (analyses.imaging.images.fuzzy and tumor)"""


@analysis(
    kind="map",
    per="imaging_study",
    needs={
        "images": Need(PreparedImage, SAME_STUDY),
        "breasts": Need(BreastMask, SAME_STUDY),
        "segmentations": Need(Segmentation, SAME_STUDY, optional=True),
        "masks": Need(Mask, SAME_STUDY, optional=True),
        "decisions": Need(ImagingDecision, SAME_STUDY, optional=True),
        "slices": Need(DceSlice, SAME_STUDY),
        "instances": Need(ImagingInstance, SAME_STUDY),
        "series": Need(ImagingSeries, SAME_STUDY),
    },
    makes=TumorMask,
    params=TumorMaskParameters,
    libraries=("numpy", "scipy"),
    strict_libraries=("SimpleITK",),
    source="doi:10.1186/s12967-023-04748-6, Tumor segmentation; doi:10.1016/j.compmedimag.2005.10.001; A19",
    batch=2,
)
def tumor_masks(
    images: pd.DataFrame,
    breasts: pd.DataFrame,
    segmentations: pd.DataFrame,
    masks: pd.DataFrame,
    decisions: pd.DataFrame,
    slices: pd.DataFrame,
    instances: pd.DataFrame,
    series: pd.DataFrame,
    params: TumorMaskParameters,
) -> pd.DataFrame:
    """One row per examination with prepared images. All are rows of the tables of these names."""
    import pandas as pd

    rows = []
    for study_uid, of_study in images.groupby("study_uid", sort=True):
        own = (
            frame[frame["study_uid"] == study_uid]
            for frame in (breasts, segmentations, masks, decisions, slices, instances, series)
        )
        rows.append(_of_study(study_uid, of_study, *own, params))
    return pd.DataFrame(rows, columns=COLUMNS)


def _of_study(study_uid, images, breasts, segmentations, masks, decisions, slices, instances, series, params) -> dict:
    from analyses.imaging.images.grids import array_of, nrrd, one_thread

    outlines = segmentations[segmentations["is_outline"].astype(bool) & segmentations["kind"].isin(params.prefer)]
    row = dict.fromkeys(COLUMNS) | {"study_uid": study_uid, "status": RegionStatus.FAILED, "n_outlines": len(outlines)}
    volumes = images_of(images)
    breast = breasts.iloc[0]
    flags: list[str] = []
    with one_thread():
        try:
            if len(outlines):
                mask, facts = _given(outlines, masks, volumes["S0"], slices, instances, series, params, flags)
            else:
                mask, facts = _grown(volumes, breast, decisions, params, flags)
            row |= facts | _measured(mask)
            if row["volume_ml"] < SMALL_ML:
                flags.append(f"{row['volume_ml'] * 1000:.0f} cubic mm are hardly a tumour")
            if params.compare and len(outlines):
                row |= _compared(mask, volumes, breast, params, flags)
        except ValueError as error:
            return row | {"status": RegionStatus.FAILED, "reason": str(error), "qc_flags": "; ".join(flags) or None}
        if breast["object_path"] is not None:
            outside = array_of(mask)[array_of(image_at(breast["object_path"])) == 0].sum()
            if outside > 0.5 * row["n_voxels"]:
                flags.append("most of it lies outside of the breast")
        return row | {"qc_flags": "; ".join(flags) or None, "object_id": nrrd(mask, 6)}


def _given(outlines, masks, like, slices, instances, series, params, flags: list[str]):
    """(mask, facts) of the outline that goes first."""
    from analyses.imaging.images.grids import array_of, image_of

    ranked = outlines.assign(rank=outlines["kind"].map(params.prefer.index))
    best = ranked[ranked["rank"] == ranked["rank"].min()].sort_values("segmentation_id")
    if len(ranked) > len(best):
        flags.append(f"{len(ranked) - len(best)} outlines of other kinds were not taken")
    held = masks.set_index("segmentation_id")
    drawn = {}
    for outline in best.itertuples():
        if outline.segmentation_id not in held.index:
            raise ValueError(f"{outline.segmentation_id} was not held against the images")
        drawn[outline.segmentation_id] = mask_on(
            outline, held.loc[outline.segmentation_id], like, slices, instances, series, params.resample
        )
    sizes = {name: int(array_of(mask).sum()) for name, mask in drawn.items()}
    largest = max(sorted(sizes), key=sizes.get)
    if len(drawn) > 1:
        flags.append(f"{len(drawn)} lesions: {'all' if params.lesions == 'all' else 'the largest'} taken")
    mask = drawn[largest]
    if params.lesions == "all":
        mask = image_of(sum(array_of(m) > 0 for m in drawn.values()).astype(bool).astype("uint8"), like)
    return mask, {"status": RegionStatus.GIVEN, "kind": best["kind"].iloc[0], "segmentation_id": largest}


def _grown(volumes, breast, decisions, params, flags: list[str]):
    """(mask, facts) of an outline from a person's seed or box, or the strongest enhancement."""
    from analyses.imaging.images.tumor import peak

    if not params.grow:
        raise ValueError("no outline of a tumour, and grow = false")
    if breast["object_path"] is None:
        raise ValueError(f"no outline of a tumour, and no breast to look for one in: {breast['reason']}")
    enhancement = volumes["intermediate"] - volumes["S0"]
    inside = image_at(breast["object_path"])
    decided = decisions.loc[decisions["series_uid"] == "tumor", ["decision", "decided_by"]]
    kind, _, numbers = decided["decision"].iloc[0].partition("=") if len(decided) else ("", "", "")
    place = tuple(map(float, numbers.split(","))) if numbers else None
    if kind == "seed":
        seed, rule = place, f"seed of {decided['decided_by'].iloc[0]}"
    elif kind == "box":
        seed, rule = peak(enhancement, inside, place), f"peak in the box of {decided['decided_by'].iloc[0]}"
    else:
        seed, rule = peak(enhancement, inside), "peak"
        flags.append("grown from the strongest enhancement: is that the tumour?")
    outline = _outline(enhancement, breast, seed, params, flags)
    return outline.mask, {
        "status": RegionStatus.FOUND, "kind": MaskKind.FCM, "seed_rule": rule, "n_rounds": outline.clusters.n_rounds,
    }  # fmt: skip


def _outline(enhancement, breast, seed, params, flags: list[str]):
    from analyses.imaging.images.tumor import from_seed

    for larger in BOXES:
        outline = from_seed(
            enhancement, image_at(breast["object_path"]), seed, box_mm=params.box_mm * larger, p=params.p, q=params.q,
            m=params.m, window=params.window, n_clusters=params.clusters, least_membership=params.least_membership,
        )  # fmt: skip
        if not outline.touches_box:
            break
    else:
        flags.append("what was grown reaches the border of its box")
    if not outline.clusters.has_settled:
        flags.append("fuzzy c-means did not settle")
    return outline


def _compared(mask, volumes, breast, params, flags: list[str]) -> dict:
    """How much a given outline is like the one grown from its middle."""
    from analyses.imaging.images.grids import array_of
    from analyses.imaging.images.tumor import centroid, dice

    if breast["object_path"] is None:
        return {}
    try:
        grown = _outline(volumes["intermediate"] - volumes["S0"], breast, centroid(mask), params, flags)
    except ValueError as error:
        flags.append(f"not compared: {error}")
        return {}
    a, b = array_of(mask) > 0, array_of(grown.mask) > 0
    return {
        "seed_rule": "outline", "n_rounds": grown.clusters.n_rounds, "fcm_dice": dice(mask, grown.mask),
        "corrected_share": float((a ^ b).sum() / (a | b).sum()),
    }  # fmt: skip


def _measured(mask) -> dict:
    import numpy as np

    from analyses.imaging.images.grids import array_of
    from analyses.imaging.images.tumor import centroid

    inside = array_of(mask) > 0
    if not inside.any():
        raise ValueError("the outline is empty on the images")
    middle = centroid(mask)
    n = int(inside.sum())
    return {
        "n_voxels": n, "volume_ml": n * float(np.prod(mask.GetSpacing())) / 1000,
        "side": "left" if middle[0] >= 0 else "right", "x_mm": middle[0], "y_mm": middle[1], "z_mm": middle[2],
    }  # fmt: skip
