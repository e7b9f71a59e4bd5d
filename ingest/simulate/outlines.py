"""The outline of a simulated tumour in each form in which outlines are met: beside the images, or as DICOM among them.

Beside    image files in outlines/, and a sheet that says whose they are (`study`): NIfTI with the images' axes, or with these in
          another order, each the other way; NRRD; 3D Slicer's .seg.nrrd, one segment coded as a neoplasm.
Among     a series of the examination: a DICOM SEG of one segment, cropped, or an RTSTRUCT with contours along the voxels' edges;
          drawn by hand and coded as a tumour, which is what makes them outlines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset

from ingest.simulate.dce_layouts import SimulatedExamination
from ingest.simulate.dicom_files import COMMON, Geometry, Series, uid
from ingest.simulate.mask_writers import segmentation, write_volume
from ingest.simulate.slicer_files import write_slicer
from ingest.simulate.structures import contours_of, region, structure_set

ABNORMAL, NEOPLASM = ("49755003", "SCT", "Morphologically Abnormal Structure"), ("108369006", "SCT", "Neoplasm")
SERIES_NUMBER = 901
NAME = "Tumor outline"
OTHER_ORDER = (2, 0, 1)  # columns, slices, rows


@dataclass(frozen=True)
class Outline:
    """A form. suffix: of its files beside the images; is_dicom: it lies among them. Both make the same mask."""

    suffix: str = ""
    write: Callable[[Path, np.ndarray, Geometry], None] | None = None
    dataset: Callable[[SimulatedExamination, Series, np.ndarray], FileDataset] | None = None


def _write_turned(path: Path, mask: np.ndarray, geometry: Geometry) -> None:
    write_volume(path, mask, geometry, OTHER_ORDER)


def _write_slicer(path: Path, mask: np.ndarray, geometry: Geometry) -> None:
    coded = "~".join("^".join((scheme, value, meaning)) for value, scheme, meaning in (ABNORMAL, NEOPLASM))
    tags = f"TerminologyEntry:Segmentation category and type - DICOM master list~{coded}~^^~~^^~^^|"
    segment = {"Name": NAME, "Layer": 0, "LabelValue": 1, "Tags": tags}
    write_slicer(path, [mask.astype(np.uint8)], geometry.grid(mask.shape), [segment])


def _seg(examination: SimulatedExamination, drawn_on: Series, mask: np.ndarray) -> FileDataset:
    series = examination.series(SERIES_NUMBER, NAME, examination.start_s, ContentDate=examination.date)
    return segmentation(
        series, mask, "Tumor", drawn_on.series_uid, is_fractional=False, codes=(ABNORMAL, NEOPLASM), algorithm="MANUAL"
    )


def _rtstruct(examination: SimulatedExamination, drawn_on: Series, mask: np.ndarray) -> FileDataset:
    grid = examination.geometry.grid(mask.shape)
    parts = [region(1, "GTV", contours_of(mask, grid), interpreted="GTV")]
    made = structure_set(
        examination.patient_id, drawn_on.study_uid, drawn_on.series_uid, uid(drawn_on.study_uid, "frame"), parts,
        examination.date,
    )  # fmt: skip
    for keyword, value in {**COMMON, "SeriesDescription": NAME, "StudyDate": examination.date}.items():
        setattr(made, keyword, value)
    return made


OUTLINES: dict[str, Outline] = {
    "outline nifti": Outline(".nii.gz", write_volume),
    "outline nifti turned": Outline(".nii.gz", _write_turned),
    "outline nrrd": Outline(".nrrd", write_volume),
    "outline seg nrrd": Outline(".seg.nrrd", _write_slicer),
    "outline dicom seg": Outline(dataset=_seg),
    "outline rtstruct": Outline(dataset=_rtstruct),
}
ARCHIVES = "outline nifti"  # of the trials' outlines where none is named


def outline_name(patient_id: str, visit: int, form: str) -> str:
    """The name of the file of an outline that lies beside the images."""
    return (patient_id if visit == 0 else f"{patient_id}_T{visit}") + OUTLINES[form].suffix
