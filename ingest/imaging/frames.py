"""Enhanced MR: what each frame of a multi-frame object says, in the words of single files.

Classes   Enhanced MR (PS3.3 A.36.2) and its legacy converted form (A.71).
Groups    functional groups, of each frame or shared by all: plane, pixel measures, rescale, frame content, echo, diffusion,
          timing (C.7.6.16.2, C.8.13.5). A frame's own word goes before the shared one, this before the object's.
Legacy    the classic attributes of the single files stand in Unassigned … Converted Attributes (C.7.6.16.2.25, .26).
Time      TemporalPositionIndex, or its place among DimensionIndexValues; FrameAcquisitionDateTime; FrameReferenceDateTime.
"""

from __future__ import annotations

from collections.abc import Callable

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

ENHANCED = frozenset({"1.2.840.10008.5.1.4.1.1.4.1", "1.2.840.10008.5.1.4.1.1.4.4"})
SHARED, PER_FRAME = "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"
GROUPS: dict[
    str, dict[str, str]
] = {  # functional group -> its attribute -> the attribute of a single file that it stands for
    "PlanePositionSequence": {"ImagePositionPatient": "ImagePositionPatient"},
    "PlaneOrientationSequence": {"ImageOrientationPatient": "ImageOrientationPatient"},
    "PixelMeasuresSequence": {"PixelSpacing": "PixelSpacing", "SliceThickness": "SliceThickness"},
    "PixelValueTransformationSequence": {"RescaleSlope": "RescaleSlope", "RescaleIntercept": "RescaleIntercept"},
    "FrameContentSequence": {
        "TemporalPositionIndex": "TemporalPositionIdentifier",
        "FrameAcquisitionDateTime": "AcquisitionDateTime",
        "FrameReferenceDateTime": "FrameReferenceDateTime",
        "FrameAcquisitionNumber": "AcquisitionNumber",
        "DimensionIndexValues": "DimensionIndexValues",
    },
    "MRImageFrameTypeSequence": {"FrameType": "FrameType", "ComplexImageComponent": "ComplexImageComponent"},
    "MREchoSequence": {"EffectiveEchoTime": "EchoTime"},
    "MRDiffusionSequence": {"DiffusionBValue": "DiffusionBValue"},
    "MRTimingAndRelatedParametersSequence": {"RepetitionTime": "RepetitionTime", "FlipAngle": "FlipAngle"},
    "MRModifierSequence": {"InversionRecovery": "InversionRecovery", "InversionTimes": "InversionTime"},
    "CardiacSynchronizationSequence": {"NominalCardiacTriggerDelayTime": "TriggerTime"},
    "FrameAnatomySequence": {"FrameLaterality": "Laterality"},
}
CONVERTED = ("UnassignedSharedConvertedAttributesSequence", "UnassignedPerFrameConvertedAttributesSequence")
OF_OBJECT = ("EchoPulseSequence", "EchoPlanarPulseSequence", "PulseSequenceName", "ComplexImageComponent")
ELEMENTS = frozenset(OF_OBJECT) | {element for names in GROUPS.values() for element in names}
BINARY = {
    "EffectiveEchoTime": "d", "InversionTimes": "d", "NominalCardiacTriggerDelayTime": "d",
    "FrameAcquisitionNumber": "H", "TemporalPositionIndex": "L", "DimensionIndexValues": "L",
}  # fmt: skip
_SEQUENCE = {"GRADIENT": "GR", "SPIN": "SE", "BOTH": "GR\\SE"}
_TEMPORAL_INDEX = 0x00209128
_GROUPS = {tag_for_keyword(name): attributes for name, attributes in GROUPS.items()}
_CONVERTED = frozenset(map(tag_for_keyword, CONVERTED))
Texts = Callable[[Dataset], dict[str, str]]  # the elements that are looked at, as text
Values = dict[str, str]


class FramesWrong(ValueError):
    """The object does not say of each of its frames what it is."""


def values_of_frames(dataset: Dataset, values: Values, texts: Texts) -> list[Values]:
    """The attributes of each frame, by the keywords of single files, with all that the object says. Raises FramesWrong.

    values: the object's own.
    """
    n_frames = int(values.get("NumberOfFrames", "1"))
    frames = dataset.get(PER_FRAME) or []
    if len(frames) != n_frames:
        raise FramesWrong(f"{n_frames:,} frames, and {len(frames):,} are described")
    shared = dataset.get(SHARED) or []
    common = _of_object(dataset, values, texts) | (_of_groups(shared[0], texts) if len(shared) else {})
    at = _place_of_time(dataset)
    return [_whole(common | _of_groups(frame, texts), at) for frame in frames]


def _of_object(dataset: Dataset, values: Values, texts: Texts) -> Values:
    own = dict(values)
    agents = dataset.get("ContrastBolusAgentSequence")
    if agents and "ContrastBolusAgent" not in own and agents[0].get("CodeMeaning"):
        own["ContrastBolusAgent"] = str(agents[0].CodeMeaning)
    profiles = (agents[0].get("ContrastAdministrationProfileSequence") or ()) if agents else ()
    if profiles and "ContrastBolusStartTime" not in own and profiles[0].get("ContrastBolusStartTime"):
        own["ContrastBolusStartTime"] = str(profiles[0].ContrastBolusStartTime)
    if "PulseSequenceName" in own:
        own.setdefault("SequenceName", own["PulseSequenceName"])
    return own


def _of_groups(item: Dataset, texts: Texts) -> Values:
    """What the functional groups of a frame say, or those that all share."""
    found: Values = {}
    told: Values = {}
    for tag in item.keys():  # by number: names would be looked up for every frame
        if tag in _CONVERTED:
            for converted in item[tag].value:
                found |= texts(converted)
        elif (attributes := _GROUPS.get(tag)) is not None:
            for group in item[tag].value[:1]:
                said = texts(group)
                told |= {attributes[element]: said[element] for element in attributes if element in said}
    found |= told  # the standard's own place goes before what a converter left over
    if "AcquisitionDateTime" in told:
        found |= {"AcquisitionDate": "", "AcquisitionTime": ""}  # of the object, or of one of its parts
    return found


def _whole(values: Values, at: int | None) -> Values:
    """What is said in other words than a single file's, in these."""
    if "FrameType" in values:
        component = values.get("ComplexImageComponent")
        values["ImageType"] = "\\".join(filter(None, (values["FrameType"], component)))
    if "ScanningSequence" not in values and values.get("EchoPulseSequence") in _SEQUENCE:
        parts = [_SEQUENCE[values["EchoPulseSequence"]]]
        parts += ["EP"] if values.get("EchoPlanarPulseSequence") == "YES" else []
        parts += ["IR"] if values.get("InversionRecovery") == "YES" else []
        values["ScanningSequence"] = "\\".join(parts)
    index = values.get("DimensionIndexValues", "").split("\\")
    if at is not None and at < len(index) and index[at]:
        values.setdefault("TemporalPositionIdentifier", index[at])
    return {name: text for name, text in values.items() if text}


def _place_of_time(dataset: Dataset) -> int | None:
    """Which of DimensionIndexValues counts temporal positions."""
    pointers = [item.get("DimensionIndexPointer") for item in dataset.get("DimensionIndexSequence") or []]
    return pointers.index(_TEMPORAL_INDEX) if _TEMPORAL_INDEX in pointers else None
