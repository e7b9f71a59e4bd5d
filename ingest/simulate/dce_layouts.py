"""How scanners and archives lay out a dynamic examination: which series, which attributes tell the phases apart.

Counted in the IDC index v25 (TCGA-BRCA, ISPY1, Breast-MRI-NACT-Pilot) and seen in the files of the collections; every
layout here is one that `series_roles` and `phase_split` must find again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ingest.simulate.dicom_files import AXIAL, SAGITTAL, Geometry, Series, clock, slice_dataset, write
from ingest.simulate.enhanced_files import enhanced_dataset

GE = {"Manufacturer": "GE MEDICAL SYSTEMS", "ManufacturerModelName": "SIGNA EXCITE"}
SIEMENS = {"Manufacturer": "SIEMENS", "ManufacturerModelName": "Symphony"}
PHILIPS = {"Manufacturer": "Philips Medical Systems", "ManufacturerModelName": "Intera"}


@dataclass(frozen=True)
class SimulatedExamination:
    """One dynamic examination.

    volumes   a (slices, rows, columns) array a phase, in the order of time
    start_s   of phase 0, in seconds since midnight
    step_s    from phase to phase after the first gap, in seconds
    date      StudyDate
    n_folders over which its files are dealt; 1: a folder a series, as TCIA has them
    """

    patient_id: str
    study: str
    volumes: Sequence[np.ndarray]
    geometry: Geometry
    date: str = "20010115"
    start_s: float = 36_000.0
    step_s: float = 90.0
    description: str = "BREAST MRI"
    n_folders: int = 1
    extra: Mapping[str, Any] = field(default_factory=dict)  # attributes of all its files, by keyword

    def starts(self) -> list[float]:
        """When each phase begins, seconds since midnight of the study's date."""
        return [self.start_s + self.step_s * i for i in range(len(self.volumes))]

    def series(
        self, number: int, description: str, start: float, geometry: Geometry | None = None, **extra: Any
    ) -> Series:
        """A series that begins at `start` seconds; geometry: other than the examination's."""
        days, _ = divmod(start, 86_400)
        date = str(int(self.date) + int(days))
        common = {
            "StudyDate": self.date,
            "StudyTime": clock(self.start_s - 600),
            "SeriesDate": date,
            "SeriesTime": clock(start),
            "StudyDescription": self.description,
        }
        place = geometry or self.geometry
        return Series(self.patient_id, self.study, number, description, place, common | dict(self.extra) | extra)

    def path(self, series: Series, instance: int, folder: Path) -> Path:
        """Where a file lies. Dealt over several folders, its name means nothing, and says not even that it is DICOM."""
        examination = f"{self.date}-NA-{series.study_uid[-5:]}"
        if self.n_folders > 1:
            part = f"part-{instance % self.n_folders + 1}"
            return folder / part / series.patient_id / examination / f"{series.series_uid[-8:]}{instance:05d}"
        of_series = f"{series.number}.000000-{series.description.replace('/', '_')}-{series.series_uid[-5:]}"
        return folder / series.patient_id / examination / of_series / f"1-{instance:03d}.dcm"


Slices = Iterator[
    tuple[Series, int, int, np.ndarray, dict[str, Any]]
]  # series, instance, slice, pixels, its attributes
Layout = Callable[[SimulatedExamination], Slices]


@dataclass(frozen=True)
class Packed:
    """A layout whose slices are frames: those of one series and instance number make an enhanced object, in their order."""

    slices: Layout
    is_legacy: bool = False

    def __call__(self, examination: SimulatedExamination) -> Slices:
        return self.slices(examination)

    @property
    def __name__(self) -> str:
        return self.slices.__name__


def write_examination(examination: SimulatedExamination, layout: Layout, folder: Path) -> int:
    """Write all files of an examination in TCIA's folders; gives their number."""
    if isinstance(layout, Packed):
        return _write_objects(examination, layout, folder)
    return write_slices(examination, layout(examination), folder)


