"""Prepared images: S0, the intermediate and the last phase of an examination, all at one voxel size.

0.8 x 0.8 mm in the plane of the scanner and 2 mm across (Fan et al. 2023, Image preprocessing). Intensities stay the
scanner's, with 12 significant bits; features divide them by the parenchyma's mean (`stroma_bands`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_STUDY
from tshdb.images.mask_volumes import grid_of_phases
from tshdb.images.pixels import read_volume
from tshdb.schema import DcePhase, DceSlice, ImagingInstance, ImagingSeries, PreparedImage
from tshdb.vocabulary import PreparedKind

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = [
    "study_uid", "image", "phase_index", "grid", "interpolator", "registration", "mean", "sd", "highest", "object_id",
]  # fmt: skip


class PreparedImageParameters(Parameters):
    """[prepared_images]"""

    in_plane_mm: float = Field(default=0.8, gt=0)
    """the voxel size"""
    across_mm: float = Field(default=2.0, gt=0)
    """the voxel size"""
    interpolator: Literal["linear", "bspline"] = "linear"
    """linear (never beyond what was measured) or bspline"""
    registration: Literal["none", "rigid"] = "none"
    """rigid: later phases are put back on S0, where the patient moved"""


@analysis(
    kind="map",
    per="imaging_study",
    needs={
        "phases": Need(DcePhase, SAME_STUDY),
        "slices": Need(DceSlice, SAME_STUDY),
        "instances": Need(ImagingInstance, SAME_STUDY),
        "series": Need(ImagingSeries, SAME_STUDY),
    },
    makes=PreparedImage,
    params=PreparedImageParameters,
    libraries=("numpy", "pydicom"),
    strict_libraries=("SimpleITK",),
    source="doi:10.1186/s12967-023-04748-6, Image preprocessing and feature analysis",
    batch=2,
)
def prepared_images(
    phases: pd.DataFrame,
    slices: pd.DataFrame,
    instances: pd.DataFrame,
    series: pd.DataFrame,
    params: PreparedImageParameters,
) -> pd.DataFrame:
    """Three rows per examination that falls into phases and has pixels. All are rows of the tables of these names."""
    import pandas as pd

    rows = []
    for study_uid, of_study in phases.groupby("study_uid", sort=True):
        used = instances["sop_uid"].isin(slices.loc[slices["study_uid"] == study_uid, "sop_uid"])
        if not instances.loc[used, "has_pixels"].astype(bool).all():
            continue  # headers alone, as dce_phases says
        own = (frame[frame["study_uid"] == study_uid] for frame in (slices, instances, series))
        rows += _of_study(study_uid, of_study, *own, params)
    return pd.DataFrame(rows, columns=COLUMNS)


def _of_study(study_uid: str, phases, slices, instances, series, params: PreparedImageParameters) -> list[dict]:
    from analyses.imaging.images.grids import array_of, grid_of, image_of, image_on, nrrd, one_thread
    from analyses.imaging.images.motion import measured
    from analyses.imaging.images.prepare import moments, resample, rounded, target_grid
    from tshdb.images.prepared import as_kept, prepared

    grid, files = grid_of_phases(slices, instances, series)
    chosen = {
        PreparedKind.S0: 0,
        PreparedKind.INTERMEDIATE: int(phases.loc[phases["is_intermediate"].astype(bool), "phase_index"].iloc[0]),
        PreparedKind.LAST: int(phases.loc[phases["is_last"].astype(bool), "phase_index"].iloc[0]),
    }
    rows = []
    before = None
    with one_thread():
        for kind, phase in chosen.items():
            scanned = image_on(read_volume([f.image for f in files[phase]]), grid)
            before = scanned if before is None else before
            moved = None if params.registration == "none" or phase == 0 else measured(before, scanned).transform
            size = (params.in_plane_mm, params.in_plane_mm, params.across_mm)
            place = target_grid(scanned, size)
            if params.interpolator == "linear" and moved is None:
                values, kept = prepared(scanned, place), as_kept(scanned, place)
            else:
                values, kept = array_of(rounded(resample(scanned, size, params.interpolator, moved))), None
            mean, sd = moments(values)
            rows.append(
                {
                    "study_uid": study_uid,
                    "image": kind,
                    "phase_index": phase,
                    "grid": grid_of(place).text(),
                    "interpolator": params.interpolator,
                    "registration": params.registration,
                    "mean": mean,
                    "sd": sd,
                    "highest": float(values.max()),
                    "object_id": nrrd(image_of(values, place) if kept is None else kept),
                }
            )
    return rows
