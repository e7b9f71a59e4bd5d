"""How tumour and background take up contrast agent: peak, slopes, SER, functional tumour volume, background enhancement.

On the scanner's own voxels and in all phases, which are read one after the other: time to peak needs them all, thresholds and
neighbours of the functional volume are published for voxels as they were scanned, and so are the maps of archives (PE, SER).
The regions, which lie on the prepared images, are put on these voxels by nearest neighbour. Where the prepared images were put
back on S0 (`[prepared_images] registration`), so are the phases here.

Every outlined lesion is left out of the background. Early is the intermediate phase of `dce_phases`; time to peak counts from
the injection (`time_zero`). Formulas and sources: `analyses.imaging.images.kinetics`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from analyses.imaging.kinetic_rows import BACKGROUND, TUMOR, Timing, measure
from analyses.imaging.phase_split import flags_text
from analyses.imaging.phase_volumes import volumes
from analyses.imaging.time_zero import time_zero
from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_STUDY
from tshdb.images.mask_volumes import IMAGE, grid_of_phases
from tshdb.schema import (
    BreastMask,
    DcePhase,
    DceSlice,
    ImagingDecision,
    ImagingInstance,
    ImagingSeries,
    Kinetics,
    Lesion,
    PhaseMotion,
    PreparedImage,
    TumorMask,
)

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = [
    "study_uid", "region", "side", "n_voxels", "volume_ml", "n_phases", "early_phase", "late_phase", "early_s", "late_s",
    "s0_mean", "peak_pe", "peak_phase", "time_zero", "zero_s", "time_to_peak_s", "wash_in", "wash_out", "pe_early",
    "pe_late", "ser", "curve", "ftv_ml", "ftv_gradual_ml", "ftv_plateau_ml", "ftv_washout_ml", "ftv_threshold", "bpe",
    "bpe_median", "tissue", "tissue_threshold", "qc_flags", "reason",
]  # fmt: skip


class KineticParameters(Parameters):
    """[kinetics]"""

    late: Literal["last", "nearest"] = "last"
    """the late phase: the last one, or the one nearest to late_s"""
    late_s: float = Field(default=450.0, gt=0)
    """seconds after the first phase after contrast"""
    least_pe: float = Field(default=70.0)
    """early enhancement of a voxel of the functional tumour volume, percent"""
    background: float = Field(default=0.6, ge=0)
    """of the 95th percentile of S0: darker voxels are in no functional volume"""
    neighbours: int = Field(default=4, ge=0, le=26)
    """of a voxel's 26 that must enhance, too"""
    plateau_ser: float = Field(default=0.9, gt=0, le=1)
    """from this SER on a voxel or curve is a plateau; at 1 it stays as it was"""
    washout_ser: float = Field(default=1.3, ge=1)
    """above it a washout"""
    within: Literal["box", "outline"] = "box"
    """where the functional volume is looked for: the box around the outline (in the breast), or the outline alone"""
    margin_mm: float = Field(default=0.0, ge=0)
    """of the box around the outline"""
    tissue: Literal["fibroglandular", "all"] = "fibroglandular"
    """of the breast, whose enhancement the background's is"""
    injection_s: float | None = Field(default=None, ge=0)
    """when contrast is injected, seconds after the start of phase 0; without it what headers and decisions say"""


@analysis(
    kind="map",
    per="imaging_study",
    needs={
        "phases": Need(DcePhase, SAME_STUDY),
        "images": Need(PreparedImage, SAME_STUDY),
        "motions": Need(PhaseMotion, SAME_STUDY),
        "breasts": Need(BreastMask, SAME_STUDY),
        "tumors": Need(TumorMask, SAME_STUDY),
        "lesions": Need(Lesion, SAME_STUDY, optional=True),
        "decisions": Need(ImagingDecision, SAME_STUDY, optional=True),
        "slices": Need(DceSlice, SAME_STUDY),
        "instances": Need(ImagingInstance, SAME_STUDY),
        "series": Need(ImagingSeries, SAME_STUDY),
    },
    makes=Kinetics,
    params=KineticParameters,
    libraries=("numpy", "scipy", "pydicom"),
    strict_libraries=("SimpleITK",),
    source="doi:10.1148/radiol.12110748, Volume analysis; PMC3996240, table 1",
    batch=2,
)
def kinetics(
    phases: pd.DataFrame,
    images: pd.DataFrame,
    motions: pd.DataFrame,
    breasts: pd.DataFrame,
    tumors: pd.DataFrame,
    lesions: pd.DataFrame,
    decisions: pd.DataFrame,
    slices: pd.DataFrame,
    instances: pd.DataFrame,
    series: pd.DataFrame,
    params: KineticParameters,
) -> pd.DataFrame:
    """Two rows per examination with prepared images: tumour and background. All are rows of the tables of these names."""
    import pandas as pd

    rows = []
    for study_uid, of_study in phases.groupby("study_uid", sort=True):
        own = (
            frame[frame["study_uid"] == study_uid]
            for frame in (images, motions, breasts, tumors, lesions, decisions, slices, instances, series)
        )
        rows += _of_study(str(study_uid), of_study.sort_values("phase_index"), *own, params)
    return pd.DataFrame(rows, columns=COLUMNS)


