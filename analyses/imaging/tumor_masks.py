"""The tumour of each examination: an outline that a person or an archive drew, else one grown by spatial fuzzy c-means.

Given    outlined lesions (`lesions`), by kind in the order of `prefer`; of several the largest, the index lesion, or all of them.
         Those that a person rejected (`lesion_verdicts`) are not taken; of a grown one that was rejected the reason stays.
         Where nobody knows which outline of a lesion holds, there is no tumour, and the reason.
Grown    from a person's seed, or the strongest enhancement in a person's box (`tshdb ingest decisions`); else from the strongest
         enhancement inside the breast, and flagged: a person must look.
Compared with `compare` a given outline is held against the one grown from its middle: overlap, and the share corrected.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from analyses.imaging.region_images import Images, grid_like, image_at, measured, rejected
from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_STUDY
from tshdb.images.mask_volumes import CUT, cut_flag
from tshdb.schema import BreastMask, ImagingDecision, Lesion, LesionVerdict, PreparedImage, TumorMask
from tshdb.vocabulary import GROWN_TUMOR, MaskKind, RegionStatus

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
    lesions: Literal["largest", "index", "union", "each", "all"] = "largest"
    """of several of one kind the largest, the one that somebody called the index lesion (number 1), or all of them as one
    tumour (union, or all); each: as union, and every lesion has features of its own (lesion_features)"""
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
        "lesions": Need(Lesion, SAME_STUDY, optional=True),
        "decisions": Need(ImagingDecision, SAME_STUDY, optional=True),
        "verdicts": Need(LesionVerdict, SAME_STUDY, optional=True),
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
    lesions: pd.DataFrame,
    decisions: pd.DataFrame,
    verdicts: pd.DataFrame,
    params: TumorMaskParameters,
) -> pd.DataFrame:
    """One row per examination with prepared images. All are rows of the tables of these names."""
    import pandas as pd

    rows = []
    for study_uid, of_study in images.groupby("study_uid", sort=True):
        own = (frame[frame["study_uid"] == study_uid] for frame in (breasts, lesions, decisions, verdicts))
        rows.append(_of_study(study_uid, of_study, *own, params))
    return pd.DataFrame(rows, columns=COLUMNS)


def _of_study(study_uid, images, breasts, lesions, decisions, verdicts, params) -> dict:
    from analyses.imaging.images.grids import array_of, nrrd, one_thread

    outlined = lesions[lesions["kind"].isin(params.prefer)]
    n_outlines = int(outlined["n_outlines"].sum())
    row = dict.fromkeys(COLUMNS) | {"study_uid": study_uid, "status": RegionStatus.FAILED, "n_outlines": n_outlines}
    volumes = Images(images)
    breast = breasts.iloc[0]
    flags: list[str] = []
    with one_thread():
        try:
            if len(outlined):
                mask, facts = _given(outlined, grid_like(images), params, flags)
            else:
                mask, facts = _grown(volumes, breast, decisions, params, flags)
                reason, said = rejected(verdicts, GROWN_TUMOR, sha256(nrrd(mask, 6)).hexdigest())
                if reason is not None:
                    raise ValueError(f"{reason}. Place a seed or a box: tshdb ingest decisions")
                flags += [said] if said else []
            row |= facts | measured(mask)
            if row["volume_ml"] < SMALL_ML:
                flags.append(f"{row['volume_ml'] * 1000:.0f} cubic mm are hardly a tumour")
            cut = cut_flag(array_of(mask) > 0)
            if cut is not None and not any(flag.startswith(CUT) for flag in flags):
                flags.append(cut)
            if params.compare and len(outlined):
                row |= _compared(mask, volumes, breast, params, flags)
        except ValueError as error:
            return row | {"status": RegionStatus.FAILED, "reason": str(error), "qc_flags": "; ".join(flags) or None}
        if breast["object_path"] is not None:
            outside = array_of(mask)[array_of(image_at(breast["object_path"])) == 0].sum()
            if outside > 0.5 * row["n_voxels"]:
                flags.append("most of it lies outside of the breast")
        return row | {"qc_flags": "; ".join(flags) or None, "object_id": nrrd(mask, 6)}


def _given(outlined: pd.DataFrame, like, params, flags: list[str]):
    """(mask, facts) of the lesions that are the tumour. Raises ValueError where it cannot be said which these are."""
    from analyses.imaging.images.grids import array_of, image_of

    ranks = outlined["kind"].map(params.prefer.index)
    best = outlined[ranks == ranks.min()].sort_values("lesion")
    if len(others := outlined[ranks > ranks.min()]):
        flags.append(f"{int(others['n_outlines'].sum())} outlines of other kinds were not taken")
    lying, bad = best[best["object_path"].notna()], best[best["object_path"].isna()]
    is_index = lying["is_index"].map(lambda said: said is not None and bool(said) and said == said)
    if params.lesions == "index" and len(best) > 1:
        if is_index.sum() != 1:
            raise ValueError(
                f"of {len(best)} lesions none is known to be the index lesion: number it 1, by the column lesion of the sheet"
            )
        taken, what = lying[is_index], "the index lesion"
    else:
        undecided = bad[bad["n_outlines"] > 1]
        if len(undecided) or not len(lying):
            raise ValueError("; ".join([*undecided["reason"], *bad.loc[bad["n_outlines"] == 1, "reason"]]))
        largest = lying.sort_values(["n_voxels", "lesion"], ascending=[False, True]).head(1)
        taken, what = (largest, "the largest") if params.lesions in ("largest", "index") else (lying, "all")
    flags += [f"an outline was not taken: {reason}" for reason in bad["reason"]]
    if len(lying) > 1:
        flags.append(f"{len(lying)} lesions: {what} taken")
    for said in taken["qc_flags"].dropna():
        flags += [flag for flag in said.split("; ") if flag not in flags]
    masks = [image_at(path) for path in taken["object_path"]]
    mask = masks[0]
    if len(masks) > 1:
        mask = image_of(sum(array_of(m) > 0 for m in masks).astype(bool).astype("uint8"), like)
    named = taken.sort_values(["n_voxels", "lesion"], ascending=[False, True]).iloc[0]
    return mask, {
        "status": RegionStatus.GIVEN,
        "kind": best["kind"].iloc[0],
        "segmentation_id": named["segmentation_id"],
    }


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
