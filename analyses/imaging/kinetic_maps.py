"""Parametric maps of each examination: the columns of `kinetics` voxel by voxel, on request (`[radiomic_features] maps`).

On the grid of the prepared images, so that tumour and stroma lie on them: every phase is brought there as S0 is (voxel size,
interpolation, registration), and the map is made of these signals. Early and late phase and time zero are those of the table
`kinetics`. A map is kept as it was computed, 32 bits a voxel. Formulas: `analyses.imaging.images.kinetic_maps`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.imaging.map_regions import Name
from analyses.imaging.region_images import grid_like
from analyses.imaging.time_zero import FIRST
from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_STUDY
from tshdb.images.mask_volumes import grid_of_phases
from tshdb.images.pixels import read_volume
from tshdb.schema import DcePhase, DceSlice, ImagingInstance, ImagingSeries, KineticMap, Kinetics, PreparedImage

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import pandas as pd

COLUMNS = ["study_uid", "map", "unit", "n_undefined", "n_limited", "reason", "object_id"]


class KineticMapParameters(Parameters):
    """[kinetic_maps]"""

    maps: tuple[Name, ...] = ()
    """parametric maps whose features are computed, by the columns of kinetics: pe_early, pe_late, peak_pe, ser, time_to_peak,
    wash_in, wash_out; without any there are no units of them"""


@analysis(
    kind="map",
    per="imaging_study",
    needs={
        "kinetics": Need(Kinetics, SAME_STUDY),
        "images": Need(PreparedImage, SAME_STUDY),
        "phases": Need(DcePhase, SAME_STUDY),
        "slices": Need(DceSlice, SAME_STUDY),
        "instances": Need(ImagingInstance, SAME_STUDY),
        "series": Need(ImagingSeries, SAME_STUDY),
    },
    makes=KineticMap,
    params=KineticMapParameters,
    base="radiomic_features",
    asked_by="maps",
    libraries=("numpy", "scipy", "pydicom"),
    strict_libraries=("SimpleITK",),
    source="doi:10.1148/radiol.12110748, Volume analysis; PMC3996240, table 1",
    batch=2,
)
def kinetic_maps(
    kinetics: pd.DataFrame,
    images: pd.DataFrame,
    phases: pd.DataFrame,
    slices: pd.DataFrame,
    instances: pd.DataFrame,
    series: pd.DataFrame,
    params: KineticMapParameters,
) -> pd.DataFrame:
    """One row per map and examination with prepared images. All are rows of the tables of these names."""
    import pandas as pd

    rows = []
    for study_uid, of_study in phases.groupby("study_uid", sort=True):
        own = (frame[frame["study_uid"] == study_uid] for frame in (kinetics, images, slices, instances, series))
        rows += _of_study(str(study_uid), of_study.sort_values("phase_index"), *own, params)
    return pd.DataFrame(rows, columns=COLUMNS)


def _of_study(study_uid, phases, kinetics, images, slices, instances, series, params) -> list[dict]:
    import numpy as np

    from analyses.imaging.images.grids import image_of, nrrd, one_thread
    from analyses.imaging.images.kinetic_maps import KINDS, maps_of, why_not

    times = _times(kinetics.iloc[0], phases)
    with one_thread():
        like = grid_like(images)
        grid, files = grid_of_phases(slices, instances, series)
        made = maps_of(_prepared(files, grid, images, like), times, params.maps)
        rows = []
        for name in params.maps:
            kind, values = KINDS[name], made.get(name)
            row = dict.fromkeys(COLUMNS) | {"study_uid": study_uid, "map": name, "unit": kind.unit}
            if values is None:
                rows.append(row | {"reason": why_not(name, times, len(phases))})
                continue
            rows.append(
                row
                | {
                    "n_undefined": int(np.isnan(values).sum()),
                    "n_limited": int((np.abs(values) >= kind.most).sum()),
                    "object_id": nrrd(image_of(values, like)),
                }
            )
    return rows


def _times(row, phases: pd.DataFrame):
    """The phases and clock by which the table `kinetics` was made."""
    import pandas as pd

    from analyses.imaging.images.kinetic_maps import Times

    starts = None if phases["t_seconds"].isna().any() else [float(t) for t in phases["t_seconds"]]
    is_injection = isinstance(row["time_zero"], str) and row["time_zero"] != FIRST
    return Times(
        int(row["early_phase"]),
        None if pd.isna(row["late_phase"]) else int(row["late_phase"]),
        starts,
        float(row["zero_s"]) if is_injection else None,
    )


def _prepared(files: list, grid, images: pd.DataFrame, like) -> Iterator[np.ndarray]:
    """The signal of one phase after the other at the prepared voxel size, (slices, rows, columns)."""
    from analyses.imaging.images.grids import array_of, image_on
    from analyses.imaging.images.motion import measured
    from analyses.imaging.images.prepare import resample

    interpolator, registration = images["interpolator"].iloc[0], images["registration"].iloc[0]
    before = None
    for phase in files:
        scanned = image_on(read_volume([f.image for f in phase]), grid)
        moved = None if before is None or registration != "rigid" else measured(before, scanned).transform
        before = scanned if before is None else before
        yield array_of(resample(scanned, like.GetSpacing(), interpolator, moved))