def _write_objects(examination: SimulatedExamination, layout: Packed, folder: Path) -> int:
    objects: dict[tuple[str, int], list[tuple]] = {}
    of_series = {}
    for series, instance, index, pixels, own in layout(examination):
        of_series[series.series_uid] = series
        objects.setdefault((series.series_uid, instance), []).append((index, pixels, own))
    for (series_uid, instance), frames in objects.items():
        series = of_series[series_uid]
        path = examination.path(series, instance, folder)
        write(enhanced_dataset(series, instance, frames, is_legacy=layout.is_legacy), path)
    return len(objects)


def write_slices(examination: SimulatedExamination, slices: Slices, folder: Path) -> int:
    """Write files of an examination in TCIA's folders; gives their number."""
    n = 0
    for series, instance, index, pixels, own in slices:
        path = examination.path(series, instance, folder)
        write(slice_dataset(series, instance, index, pixels, **own), path)
        n += 1
    return n


def _blocks(
    examination: SimulatedExamination, series: Series, phases: Sequence[int], of_phase: Callable[[int], dict]
) -> Slices:
    """One phase after the other in one series."""
    instance = 0
    for phase in phases:
        for index, pixels in enumerate(examination.volumes[phase]):
            instance += 1
            yield series, instance, index, pixels, of_phase(phase)


def ge_content_time(e: SimulatedExamination) -> Slices:
    """ISPY1 and NACT, GE: one series; no AcquisitionTime; phases differ in ContentTime alone."""
    extra = GE | {"SequenceName": "3dfgre", "AcquisitionTime": None}
    series = e.series(2, "Sagittal-IR_3DFGRE", e.start_s, **extra)
    starts = e.starts()
    yield from _blocks(
        e,
        series,
        range(len(e.volumes)),
        lambda p: {"ContentTime": clock(starts[p]), "ContentDate": _date(e, starts[p])},
    )


def ge_multiphase(e: SimulatedExamination) -> Slices:
    """TCGA-BRCA, BH: one axial series "MULTIPHASE"; one AcquisitionTime; TriggerTime tells phases apart."""
    series = e.series(
        5, "Ax Vibrant MULTIPHASE", e.start_s, **GE, ContrastBolusAgent="20cc PROHANCE",
        AcquisitionTime=clock(e.start_s), ContentTime=clock(e.start_s),
        ImagesInAcquisition=sum(len(v) for v in e.volumes),
    )  # fmt: skip
    starts = e.starts()
    yield from _blocks(e, series, range(len(e.volumes)), lambda p: {"TriggerTime": (starts[p] - starts[0]) * 1000})


def ge_pre_and_post(e: SimulatedExamination) -> Slices:
    """TCGA-BRCA, E2: one series before contrast, one with all phases after it (AcquisitionTime)."""
    starts = e.starts()

    def times(p: int) -> dict:
        return {"AcquisitionTime": clock(starts[p]), "ContentTime": clock(starts[p]),
                "AcquisitionDate": _date(e, starts[p])}  # fmt: skip

    pre = e.series(6, "SAG 3D (PRE-CONTRAST)", starts[0], **GE)
    post = e.series(7, "SAG 3D (POST-CONTRAST)", starts[1], **GE, ContrastBolusAgent="Yes")
    yield from _blocks(e, pre, [0], times)
    yield from _blocks(e, post, range(1, len(e.volumes)), times)


def ge_split(e: SimulatedExamination) -> Slices:
    """ISPY1, GE: phases split over series of one name, told apart by their times."""
    for p, start in enumerate(e.starts()):
        series = e.series(3 + p, "Sagittal-IR_3DFGRE", start, **GE | {"SequenceName": "3dfgre"})
        times = {"AcquisitionTime": clock(start), "ContentTime": clock(start), "ContentDate": _date(e, start)}
        yield from _blocks(e, series, [p], lambda _, times=times: times)