def _of_study(
    study_uid, phases, images, motions, breasts, tumors, lesions, decisions, slices, instances, series, params
) -> list[dict]:
    from analyses.imaging.images.grids import one_thread

    early, late = _chosen(phases, params)
    seconds = None if phases["t_seconds"].isna().any() else [float(t) for t in phases["t_seconds"]]
    of_phases = instances.merge(slices[[*IMAGE, "phase_index"]], on=IMAGE)
    own = series[series["series_uid"].isin(of_phases["series_uid"])]
    first = of_phases[of_phases["phase_index"] == 0]
    zero = time_zero(seconds, phases["time_key"].iloc[0], first, own, decisions, params.injection_s)
    shared = dict.fromkeys(COLUMNS) | {
        "study_uid": study_uid, "n_phases": len(phases), "early_phase": early, "late_phase": late,
        "early_s": None if seconds is None else seconds[early],
        "late_s": None if seconds is None or late is None else seconds[late],
        "time_zero": zero.said_by, "zero_s": zero.seconds,
        "qc_flags": flags_text([*_flags(phases, motions), *zero.flags]),
    }  # fmt: skip
    tumor, breast = tumors.iloc[0], breasts.iloc[0]
    rows = {
        TUMOR: shared | {"region": TUMOR, "side": tumor["side"]},
        BACKGROUND: shared | {"region": BACKGROUND},
    }
    if tumor["object_path"] is None:
        rows[TUMOR]["reason"] = f"no mask: {tumor['reason']}"
        rows[BACKGROUND]["reason"] = f"no tumour to leave out of the background: {tumor['reason']}"
        return list(rows.values())
    if breast["object_path"] is None:
        rows[BACKGROUND]["reason"] = f"no breast: {breast['reason']}"
    grid, files = grid_of_phases(slices, instances, series)
    is_registered = (images["registration"] == "rigid").any()
    with one_thread():
        timing = Timing(early, late, seconds, zero.seconds if zero.is_injection else None)
        measure(rows, volumes(files, grid, is_registered), grid, tumor, breast, lesions, timing, params)
    return list(rows.values())


def _chosen(phases: pd.DataFrame, params: KineticParameters) -> tuple[int, int | None]:
    """(early, late) phase; late None where there is one phase after contrast."""
    early = int(phases.loc[phases["is_intermediate"].astype(bool), "phase_index"].iloc[0])
    last = int(phases["phase_index"].max())
    if last == early:
        return early, None
    times = phases["t_seconds"].astype(float).tolist()
    if params.late == "last" or phases["t_seconds"].isna().any() or last < 2:
        return early, last
    half = (times[-1] - times[1]) / (last - 1) / 2  # a phase is seen at its middle
    return early, min(range(early + 1, last + 1), key=lambda i: (abs(times[i] + half - times[1] - params.late_s), i))


def _flags(phases: pd.DataFrame, motions: pd.DataFrame) -> list[str]:
    flags = [phases["qc_flags"].iloc[0]] if phases["qc_flags"].iloc[0] else []
    for motion in motions.drop_duplicates("phase_index").sort_values("phase_index").itertuples():
        if motion.reason:
            flags.append(f"motion of phase {motion.phase_index} unknown: {motion.reason}")
        elif motion.is_moved:
            flags.append(f"phase {motion.phase_index} has moved by {motion.in_plane_voxels:.1f} voxels")
    return flags
