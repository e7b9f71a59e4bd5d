"""How the features of every examination were made: what must be alike where features, or a score of them, are compared.

Computed features: whose definitions they have (PyRadiomics' version, or IBSI), the parameters of study.toml on which their values
depend (features; voxel size and normalisation; choice of phases), who outlined the tumour, and when the phases were. Imported
ones: what their file of settings says, else unknown, which compares with the same table alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.signature.features import COMPUTED, MUST_AGREE
from analyses.signature.how_made import settings_of_study
from analyses.signature.scanners import group, group_of_text
from tshdb.canonical import digest
from tshdb.config import Parameters
from tshdb.engine.analysis import Made, Need, analysis
from tshdb.engine.relations import SAME_EXAMINATION
from tshdb.schema import (
    DcePhase,
    DceSlice,
    FeatureSet,
    FeatureSetting,
    ImagingSeries,
    ImagingStudy,
    ImportedFeature,
    PhaseMotion,
    RadiomicFeature,
    TumorMask,
)

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = [
    "examination", "patient_id", "collection", "source", "time_point", "software", "settings", "normalisation", "phase_rule",
    "mask_kind", "intermediate_s", "last_s", "slice_mm", "motion_voxels", "batch", "scanner", "comparability",
]  # fmt: skip


class FeatureSetParameters(Parameters):
    """[feature_sets]"""


@analysis(
    kind="map",
    per="examination",
    needs={
        "tumors": Need(TumorMask, SAME_EXAMINATION, one_of=True),
        "imported": Need(ImportedFeature, SAME_EXAMINATION, one_of=True),
        "studies": Need(ImagingStudy, SAME_EXAMINATION, optional=True),
        "series": Need(ImagingSeries, SAME_EXAMINATION, optional=True),
        "phases": Need(DcePhase, SAME_EXAMINATION, optional=True),
        "slices": Need(DceSlice, SAME_EXAMINATION, optional=True),
        "motions": Need(PhaseMotion, SAME_EXAMINATION, optional=True),
        "made": Made(FeatureSetting, of=RadiomicFeature),
    },
    makes=FeatureSet,
    params=FeatureSetParameters,
    libraries=("pandas",),
    source="doi:10.1186/s12967-023-04748-6, Image preprocessing and feature analysis",
    same_as={"34235fa971be8f9bf7b93bb8fa9da9ac": ("df1cc5b98b06b799f25cc8f0ce7c6111",)},
)
def feature_sets(
    tumors: pd.DataFrame,
    imported: pd.DataFrame,
    studies: pd.DataFrame,
    series: pd.DataFrame,
    phases: pd.DataFrame,
    slices: pd.DataFrame,
    motions: pd.DataFrame,
    made: pd.DataFrame,
    params: FeatureSetParameters,
) -> pd.DataFrame:
    """One row per examination that has a tumour's outline, or a row in an imported table."""
    import pandas as pd

    fixed = settings_of_study(made)
    of_study = {str(row["examination"]): row for _, row in studies.iterrows()}
    rows = []
    for _, tumor in tumors.iterrows():
        study = of_study.get(tumor["examination"])
        if study is None:
            continue
        of_examination = phases[phases["examination"] == tumor["examination"]]
        rows.append(fixed | {
            "examination": tumor["examination"], "patient_id": study["patient_id"], "collection": study["collection"],
            "source": COMPUTED, "time_point": study["time_point"], "mask_kind": tumor["kind"],
            "intermediate_s": _seconds(of_examination, "is_intermediate"), "last_s": _seconds(of_examination, "is_last"),
            "slice_mm": _slice_mm(slices[slices["examination"] == tumor["examination"]]),
            "motion_voxels": _motion(motions[motions["examination"] == tumor["examination"]]),
            **_scanner(series[series["examination"] == tumor["examination"]]),
        })  # fmt: skip
    for _, row in imported.iterrows():
        rows.append({
            "examination": row["examination"], "patient_id": row["patient_id"], "collection": row["collection"],
            "source": row["feature_table"], "time_point": row["time_point"], "software": row["software"],
            "settings": row["settings"], "normalisation": row["normalisation"], "phase_rule": row["phases"],
            "mask_kind": row["mask_kind"], "intermediate_s": None, "last_s": None, "slice_mm": None, "motion_voxels": None,
            "batch": group_of_text(row["batch"]) if row["batch"] else None, "scanner": row["batch"],
        })  # fmt: skip
    for row in rows:
        row["comparability"] = digest(*(row[column].encode() for column in MUST_AGREE))[:16]
    return pd.DataFrame(rows, columns=COLUMNS)


def _seconds(phases: pd.DataFrame, which: str) -> float | None:
    chosen = phases[phases[which].astype(bool)] if len(phases) else phases
    return float(chosen["t_seconds"].iloc[0]) if len(chosen) and chosen["t_seconds"].notna().all() else None


def _scanner(series: pd.DataFrame) -> dict[str, str | None]:
    """batch: maker and nominal field of the examination's MR series, the most frequent; scanner: in the headers' words."""
    images = series[series["modality"] == "MR"]
    fields = [None if t is None or t != t else float(t) for t in images["field_strength_t"]]
    said = [(maker, t) for maker, t in zip(images["manufacturer"], fields, strict=True) if maker]
    groups = [group(maker, t) for maker, t in said]
    words = [maker if t is None else f"{maker} {t:g} T" for maker, t in said]
    return {"batch": _most_frequent(groups), "scanner": _most_frequent(words)}


def _most_frequent(words: list[str]) -> str | None:
    return max(sorted(set(words)), key=words.count) if words else None


def _slice_mm(slices: pd.DataFrame) -> float | None:
    """The step from slice to slice as it was scanned, before images were resampled."""
    positions = slices.loc[slices["phase_index"] == 0, "position_mm"].sort_values().to_numpy(float)
    return float((positions[-1] - positions[0]) / (len(positions) - 1)) if len(positions) > 1 else None


def _motion(motions: pd.DataFrame) -> float | None:
    """How far the patient moved within slices, in prepared voxels: of the phases that maps are made of, the furthest."""
    known = motions["in_plane_voxels"].dropna()
    return float(known.max()) if len(known) else None