def ge_vibrant_subtracted(e: SimulatedExamination) -> Slices:
    """TCGA-BRCA, AR: one series VIBRANT, and GE's subtractions of its images, named (exam/series/image)-(…)."""
    starts, per_phase = e.starts(), len(e.volumes[0])
    series = e.series(8, "Ax VIBRANT", starts[0], **GE, AcquisitionTime=clock(starts[0]), ContentTime=clock(starts[0]))
    yield from _blocks(e, series, range(len(starts)), lambda p: {"TriggerTime": (starts[p] - starts[0]) * 1000})
    for p in range(1, len(starts)):
        name = f"(297/8/{1 + p * per_phase})-(297/8/1)"
        derived = e.series(800 + p, name, starts[p], **GE, ImageType=["DERIVED", "SECONDARY", "COMBINED"])
        yield from _difference(e, derived, p)


def ge_bound_halves(e: SimulatedExamination) -> Slices:
    """TCGA-BRCA, AO: each phase of each side in a series of its own, bound by GE's software; nothing fat-suppressed first."""
    starts, half = e.starts(), len(e.volumes[0]) // 2
    for p, start in enumerate(starts):
        times = {"AcquisitionTime": clock(start), "ContentTime": clock(start), "AcquisitionDate": _date(e, start)}
        for side, slices in enumerate((range(half), range(half, len(e.volumes[0])))):
            number = 102 + 2 * p + side
            name = f"Bind(5531/{3 + p}/{slices[0] + 1}..{slices[-1] + 1})"
            series = e.series(number, name, start, **GE)
            for instance, index in enumerate(slices, 1):
                yield series, instance, index, e.volumes[p][index], times


def _difference(e: SimulatedExamination, series: Series, p: int, **own: Any) -> Slices:
    """The subtraction of phase 0 from phase p."""
    difference = np.clip(e.volumes[p].astype(int) - e.volumes[0], 0, 65_535)
    for index, pixels in enumerate(difference):
        yield series, index + 1, index, pixels, own


def siemens_separate(e: SimulatedExamination) -> Slices:
    """ISPY1, Siemens: one series a phase, all of one name."""
    for p, start in enumerate(e.starts()):
        series = e.series(4 + p, "fl3d_t1_sag_dyn", start, **SIEMENS, SequenceName="*fl3d1")
        times = {"AcquisitionTime": clock(start), "ContentTime": clock(start), "AcquisitionDate": _date(e, start)}
        yield from _blocks(e, series, [p], lambda _, times=times: times)


def siemens_pre_named(e: SimulatedExamination) -> Slices:
    """ISPY1, Siemens: the scans after contrast have a name of their own."""
    for p, start in enumerate(e.starts()):
        name = "FL3D_T1_SAG" if p == 0 else "FL3D_T1_SAG_CA"
        series = e.series(4 + p, name, start, **SIEMENS, SequenceName="*fl3d1")
        times = {"AcquisitionTime": clock(start), "ContentTime": clock(start), "AcquisitionDate": _date(e, start)}
        yield from _blocks(e, series, [p], lambda _, times=times: times)


def siemens_dynviews(e: SimulatedExamination) -> Slices:
    """TCGA-BRCA, EW: AX_dynVIEWS before and minutes after contrast, with subtractions beside them."""
    starts = e.starts()
    for p, start in enumerate(starts):
        name = "AX_dynVIEWS PRE" if p == 0 else f"AX_dynVIEWS {round((start - starts[0]) / 60) or 1} MIN"
        series = e.series(4 + 2 * p, name, start, **SIEMENS)
        times = {"AcquisitionTime": clock(start), "ContentTime": clock(start), "AcquisitionDate": _date(e, start)}
        yield from _blocks(e, series, [p], lambda _, times=times: times)
        if p:
            kind = {"ImageType": ["DERIVED", "SECONDARY", "SUB"]}
            yield from _difference(e, e.series(5 + 2 * p, f"{name}_SUB", start, **SIEMENS, **kind), p, **times)


