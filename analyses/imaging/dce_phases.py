"""The phases of a dynamic examination: when each began, which one is S0, which the intermediate and which the last.

    S0 = the phase before contrast (0); S_I = intermediate - S0; S_L = last - S0        Fan et al. 2023, Methods

Intermediate (A12): the phase after contrast nearest to `intermediate_s` after the first one after contrast (2.5 minutes, as
the UCSF core laboratory chooses its early phase); the first of two; the middle one where no clock rises. Phase 0 is also
looked at: where it is not the darkest in the body, the row says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from analyses.imaging.phase_split import Image, flags_text, start_times
from tshdb.config import Parameters
from tshdb.engine.analysis import Need, analysis
from tshdb.engine.relations import SAME_STUDY
from tshdb.images.mask_volumes import IMAGE, image_of
from tshdb.images.pixels import read_volume
from tshdb.schema import DcePhase, DceSet, DceSlice, ImagingInstance
from tshdb.vocabulary import PhaseRole

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = [
    "study_uid", "phase_index", "role", "is_intermediate", "is_last", "rule", "t_seconds", "time_key", "key_used",
    "n_slices", "mean_intensity", "qc_flags",
]  # fmt: skip


class DcePhaseParameters(Parameters):
    """[dce_phases]"""

    intermediate: Literal["nearest", "middle", "index"] = "nearest"
    """nearest (to intermediate_s), middle or index"""
    intermediate_s: float = Field(default=150.0, ge=0)
    """seconds after the first phase after contrast"""
    intermediate_index: int = Field(default=1, ge=1)
    """of method index, 1 is the first after contrast"""
    least_rise: float = Field(default=0.01, ge=0)
    """a phase after contrast must be brighter than phase 0 by this fraction, else it is flagged"""
    most_rise: float = Field(default=3.0, gt=1)
    """and at most so many times as bright in the body's mean"""


@analysis(
    kind="map",
    per="imaging_study",
    needs={
        "sets": Need(DceSet, SAME_STUDY),
        "slices": Need(DceSlice, SAME_STUDY),
        "instances": Need(ImagingInstance, SAME_STUDY),
    },
    makes=DcePhase,
    params=DcePhaseParameters,
    libraries=("numpy", "pydicom"),
    source="doi:10.1186/s12967-023-04748-6, Radiomic features; A12",
    batch=4,
)
def dce_phases(
    sets: pd.DataFrame, slices: pd.DataFrame, instances: pd.DataFrame, params: DcePhaseParameters
) -> pd.DataFrame:
    """One row per (study_uid, phase_index) of the examinations that fall into phases.

    sets: study_uid, key_used, qc_flags; slices: study_uid, sop_uid, frame_number, phase_index, slice_index; instances:
    times, path and sha256 of the files, whose pixels are read.
    """
    import pandas as pd

    rows = []
    for study_uid, of_study in slices.groupby("study_uid", sort=True):
        known = sets[sets["study_uid"] == study_uid].iloc[0]
        files = instances[instances["study_uid"] == study_uid]
        ordered = of_study.sort_values(["phase_index", "slice_index"])
        phases = [
            list(group[IMAGE].itertuples(index=False, name=None))
            for _, group in ordered.groupby("phase_index", sort=True)
        ]
        rows += _rows(study_uid, phases, files, known, params)
    return pd.DataFrame(rows, columns=COLUMNS)


def _rows(
    study_uid: str, phases: list[list[Image]], files: pd.DataFrame, known, params: DcePhaseParameters
) -> list[dict]:
    used = files[files.set_index(IMAGE).index.isin([image for phase in phases for image in phase])]
    times, clock = start_times(used, phases)
    flags = [known["qc_flags"]] if known["qc_flags"] else []
    if times is None:
        flags.append("no clock rises from phase to phase")
    if len(phases) == 2:
        flags.append("one phase after contrast: it is intermediate and last")
    means = _means(phases, used)
    if means is None:
        flags.append("no pixels: phase 0 was not looked at")
    elif dark := [i for i, m in enumerate(means[1:], 1) if m < means[0] * (1 + params.least_rise)]:
        flags.append(f"phase 0 is not the darkest: phase {', '.join(map(str, dark))} is no brighter")
    if means is not None and means[0] > 0:
        flags += [
            f"phase {i} is {m / means[0]:.1f} times as bright as phase 0: rescaled twice, or another gain?"
            for i, m in enumerate(means[1:], 1)
            if not 1 / params.most_rise <= m / means[0] <= params.most_rise
        ]
    unscaled = used["rescale_slope"].isna()
    if 0 < unscaled.sum() < len(used) and (used["rescale_slope"].dropna() != 1).any():
        flags.append(f"RescaleSlope is missing in {int(unscaled.sum())} of {len(used)} images")
    intermediate, rule = _intermediate(len(phases), times, params)
    return [
        {
            "study_uid": study_uid,
            "phase_index": i,
            "role": PhaseRole.PRE if i == 0 else PhaseRole.POST,
            "is_intermediate": i == intermediate,
            "is_last": i == len(phases) - 1,
            "rule": rule,
            "t_seconds": None if times is None else times[i],
            "time_key": clock,
            "key_used": known["key_used"],
            "n_slices": len(phase),
            "mean_intensity": None if means is None else means[i],
            "qc_flags": flags_text(flags),
        }
        for i, phase in enumerate(phases)
    ]


def _intermediate(n_phases: int, times: list[float] | None, params: DcePhaseParameters) -> tuple[int, str]:
    """(phase, the rule that chose it)."""
    last = n_phases - 1
    if params.intermediate == "index":
        return min(params.intermediate_index, last), f"index {params.intermediate_index}"
    if n_phases <= 3:
        return 1, "the first of one or two after contrast"
    if params.intermediate == "nearest" and times is not None:
        half = (times[-1] - times[1]) / (last - 1) / 2  # a phase is seen at its middle
        target = times[1] + params.intermediate_s
        best = min(range(1, n_phases), key=lambda i: (abs(times[i] + half - target), i))
        return best, f"nearest to {params.intermediate_s:g} s after the first after contrast"
    return (1 + last) // 2, "the middle one after contrast"


def _means(phases: list[list[Image]], files: pd.DataFrame) -> list[float] | None:
    """The mean of each phase over the voxels that are brighter than the mean of phase 0 there; None without pixels."""
    import numpy as np

    if not files["has_pixels"].astype(bool).all():
        return None
    place = {(f.sop_uid, f.frame_number): image_of(f) for f in files.itertuples()}
    first = read_volume([place[image] for image in phases[0]])
    body = first > first.mean(dtype=np.float64)
    if not body.any():
        return [float(read_volume([place[image] for image in phase]).mean(dtype=np.float64)) for phase in phases]
    means = [float(first[body].mean(dtype=np.float64))]
    for phase in phases[1:]:
        means.append(float(read_volume([place[image] for image in phase])[body].mean(dtype=np.float64)))
    return means
