"""Series whose words misled: each is an archive's own, from headers and lists of series that were published."""

from __future__ import annotations

import pandas as pd
import pytest

from analyses import series_roles
from analyses.imaging.series_hints import read as hints_of
from tshdb.schema import ImagingInstance, ImagingSeries

FAST = {"acquisition_type": "3D", "scanning_sequence": "GR", "tr_ms": 5.0, "te_ms": 2.0}  # as a scan for calibration is
SLOW = {"acquisition_type": "2D", "scanning_sequence": "SE", "tr_ms": 600.0, "te_ms": 12.0}
LONG_ECHO = {"acquisition_type": "2D", "tr_ms": 2000.0, "te_ms": 155.0}  # as spectroscopy has

WORDS = [
    *((text, "calibration", FAST) for text in (
        "asset calib", "ASSET cal", "ASSET_CAL", "ASSET-Cal 8ch", "Asset Calibration", "ASSET CALIBRATION 5/12", 
        "Calibration Scan", "calib", "SHIM2D", "Shim", "Reshim", "Coil Survey", "B1 Map", "B0map", "field map", "Prescan",
        "Reference Scan", "SENSE ref", "Sense_Ref_Scan", "Cal Scan",
    )),
    *((text, "localizer", SLOW) for text in (
        "Localization", "LOCALIZER", "localiser", "Lokalizer Loc", "3-PLANE LOC", "3-Pl Loc T1", "3pl Loc",
        "3-pl T2* Loc", "3 plane loc", "SCOUT", "Scoutview", "AAHead_Scout", "T1 Scout", "left scout", "SURVEY", "survey_T1",
        "01 Scano GE ST", "pilot", "loc t1",
    )),
    *((text, "other", LONG_ECHO) for text in (
        "BREASE right", "BREASE left", "brease_R", "Spectroscopy", "MR Spectro", "SVS se 135", "PRESS 135", "csi_slaser",
        "MRS right", "Screen Save", "Processed Images", "Dose Report",
    )),
    *((text, "t1", SLOW) for text in ("ax t1", "SAG T1 (PRE)", "RT SAG FSE T1", "T1 block", "T1 suppressed")),
    *((text, "t2", LONG_ECHO) for text in ("AX STIR-WaterSat", "RT SAG FSE T2", "T2 compressed sense", "Sag T2 preshaped")),
    *((text, "dynamic", FAST) for text in (
        "Ax Vibrant MULTIPHASE", "dyn_eTHRIVE", "T1 dynamic", "Sag Vibrant +C", "VIBRANT cor", "SAG 3D (PRE-CONTRAST)",
    )),
]  # fmt: skip


def frames(**facts) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A series and its one image, as rows of their tables."""
    series = {c.name: None for c in ImagingSeries.__table__.columns}
    series |= {
        "study_uid": "s",
        "series_uid": "a",
        "series_number": 1,
        "modality": "MR",
        "image_type": "ORIGINAL\\PRIMARY",
    }
    image = {c.name: None for c in ImagingInstance.__table__.columns}
    image |= {"study_uid": "s", "series_uid": "a", "sop_uid": "i", "frame_number": 1}
    return pd.DataFrame([series | facts]), pd.DataFrame([image])


@pytest.mark.parametrize(("text", "role", "facts"), WORDS, ids=[text for text, *_ in WORDS])
def test_the_words_of_a_series_say_its_role(tmp_path, text, role, facts):
    assert role_of(tmp_path, description=text, **facts) == role


def role_of(root, **facts) -> str:
    series, instances = frames(**facts)
    _, rows = hints_of("breast_dce_hints", root)
    nothing = pd.DataFrame(columns=["study_uid", "series_uid", "decision", "decided_by", "reason"])
    found = series_roles(series, instances, nothing, pd.DataFrame(rows), series_roles.params())
    return str(found["role"][0])


def test_spectra_are_no_images_whatever_they_are_called(tmp_path):
    spectra = "1.2.840.10008.5.1.4.1.1.4.2"
    assert role_of(tmp_path, description="T2 right breast", sop_class_uid=spectra, **LONG_ECHO) == "other"
    assert role_of(tmp_path, description="T2 right breast", sop_class_uid=spectra[:-2], **LONG_ECHO) == "t2"