def philips_temporal_position(e: SimulatedExamination) -> Slices:
    """ISPY1 and TCGA-BRCA, Philips: one series; TemporalPositionIdentifier, phases interleaved by slice."""
    starts = e.starts()
    n = len(e.volumes)
    series = e.series(1001, "BreasFS3DSAG 6DYN", e.start_s, **PHILIPS, NumberOfTemporalPositions=n,
                      AcquisitionTime=clock(e.start_s), ContentTime=clock(e.start_s + n * e.step_s))  # fmt: skip
    instance = 0
    for index in range(len(e.volumes[0])):
        for p in range(n):
            instance += 1
            own = {"TemporalPositionIdentifier": p + 1, "TriggerTime": (starts[p] - starts[0]) * 1000}
            yield series, instance, index, e.volumes[p][index], own


def philips_ethrive(e: SimulatedExamination) -> Slices:
    """TCGA-BRCA, OL: the same with the name of the axial scan."""
    for series, instance, index, pixels, own in philips_temporal_position(e):
        yield replace(series, number=501, description="dyn_eTHRIVE"), instance, index, pixels, own


def philips_trigger_time(e: SimulatedExamination) -> Slices:
    """Philips without temporal positions: TriggerTime alone."""
    for series, instance, index, pixels, own in philips_temporal_position(e):
        yield series, instance, index, pixels, {"TriggerTime": own["TriggerTime"]}


def acquisition_number(e: SimulatedExamination) -> Slices:
    """One series without any clock: AcquisitionNumber counts the phases."""
    series = e.series(3, "T1 dynamic", e.start_s, **SIEMENS)
    yield from _blocks(e, series, range(len(e.volumes)), lambda p: {"AcquisitionNumber": p + 1})


def instance_blocks(e: SimulatedExamination) -> Slices:
    """One series without any clock: InstanceNumber runs through one phase after the other."""
    series = e.series(3, "T1 dynamic", e.start_s, **SIEMENS)
    yield from _blocks(e, series, range(len(e.volumes)), lambda _: {})


def instance_interleaved(e: SimulatedExamination) -> Slices:
    """One series without any clock: InstanceNumber runs through all phases of a slice."""
    for series, instance, index, pixels, _ in philips_temporal_position(e):
        bare = replace(series, description="T1 dynamic", extra={**series.extra, "NumberOfTemporalPositions": None,
                       "AcquisitionTime": None, "ContentTime": None})  # fmt: skip
        yield bare, instance, index, pixels, {}


def _date(e: SimulatedExamination, seconds: float) -> str:
    """The day of a time, when the examination runs past midnight."""
    return str(int(e.date) + int(seconds // 86_400))


LAYOUTS: dict[str, tuple[Layout, tuple[float, ...], str]] = {
    # name -> the layout, the orientation it is scanned in, the key by which phases must be told apart
    "ge content time": (ge_content_time, SAGITTAL, "content_time"),
    "ge multiphase": (ge_multiphase, AXIAL, "trigger_time"),
    "ge pre and post": (ge_pre_and_post, SAGITTAL, "series_time+acquisition_time"),
    "ge split": (ge_split, SAGITTAL, "series_time"),
    "ge vibrant": (ge_vibrant_subtracted, AXIAL, "trigger_time"),
    "siemens separate": (siemens_separate, SAGITTAL, "series_time"),
    "siemens pre named": (siemens_pre_named, SAGITTAL, "series_time"),
    "siemens dynviews": (siemens_dynviews, AXIAL, "series_time"),
    "philips temporal position": (philips_temporal_position, SAGITTAL, "temporal_position"),
    "philips ethrive": (philips_ethrive, AXIAL, "temporal_position"),
    "philips trigger time": (philips_trigger_time, SAGITTAL, "trigger_time"),
    "acquisition number": (acquisition_number, AXIAL, "acquisition_number"),
    "instance blocks": (instance_blocks, AXIAL, "instance_blocks"),
    "instance interleaved": (instance_interleaved, AXIAL, "instance_interleaved"),
}
