"""DICOM SEG: each segment as a volume of raw values, its frames placed by their position.

Types    BINARY (one bit a voxel), FRACTIONAL (the values as they stand: some archives write codes, not fractions),
         LABELMAP (one frame a slice for all segments). Frames may be cropped, sparse, in any order, overlapping, and
         without references to the images: only PlanePosition and PlaneOrientation say where they lie.
Values   are handed over as found, with how often each occurs; what counts as inside is the decode rule's business.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom

from ingest.imaging.elements import date_of
from ingest.imaging.headers import SEGMENTATIONS
from ingest.imaging.meaning import Code
from ingest.imaging.unreadable import TROUBLE, Unreadable
from tshdb.everyday import refuse_of_machine
from tshdb.geometry import Grid

MAX_VOXELS = 400_000_000


@dataclass(frozen=True)
class Segment:
    """One segment of one file.

    values: (slices, rows, columns), unsigned, as found. reference_uids: series it names. codes: of its type and category.
    algorithm: SegmentAlgorithmType. drawn_on: ContentDate, ISO 8601. is_alone: the file has no other segment.
    """

    sop_uid: str
    number: int
    label: str
    kind: str
    values: np.ndarray
    grid: Grid
    frame_of_reference_uid: str | None
    reference_uids: tuple[str, ...]
    codes: tuple[Code, ...]
    algorithm: str | None
    drawn_on: str | None
    is_alone: bool

    @property
    def histogram(self) -> dict[int, int]:
        """Value -> voxels, 0 left out."""
        distinct, counts = np.unique(self.values[self.values > 0], return_counts=True)
        return {int(v): int(n) for v, n in zip(distinct, counts, strict=True)}


def read(path: Path, problems: list[Unreadable] | None = None) -> list[Segment]:
    """All segments of a file. Raises Unreadable with what is wrong.

    problems: takes what is wrong with single segments, so that the others are read all the same.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        refuse_of_machine(error)
        raise Unreadable("seg.unreadable", f"cannot be read: {error.strerror}") from None
    try:
        dataset = pydicom.dcmread(io.BytesIO(data))
        if str(dataset.get("SOPClassUID")) not in SEGMENTATIONS:
            raise Unreadable("seg.not-seg", "is no DICOM segmentation")
        return _segments(dataset, problems)
    except TROUBLE as error:
        refuse_of_machine(error)
        raise Unreadable("seg.unreadable", f"the segmentation is damaged ({type(error).__name__})") from None


def _segments(dataset: pydicom.Dataset, problems: list[Unreadable] | None) -> list[Segment]:
    n_frames, rows, columns = int(dataset.NumberOfFrames), int(dataset.Rows), int(dataset.Columns)
    if n_frames * rows * columns > MAX_VOXELS:
        raise Unreadable("seg.too-large", f"{n_frames} frames of {rows} x {columns} are more than can be right")
    pixels = dataset.pixel_array.reshape(n_frames, rows, columns)
    shared = dataset.SharedFunctionalGroupsSequence[0] if "SharedFunctionalGroupsSequence" in dataset else None
    frames = [_Frame.of(f, shared) for f in dataset.PerFrameFunctionalGroupsSequence]
    if len(frames) != n_frames:
        raise Unreadable("seg.frames", f"{n_frames} frames, and the places of {len(frames)}")
    orientations = {f.orientation for f in frames}
    if len(orientations) != 1:
        raise Unreadable("seg.orientations", f"frames of {len(orientations)} orientations in one segmentation")
    kind = str(dataset.SegmentationType)
    segments, day = [], date_of(str(dataset.get("ContentDate") or ""))
    for described in dataset.SegmentSequence:
        number = int(described.SegmentNumber)
        if kind == "LABELMAP":
            if number == 0:
                continue  # the background
            own_frames, values = frames, (pixels == number).astype(np.uint8)
        else:
            chosen = [i for i, f in enumerate(frames) if f.segment in (number, None)]
            own_frames, values = [frames[i] for i in chosen], pixels[chosen]
        try:
            grid, volume = _volume(values, own_frames, rows, columns)
        except Unreadable as error:
            if problems is None:
                raise
            problems.append(Unreadable(error.rule, f"segment {number}: {error}"))
            continue
        segments.append(
            Segment(
                str(dataset.SOPInstanceUID), number, str(described.get("SegmentLabel", "")), kind, volume, grid,
                str(dataset.get("FrameOfReferenceUID", "")) or None, _references(dataset), _codes(described),
                str(described.get("SegmentAlgorithmType", "")).strip() or None, day.isoformat() if day else None,
                len(dataset.SegmentSequence) == 1,
            )
        )  # fmt: skip
    return segments


