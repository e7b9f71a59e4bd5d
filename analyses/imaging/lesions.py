"""The lesions of each examination that somebody outlined: which outlines are of one lesion, and which of these holds.

One lesion    outlines of one kind with the same number of a lesion, or, where one of them has none, that share at least half
              of the smaller one's voxels. Another number is another lesion.
Which holds   the one that a person chose (decision outline=ID of `tumor`), else the later one, by the day on which it was drawn,
              else any, where all are the same voxels. Else none does: what an outline is called decides nothing.
Not taken     an outline that a person rejected (`lesion_verdicts`: fail, of these voxels), and one that does not lie on the
              images: it harms itself alone, and has a row that says why.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from analyses.imaging.region_images import grid_like, mask_on, measured, rejected
from tshdb.config import Parameters
from tshdb.dated import is_later
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_STUDY
from tshdb.images.mask_volumes import CUT, cut_flag
from tshdb.schema import (
    DceSlice,
    ImagingDecision,
    ImagingInstance,
    ImagingSeries,
    Lesion,
    LesionVerdict,
    Mask,
    PreparedImage,
    Segmentation,
)
from tshdb.vocabulary import MaskKind, MaskRegion

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

COLUMNS = [
    "study_uid", "lesion", "kind", "segmentation_id", "n_outlines", "is_index", "is_measured", "n_voxels", "volume_ml",
    "x_mm", "y_mm", "z_mm", "qc_flags", "reason", "object_id",
]  # fmt: skip
INDEX = 1  # the number of the index lesion
SHARED = 0.5  # of the smaller one's voxels, from which two outlines are of one lesion
DRAWN = {MaskKind.MANUAL, MaskKind.EXPERT, MaskKind.LES, MaskKind.FCM}  # an outline, whether it is preferred or not
CHOICE = "date them (column date of the sheet, --as-of), or choose one: series_uid tumor, decision outline=ID"


class LesionParameters(Parameters):
    """[lesions]"""

    prefer: tuple[str, ...] = ("manual", "expert", "les")
    """kinds of outlines, the first goes first"""
    lesions: Literal["largest", "index", "union", "each", "all"] = "largest"
    """each: every lesion has features of its own"""
    resample: bool = False
    """outlines in another grid may be put on the images"""


@analysis(
    kind="map",
    per="imaging_study",
    needs={
        "images": Need(PreparedImage, SAME_STUDY),
        "segmentations": Need(Segmentation, SAME_STUDY),
        "masks": Need(Mask, SAME_STUDY),
        "decisions": Need(ImagingDecision, SAME_STUDY, optional=True),
        "slices": Need(DceSlice, SAME_STUDY),
        "instances": Need(ImagingInstance, SAME_STUDY),
        "series": Need(ImagingSeries, SAME_STUDY),
        "verdicts": Need(LesionVerdict, SAME_STUDY, optional=True),
    },
    makes=Lesion,
    params=LesionParameters,
    base="tumor_masks",
    libraries=("numpy",),
    strict_libraries=("SimpleITK",),
    source="doi:10.1186/s12967-023-04748-6, Tumor segmentation (not in it: several outlines)",
    batch=2,
)
def lesions(
    images: pd.DataFrame,
    segmentations: pd.DataFrame,
    masks: pd.DataFrame,
    decisions: pd.DataFrame,
    slices: pd.DataFrame,
    instances: pd.DataFrame,
    series: pd.DataFrame,
    verdicts: pd.DataFrame,
    params: LesionParameters,
) -> pd.DataFrame:
    """One row per outlined lesion of examinations with prepared images. All are rows of the tables of these names."""
    import pandas as pd

    from analyses.imaging.images.grids import one_thread

    rows: list[dict] = []
    for study_uid, of_study in images.groupby("study_uid", sort=True):
        own = (
            frame[frame["study_uid"] == study_uid]
            for frame in (segmentations, masks, decisions, slices, instances, series, verdicts)
        )
        with one_thread():
            rows += _of_study(study_uid, of_study, *own, params)
    return pd.DataFrame(rows, columns=COLUMNS)


@dataclass
class _Outline:
    """One outline on the images. inside: None where it does not lie on them, for the reason."""

    id: str
    kind: str
    number: int | None
    drawn_on: str | None
    inside: np.ndarray | None = None
    reason: str | None = None
    flags: list[str] = field(default_factory=list)


def _of_study(
    study_uid, images, segmentations, masks, decisions, slices, instances, series, verdicts, params
) -> list[dict]:
    like = grid_like(images)
    chosen = _decided(decisions, "tumor", "outline")
    outlines = _outlines(segmentations, decisions, chosen, params.prefer)
    held = masks.set_index("segmentation_id")
    for outline, row in outlines:
        outline.reason, said = rejected(verdicts, outline.id, row.object_id)
        if outline.reason is None:
            _lay(outline, row, held, like, slices, instances, series, params.resample)
        outline.flags += [said] if said else []
    groups = _groups([outline for outline, _ in outlines if outline.inside is not None])
    found = [_of_lesion(group, chosen, like) for group in groups]
    found += [
        {"kind": o.kind, "segmentation_id": o.id, "n_outlines": 1, "reason": o.reason, "number": o.number,
         "qc_flags": "; ".join(o.flags) or None}
        for o, _ in outlines if o.inside is None
    ]  # fmt: skip
    return _numbered(study_uid, found, params)


def _decided(decisions: pd.DataFrame, series_uid: str, what: str) -> str | None:
    """What a person said of a series, such as KIND of kind=KIND."""
    of_series = decisions.loc[decisions["series_uid"] == series_uid, "decision"]
    said = [text.partition("=") for text in of_series]
    return next((value for name, _, value in said if name == what), None)


def _outlines(segmentations, decisions, chosen: str | None, prefer: tuple[str, ...]) -> list[tuple[_Outline, Any]]:
    """Outlines of tumours, by whoever drew them; programs' only where they are preferred. In an order without names.

    chosen: the segmentation that a person called the outline, whatever it marks by itself.
    """
    import pandas as pd

    found = []
    n_in_series = segmentations["series_uid"].value_counts()
    for row in segmentations.itertuples():
        said = _decided(decisions, row.series_uid, "kind") if isinstance(row.series_uid, str) else None
        is_chosen = row.segmentation_id == chosen
        kind = said or str(row.kind)
        if is_chosen and kind not in DRAWN:
            kind = MaskKind.MANUAL.value
        is_meant = is_chosen or row.region == MaskRegion.TUMOR
        if said is not None and row.region == MaskRegion.OTHER and n_in_series[row.series_uid] == 1:
            is_meant = True  # said of the series, which holds nothing else
        if is_meant and kind not in (MaskKind.FTV, MaskKind.TISSUE) and (kind in prefer or kind in DRAWN):
            number = None if pd.isna(row.lesion) else int(row.lesion)
            day = row.drawn_on if isinstance(row.drawn_on, str) else None
            found.append((_Outline(row.segmentation_id, kind, number, day), row))
    return sorted(found, key=lambda pair: (pair[1].object_id, pair[0].id))


def _lay(outline: _Outline, row, held, like, slices, instances, series, may_resample: bool) -> None:
    """Put an outline on the images, or say why it cannot be."""
    from analyses.imaging.images.grids import array_of

    try:
        if outline.id not in held.index:
            raise ValueError(f"{outline.id} was not held against the images")
        mask = held.loc[outline.id]
        inside = array_of(mask_on(row, mask, like, slices, instances, series, may_resample)) > 0
        if not inside.any():
            raise ValueError(f"{outline.id} is empty on the images")
    except ValueError as error:
        outline.reason = str(error)
        return
    outline.inside = inside
    said = [flag for flag in (mask.qc_flags or "").split("; ") if flag.startswith(CUT)]
    cut = said[0] if said else cut_flag(inside)
    outline.flags += [cut] if cut else []


def _groups(outlines: list[_Outline]) -> list[list[_Outline]]:
    """Outlines of one kind that are of one lesion, together."""
    groups: list[list[_Outline]] = []
    for outline in outlines:
        same = [g for g in groups if any(_is_same_lesion(outline, other) for other in g)]
        groups = [g for g in groups if g not in same]
        groups.append([outline, *(o for g in same for o in g)])
    return groups


def _is_same_lesion(one: _Outline, other: _Outline) -> bool:
    if one.kind != other.kind:
        return False
    if one.number is not None and other.number is not None:
        return one.number == other.number
    return overlap(one.inside, other.inside) >= SHARED


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """The share of the smaller region that lies in the other one."""
    return int((one & other).sum()) / max(1, min(int(one.sum()), int(other.sum())))


def _of_lesion(group: list[_Outline], chosen: str | None, like) -> dict:
    """The facts of one lesion, with the outline that holds."""
    from analyses.imaging.images.grids import image_of, nrrd

    taken, flags = _which_holds(group, chosen)
    row = {"kind": group[0].kind, "n_outlines": len(group), "number": next((o.number for o in group if o.number), None)}
    if taken is None:
        names = ", ".join(sorted(o.id for o in group))
        return row | {"reason": f"{flags[0]}: {names}. {CHOICE[0].upper()}{CHOICE[1:]}"}
    mask = image_of(taken.inside.astype("uint8"), like)
    facts = measured(mask)
    del facts["side"]
    return row | facts | {
        "segmentation_id": taken.id, "qc_flags": "; ".join([*flags, *taken.flags]) or None, "object_id": nrrd(mask, 6),
    }  # fmt: skip


def _which_holds(group: list[_Outline], chosen: str | None) -> tuple[_Outline | None, list[str]]:
    """(the outline that holds, what is to be said of it); None where nobody knows, and why."""
    if len(group) == 1:
        return group[0], []
    decided = [o for o in group if o.id == chosen]
    if decided:
        return decided[0], [f"drawn {len(group)} times: a person chose this one"]
    distinct: list[_Outline] = []
    for outline in group:
        equal = next((o for o in distinct if (o.inside == outline.inside).all()), None)
        if equal is None:
            distinct.append(outline)
        elif is_later(outline.drawn_on, equal.drawn_on):
            distinct[distinct.index(equal)] = outline
    if len(distinct) == 1:
        return distinct[0], []
    latest = [o for o in distinct if all(is_later(o.drawn_on, p.drawn_on) for p in distinct if p is not o)]
    if latest:
        return latest[0], [f"drawn {len(distinct)} times: the later one holds, of {latest[0].drawn_on}"]
    return None, [f"{len(distinct)} outlines of one lesion differ, and none is known to be the later one"]


def _numbered(study_uid: str, found: list[dict], params: LesionParameters) -> list[dict]:
    """The lesions in their order: by kind, by the number that somebody gave, by volume; what holds no outline last."""

    def rank(kind: str) -> int:
        return params.prefer.index(kind) if kind in params.prefer else len(params.prefer)

    def place(row: dict) -> tuple:
        where = (row.get("x_mm") or 0.0, row.get("y_mm") or 0.0, row.get("z_mm") or 0.0)
        number = row["number"] if row["number"] is not None else float("inf")
        return (row.get("object_id") is None, rank(row["kind"]), number, -(row.get("volume_ml") or 0.0), where)

    ordered = sorted(found, key=place)
    numbers = [row["number"] for row in ordered]
    is_numbered = None not in numbers and len(set(numbers)) == len(numbers)
    best = min((rank(row["kind"]) for row in found if row["kind"] in params.prefer), default=None)
    own = [row for row in ordered if row.get("object_id") is not None and rank(row["kind"]) == best]
    rows = []
    for i, row in enumerate(ordered, 1):
        facts = {name: value for name, value in row.items() if name != "number"}
        rows.append(
            dict.fromkeys(COLUMNS)
            | facts
            | {
                "study_uid": study_uid, "lesion": row["number"] if is_numbered else i,
                "is_index": None if row["number"] is None else row["number"] == INDEX,
                "is_measured": params.lesions == "each" and len(own) > 1 and row in own,
            }
        )  # fmt: skip
    return rows
