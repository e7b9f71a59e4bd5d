"""Enhanced MR: the slices of a simulated scan as frames of multi-frame objects, as today's scanners and archives write them.

After PS3.3 A.36.2 (Enhanced MR) and A.71 (legacy converted): plane, rescale and time stand in functional groups, of each frame or
shared; what a single file says of its sequence, in those of the sequence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence as Items

from ingest.simulate.dicom_files import Series, slice_dataset, uid

ENHANCED_MR, LEGACY_MR = "1.2.840.10008.5.1.4.1.1.4.1", "1.2.840.10008.5.1.4.1.1.4.4"
PLANES = {
    "PlanePositionSequence": ("ImagePositionPatient",),
    "PlaneOrientationSequence": ("ImageOrientationPatient",),
    "PixelMeasuresSequence": ("PixelSpacing", "SliceThickness"),
}
OF_SINGLE_FILES = (*(name for names in PLANES.values() for name in names), "RescaleSlope", "RescaleIntercept")
OF_SEQUENCE = (
    "ScanningSequence", "RepetitionTime", "EchoTime", "FlipAngle", "SequenceName", "ContrastBolusAgent",
    "ContrastBolusStartTime",
)  # fmt: skip
OF_CONTENT = (
    "StackID", "InStackPositionNumber", "TemporalPositionIndex", "FrameAcquisitionDateTime", "FrameReferenceDateTime",
    "FrameAcquisitionNumber", "DimensionIndexValues",
)  # fmt: skip
_PULSES = {"GR": "GRADIENT", "SE": "SPIN"}
Frame = tuple[int, np.ndarray, Mapping[str, Any]]  # slice, pixels, what the frame says by keyword


def enhanced_dataset(series: Series, instance: int, frames: Sequence[Frame], *, is_legacy: bool = False) -> FileDataset:
    """One object of many frames.

    A frame's own words: those of OF_CONTENT; RescaleSlope and RescaleIntercept, by which its pixels are stored (they must come
    out whole); of a legacy object whatever else a single file would say.
    """
    slices = [slice_dataset(series, instance, index, pixels) for index, pixels, _ in frames]
    return packed(slices, [dict(own) for _, _, own in frames], uid(series.series_uid, instance), is_legacy=is_legacy)


def packed(
    slices: Sequence[FileDataset], said: Sequence[dict[str, Any]], sop_uid: str, *, is_legacy: bool = False
) -> FileDataset:
    """Single files as the frames of one object, whatever wrote them. said: what each frame says beside; see above."""
    made = FileDataset(None, {}, file_meta=slices[0].file_meta, preamble=b"\0" * 128)
    for element in slices[0]:
        if element.keyword not in (*OF_SINGLE_FILES, "PixelData", *OF_SEQUENCE):
            made[element.tag] = element
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = LEGACY_MR if is_legacy else ENHANCED_MR
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = sop_uid
    made.NumberOfFrames = len(slices)
    shared = _shared(slices[0], is_legacy)
    groups, stored = [], []
    for one, own in zip(slices, said, strict=True):
        slope, intercept = own.pop("RescaleSlope", 1), own.pop("RescaleIntercept", 0)
        values = (one.pixel_array.astype(float) - intercept) / slope
        stored.append(np.round(values).astype(one.pixel_array.dtype))
        assert np.array_equal(stored[-1], values), "values that the slope does not give whole"
        groups.append(_frame(one, own, slope, intercept, is_legacy))
    _add_dimensions(made, said)
    if not is_legacy:
        made.EchoPulseSequence = _PULSES.get(str(slices[0].get("ScanningSequence", "GR")), "GRADIENT")
        made.ComplexImageComponent = "MAGNITUDE"
        if "SequenceName" in slices[0]:
            made.PulseSequenceName = slices[0].SequenceName
        if "ContrastBolusAgent" in slices[0]:
            agent = _item(CodeMeaning=slices[0].ContrastBolusAgent)
            if "ContrastBolusStartTime" in slices[0]:
                profile = _item(ContrastBolusStartTime=slices[0].ContrastBolusStartTime)
                agent.ContrastAdministrationProfileSequence = Items([profile])
            made.ContrastBolusAgentSequence = Items([agent])
    made.SharedFunctionalGroupsSequence = Items([shared])
    made.PerFrameFunctionalGroupsSequence = Items(groups)
    made.PixelData = np.stack(stored).tobytes()
    made["PixelData"].VR = "OW"
    return made


def _shared(first: Dataset, is_legacy: bool) -> Dataset:
    made = _item(
        PlaneOrientationSequence=Items([_copied(first, PLANES["PlaneOrientationSequence"])]),
        PixelMeasuresSequence=Items([_copied(first, PLANES["PixelMeasuresSequence"])]),
        MRImageFrameTypeSequence=Items([_item(FrameType=["ORIGINAL", "PRIMARY", "T1", "NONE"])]),
    )
    if is_legacy:
        made.UnassignedSharedConvertedAttributesSequence = Items([_copied(first, OF_SEQUENCE)])
        return made
    made.MRImageFrameTypeSequence[0].ComplexImageComponent = "MAGNITUDE"
    if "RepetitionTime" in first:
        made.MRTimingAndRelatedParametersSequence = Items([_copied(first, ("RepetitionTime", "FlipAngle"))])
    if first.get("EchoTime") is not None:
        made.MREchoSequence = Items([_item(EffectiveEchoTime=float(first.EchoTime))])
    return made


def _frame(one: Dataset, own: dict[str, Any], slope: float, intercept: float, is_legacy: bool) -> Dataset:
    content = {name: own[name] for name in OF_CONTENT if name in own}
    made = _item(
        FrameContentSequence=Items([_item(**content)]),
        PlanePositionSequence=Items([_copied(one, PLANES["PlanePositionSequence"])]),
        PixelValueTransformationSequence=Items(
            [_item(RescaleSlope=slope, RescaleIntercept=intercept, RescaleType="US")]
        ),
    )
    rest = {name: value for name, value in own.items() if name not in OF_CONTENT}
    if is_legacy:
        made.UnassignedPerFrameConvertedAttributesSequence = Items([_item(**rest)])
    return made


def _add_dimensions(made: Dataset, said: Sequence[Mapping[str, Any]]) -> None:
    """What DimensionIndexValues count, where frames have them: stack, place in the stack, time."""
    if not said or "DimensionIndexValues" not in said[0]:
        return
    organization = uid(made.SOPInstanceUID, "dimensions")
    made.DimensionOrganizationSequence = Items([_item(DimensionOrganizationUID=organization)])
    made.DimensionIndexSequence = Items(
        [
            _item(
                DimensionOrganizationUID=organization, DimensionIndexPointer=pointer, FunctionalGroupPointer=0x00209111
            )
            for pointer in (0x00209056, 0x00209057, 0x00209128)
        ]
    )


def _item(**elements: Any) -> Dataset:
    made = Dataset()
    for name, value in elements.items():
        setattr(made, name, value)
    return made


def _copied(source: Dataset, names: Sequence[str]) -> Dataset:
    return _item(**{name: source[name].value for name in names if name in source})
