"""Segmentations held against the dynamic images: does each lie on them, which slices, how large, how much it enhances.

What differs from the images' grid is said with how much, and what to do; nothing is moved in silence. A .les mask counts
voxels of the images, so that it fits wherever they are at hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.imaging.phase_split import flags_text
from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_STUDY
from tshdb.geometry import Grid, differences
from tshdb.images.mask_volumes import cut_flag, grid_of_phases, on_images
from tshdb.images.pixels import read_volume
from tshdb.images.series_grid import corners, is_same_stack
from tshdb.schema import DcePhase, DceSlice, ImagingInstance, ImagingSeries, Mask, Segmentation
from tshdb.vocabulary import MaskRegion, MaskStatus

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = [
    "segmentation_id", "study_uid", "status", "differences", "repair", "n_voxels", "volume_ml", "first_slice",
    "last_slice", "mean_rise", "qc_flags",
]  # fmt: skip
RESAMPLE = "export it again on the grid of the dynamic series, or set resample = true where masks are used"


class MaskParameters(Parameters):
    """[masks]"""


@analysis(
    kind="map",
    per="imaging_study",
    needs={
        "segmentations": Need(Segmentation, SAME_STUDY),
        "phases": Need(DcePhase, SAME_STUDY),
        "slices": Need(DceSlice, SAME_STUDY),
        "instances": Need(ImagingInstance, SAME_STUDY),
        "series": Need(ImagingSeries, SAME_STUDY),
    },
    makes=Mask,
    params=MaskParameters,
    libraries=("numpy", "SimpleITK", "pydicom"),
    source="doi:10.1186/s12967-023-04748-6, Tumor segmentation",
    batch=4,
)
def masks(
    segmentations: pd.DataFrame,
    phases: pd.DataFrame,
    slices: pd.DataFrame,
    instances: pd.DataFrame,
    series: pd.DataFrame,
    params: MaskParameters,
) -> pd.DataFrame:
    """One row per segmentation. All are rows of the tables of these names; segmentations carry `object_path`."""
    import pandas as pd

    rows = []
    for study_uid, of_study in segmentations.groupby("study_uid", sort=True):
        own = {
            name: frame[frame["study_uid"] == study_uid]
            for name, frame in (("phases", phases), ("slices", slices), ("instances", instances), ("series", series))
        }
        rows += _of_study(of_study, **own)
    return pd.DataFrame(rows, columns=COLUMNS)


def _of_study(segmentations, phases, slices, instances, series) -> list[dict]:
    grid, files = (None, []) if not len(slices) else grid_of_phases(slices, instances, series)
    rise = _rise(phases, files, instances) if grid is not None else None
    strange = _of_others(segmentations, slices, instances, series)
    return [_row(s, grid, files, rise, strange.get(s.segmentation_id, [])) for s in segmentations.itertuples()]


def _of_others(segmentations, slices, instances, series) -> dict[str, list[str]]:
    """Segmentation -> what says that it was drawn on another examination: its frame of reference, or the series it names."""
    frames = series.set_index("series_uid")["frame_of_reference_uid"].dropna().to_dict()
    dynamic = set(instances.loc[instances["sop_uid"].isin(slices["sop_uid"]), "series_uid"])
    of_images = {frames[uid] for uid in dynamic if uid in frames}
    problems = {}
    for s in segmentations.itertuples():
        problems_of_it = []
        own = frames.get(s.series_uid)
        if own is not None and of_images and own not in of_images:
            problems_of_it.append(
                "of another frame of reference than the dynamic images: of another examination or patient?"
            )
        if s.reference_series_uid and s.reference_series_uid not in set(series["series_uid"]):
            problems_of_it.append("drawn on a series that this examination does not have")
        problems[s.segmentation_id] = problems_of_it
    return problems


def _row(s, grid: Grid | None, files, rise, strange: list[str]) -> dict:
    import numpy as np

    flags = ([s.flags] if s.flags else []) + strange
    is_strange = any("frame of reference" in problems for problems in strange)
    row = dict.fromkeys(COLUMNS) | {"segmentation_id": s.segmentation_id, "study_uid": s.study_uid}
    if grid is None:
        return row | {"status": MaskStatus.NO_IMAGES, "repair": "see dce_sets for why there are no phases"}
    if s.format != "les" and (wrong := differences(Grid.of_text(s.grid), grid)):
        return row | {
            "status": MaskStatus.RESAMPLE,
            "differences": "; ".join(wrong),
            "repair": RESAMPLE,
            "qc_flags": flags_text(flags),
        }
    try:
        inside = on_images(s, grid, files) >= s.min_value
    except (ValueError, TypeError, RuntimeError, IndexError) as error:  # a bad mask harms itself alone
        return row | {"status": MaskStatus.UNCLEAR, "differences": str(error), "repair": "look at it: tshdb qc PATIENT"}
    if s.format not in ("les", "dicom-seg", "rtstruct") and (moved := _moved(Grid.of_text(s.grid), grid)):
        flags.append(moved)
        is_strange = True
    n = int(inside.sum())
    where = np.flatnonzero(inside.any(axis=(1, 2)))
    if rise is not None and n:
        whole = float(rise.mean(dtype=np.float64))
        row["mean_rise"] = float(rise[inside].mean(dtype=np.float64)) / whole if whole > 0 else None
        if s.is_outline and row["mean_rise"] is not None and row["mean_rise"] < 1:
            flags.append("rises less than the rest of the image: is it where the tumour is?")
    if not n:
        flags.append("no voxel of the images is inside")
    if s.region == MaskRegion.TUMOR and (cut := cut_flag(inside)):
        flags.append(cut)
    return row | {
        "status": MaskStatus.UNCLEAR if not n or is_strange or "both orders" in (s.flags or "") else MaskStatus.FITS,
        "n_voxels": n,
        "volume_ml": n * grid.voxel_ml,
        "first_slice": int(where[0]) if n else None,
        "last_slice": int(where[-1]) if n else None,
        "qc_flags": flags_text(flags),
    }


def _moved(mask: Grid, image: Grid) -> str | None:
    """What is to be said of a mask that is as large as the images and lies beside them, by whole voxels.

    A mask that was cut out of the images is smaller. One of the same size was drawn on images of another place.
    """
    if mask.shape != image.shape or is_same_stack(mask, image):
        return None
    places = corners(image)
    off = max(min(float(sum((a - b) ** 2) ** 0.5) for b in places) for a in corners(mask))
    return f"as large as the images, and {off:.2f} mm beside them: drawn on another examination?"


def _rise(phases: pd.DataFrame, files: list, instances: pd.DataFrame):
    """Intermediate phase less phase 0; None without pixels."""
    if not instances[instances["sop_uid"].isin([f.sop_uid for phase in files for f in phase])]["has_pixels"].all():
        return None
    chosen = phases.loc[phases["is_intermediate"].astype(bool), "phase_index"]
    if not len(chosen):
        return None
    early, first = files[int(chosen.iloc[0])], files[0]
    return read_volume([f.image for f in early]) - read_volume([f.image for f in first])
