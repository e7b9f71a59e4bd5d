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
from tshdb.geometry import Grid
from tshdb.images.mask_volumes import grid_of_phases
from tshdb.images.pixels import read_volume
from tshdb.schema import DcePhase, DceSlice, ImagingInstance, ImagingSeries, PreparedImage
from tshdb.vocabulary import PreparedKind

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = [
    "study_uid", "image", "phase_index", "grid", "interpolator", "mean", "sd", "highest", "object_id",
]  # fmt: skip


class PreparedImageParameters(Parameters):
    """[prepared_images]"""

    in_plane_mm: float = Field(default=0.8, gt=0)
    """the voxel size"""
    across_mm: float = Field(default=2.0, gt=0)
    """the voxel size"""
    interpolator: Literal["linear", "bspline"] = "linear"
    """linear (never beyond what was measured) or bspline"""


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
    from analyses.imaging.images.grids import array_of, image_on, nrrd, one_thread
    from analyses.imaging.images.prepare import resample, rounded

    grid, files = grid_of_phases(slices, instances, series)
    chosen = {
        PreparedKind.S0: 0,
        PreparedKind.INTERMEDIATE: int(phases.loc[phases["is_intermediate"].astype(bool), "phase_index"].iloc[0]),
        PreparedKind.LAST: int(phases.loc[phases["is_last"].astype(bool), "phase_index"].iloc[0]),
    }
    rows = []
    with one_thread():
        for kind, phase in chosen.items():
            volume = read_volume([(f.path, f.sha256) for f in files[phase]])
            size = (params.in_plane_mm, params.in_plane_mm, params.across_mm)
            image = rounded(resample(image_on(volume, grid), size, params.interpolator))
            values = array_of(image)
            rows.append(
                {
                    "study_uid": study_uid,
                    "image": kind,
                    "phase_index": phase,
                    "grid": _grid_of(image).text(),
                    "interpolator": params.interpolator,
                    "mean": float(values.mean(dtype="float64")),
                    "sd": float(values.std(dtype="float64")),
                    "highest": float(values.max()),
                    "object_id": nrrd(image),
                }
            )
    return rows


def _grid_of(image) -> Grid:
    """The grid of a SimpleITK image."""
    d = image.GetDirection()
    columns, rows, slices = image.GetSpacing()
    return Grid(
        tuple(image.GetSize()[::-1]), (slices, rows, columns), tuple(image.GetOrigin()),
        (d[0], d[3], d[6]), (d[1], d[4], d[7]), (d[2], d[5], d[8]),
    )  # fmt: skip