def _codes(described: pydicom.Dataset) -> tuple[Code, ...]:
    """Of type, then category; a code value may stand in CodeValue or LongCodeValue."""
    found = []
    for name in ("SegmentedPropertyTypeCodeSequence", "SegmentedPropertyCategoryCodeSequence"):
        for item in described.get(name) or []:
            value = item.get("CodeValue") or item.get("LongCodeValue") or item.get("URNCodeValue") or ""
            found.append(
                Code(str(value), str(item.get("CodingSchemeDesignator", "")), str(item.get("CodeMeaning", "")))
            )
    return tuple(found)


@dataclass(frozen=True)
class _Frame:
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    spacing: tuple[float, float]
    thickness: float | None
    segment: int | None

    @classmethod
    def of(cls, own: pydicom.Dataset, shared: pydicom.Dataset | None) -> _Frame:
        def group(name: str) -> pydicom.Dataset | None:
            for source in (own, shared):
                if source is not None and name in source and len(source[name].value):
                    return source[name].value[0]
            return None

        place, plane, measures = (
            group(n) for n in ("PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence")
        )
        if place is None or plane is None or measures is None:
            raise Unreadable("seg.no-place", "a frame without position, orientation or spacing cannot be placed")
        segment = group("SegmentIdentificationSequence")
        between = measures.get("SpacingBetweenSlices") or measures.get("SliceThickness")
        return cls(
            tuple(float(v) for v in place.ImagePositionPatient),
            tuple(float(v) for v in plane.ImageOrientationPatient),
            (float(measures.PixelSpacing[0]), float(measures.PixelSpacing[1])),
            float(between) if between else None,
            int(segment.ReferencedSegmentNumber) if segment is not None else None,
        )


def _volume(values: np.ndarray, frames: list[_Frame], rows: int, columns: int) -> tuple[Grid, np.ndarray]:
    """The frames in one stack, by their positions along the normal; slices without a frame are 0."""
    if not frames:
        raise Unreadable("seg.empty", "a segment without frames")
    first = frames[0]
    row, column = np.array(first.orientation[:3]), np.array(first.orientation[3:])
    normal = np.cross(row, column)
    along = np.array([np.array(f.position) @ normal for f in frames])
    steps = np.diff(np.unique(np.round(along, 3)))
    step = float(steps.min()) if len(steps) else (first.thickness or 1.0)
    if first.thickness and len(steps) and abs(step / first.thickness - round(step / first.thickness)) < 0.02:
        step = first.thickness
    index = np.round((along - along.min()) / step).astype(int)
    if (np.abs((along - along.min()) / step - index) > 0.05).any():
        raise Unreadable("seg.uneven", "frames do not lie at even steps along their normal")
    lowest = frames[int(np.argmin(along))]
    n_slices = int(index.max()) + 1
    if n_slices * rows * columns > MAX_VOXELS:
        raise Unreadable("seg.too-large", f"{n_slices} slices of {rows} x {columns} are more than can be right")
    volume = np.zeros((n_slices, rows, columns), np.uint8)
    for i, frame in zip(index, values, strict=True):
        volume[i] = np.maximum(volume[i], frame.astype(np.uint8))
    grid = Grid(
        volume.shape, (step, *first.spacing), tuple(lowest.position), tuple(row.tolist()), tuple(column.tolist()),
        tuple(normal.tolist()),
    )  # fmt: skip
    return grid, volume


def _references(dataset: pydicom.Dataset) -> tuple[str, ...]:
    named = dataset.get("ReferencedSeriesSequence") or []
    return tuple(sorted({str(item.SeriesInstanceUID) for item in named if "SeriesInstanceUID" in item}))
