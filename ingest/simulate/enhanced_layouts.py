"""How today's scanners and archives lay out a dynamic examination as enhanced MR: which objects, what tells phases apart.

After published test images of Siemens XA10 to XA30, Philips, Canon and of converters, and the bug reports of programs that
read them: frames in any order, one object, one a phase, or one a slice; a scale of each frame's own; time by index, by
FrameReferenceDateTime, by FrameAcquisitionDateTime, or in what a converter left unassigned.
"""

from __future__ import annotations

from typing import Any

from ingest.simulate.dce_layouts import GE, LAYOUTS, PHILIPS, SIEMENS, Layout, Packed, SimulatedExamination, Slices
from ingest.simulate.dicom_files import AXIAL, SAGITTAL, clock

XA = SIEMENS | {"ManufacturerModelName": "MAGNETOM Vida", "SoftwareVersions": "syngo MR XA30"}
SCALES = ((0.5, -10), (0.25, 0), (1, -20))  # slope and intercept, in turn


def _when(e: SimulatedExamination, seconds: float) -> str:
    """A date and time."""
    return str(int(e.date) + int(seconds // 86_400)) + clock(seconds)


def enhanced_philips(e: SimulatedExamination) -> Slices:
    """Philips: one object, all phases of a slice after each other; TemporalPositionIndex; each phase has a scale of its own."""
    starts, n = e.starts(), len(e.volumes)
    series = e.series(1001, "BreasFS3DSAG 6DYN", e.start_s, **PHILIPS, NumberOfTemporalPositions=n)
    for index in range(len(e.volumes[0])):
        for p in range(n):
            slope, intercept = SCALES[p % len(SCALES)]
            own = {
                "StackID": "1", "InStackPositionNumber": index + 1, "TemporalPositionIndex": p + 1,
                "DimensionIndexValues": [1, index + 1, p + 1], "FrameAcquisitionDateTime": _when(e, starts[p]),
                "FrameReferenceDateTime": _when(e, starts[p]), "RescaleSlope": slope, "RescaleIntercept": intercept,
            }  # fmt: skip
            yield series, 1, index, e.volumes[p][index], own


def enhanced_dimensions(e: SimulatedExamination) -> Slices:
    """The same without TemporalPositionIndex and times: DimensionIndexValues alone count the phases."""
    for series, instance, index, pixels, own in enhanced_philips(e):
        yield series, instance, index, pixels, {"DimensionIndexValues": own["DimensionIndexValues"]}


def enhanced_reference_time(e: SimulatedExamination) -> Slices:
    """GE, Canon: one object, one phase after the other; acquired as one, so that FrameReferenceDateTime alone differs."""
    series = e.series(5, "Ax Vibrant MULTIPHASE", e.start_s, **GE)
    for p, start in enumerate(e.starts()):
        times = {
            "FrameAcquisitionDateTime": _when(e, e.start_s), "FrameReferenceDateTime": _when(e, start),
            "FrameAcquisitionNumber": 1,
        }  # fmt: skip
        for index, pixels in enumerate(e.volumes[p]):
            yield series, 1, index, pixels, times


def enhanced_per_phase(e: SimulatedExamination) -> Slices:
    """Siemens XA: one series, an object a phase; slices from the last to the first."""
    series = e.series(4, "t1_fl3d_dyn", e.start_s, **XA, SequenceName="*fl3d1")
    for p, start in enumerate(e.starts()):
        for index in reversed(range(len(e.volumes[p]))):
            yield series, p + 1, index, e.volumes[p][index], {"FrameAcquisitionDateTime": _when(e, start)}


def enhanced_series(e: SimulatedExamination) -> Slices:
    """Siemens XA: a series a phase, each of one object."""
    for p, start in enumerate(e.starts()):
        series = e.series(4 + p, "t1_fl3d_dyn", start, **XA, SequenceName="*fl3d1")
        for index, pixels in enumerate(e.volumes[p]):
            yield series, 1, index, pixels, {"FrameAcquisitionDateTime": _when(e, start)}


def enhanced_per_slice(e: SimulatedExamination) -> Slices:
    """Siemens XA30: an object a slice, of one frame."""
    series = e.series(4, "t1_fl3d_dyn", e.start_s, **XA, SequenceName="*fl3d1")
    instance = 0
    for p, start in enumerate(e.starts()):
        for index, pixels in enumerate(e.volumes[p]):
            instance += 1
            times = {"FrameAcquisitionDateTime": _when(e, start), "FrameReferenceDateTime": _when(e, start)}
            yield series, instance, index, pixels, times


def enhanced_converted(e: SimulatedExamination) -> Slices:
    """An archive's legacy conversion of GE's single files: ContentTime is in the unassigned attributes of each frame."""
    series = e.series(2, "Sagittal-IR_3DFGRE", e.start_s, **GE, SequenceName="3dfgre")
    n = 0
    for p, start in enumerate(e.starts()):
        for index, pixels in enumerate(e.volumes[p]):
            n += 1
            own: dict[str, Any] = {"ContentTime": clock(start), "ContentDate": _when(e, start)[:8], "InstanceNumber": n}
            yield series, 1, index, pixels, own


ENHANCED: dict[str, tuple[Layout, tuple[float, ...], str]] = {
    # as in dce_layouts.LAYOUTS
    "enhanced philips": (Packed(enhanced_philips), SAGITTAL, "temporal_position"),
    "enhanced dimensions": (Packed(enhanced_dimensions), SAGITTAL, "temporal_position"),
    "enhanced reference time": (Packed(enhanced_reference_time), AXIAL, "reference_time"),
    "enhanced per phase": (Packed(enhanced_per_phase), AXIAL, "acquisition_time"),
    "enhanced series": (Packed(enhanced_series), AXIAL, "series_time"),
    "enhanced per slice": (Packed(enhanced_per_slice), AXIAL, "reference_time"),
    "enhanced converted": (Packed(enhanced_converted, is_legacy=True), SAGITTAL, "content_time"),
}
ALL = LAYOUTS | ENHANCED
