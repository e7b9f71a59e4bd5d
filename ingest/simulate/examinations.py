"""The images of a simulated patient, in TCIA's folders: dynamic scan, other series, maps and masks of each collection.

TCGA-BRCA    the layout of the patient's site; outlines as .les files (TCGA-Breast-Radiogenomics)
ISPY1        GE, Siemens and Philips layouts in turn; SER and PE maps, enhancement and tissue SEG; an outline in NIfTI, as
             readers published them later
NACT-Pilot   GE, three phases (every tenth: four); the same maps and masks
Around it    a localiser and a T2 stack. Dates are shifted, as the archives' are.
Asked for    another layout of the dynamic scan, another form of the outline (`outlines`), another way of delivery (`deliveries`):
             the same examination.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ingest.simulate import dce_layouts as layouts
from ingest.simulate.breast import Phantom, Scan, scanned, shape_and_geometry
from ingest.simulate.dce_layouts import Layout, SimulatedExamination, Slices, write_examination, write_slices
from ingest.simulate.deliveries import FOLDERS, RESENT, SPLIT, resent
from ingest.simulate.dicom_files import AXIAL, Geometry, clock, write
from ingest.simulate.enhanced_layouts import ALL
from ingest.simulate.files import write_bytes
from ingest.simulate.mask_writers import les_bytes, segmentation
from ingest.simulate.outlines import ARCHIVES, OUTLINES, outline_name
from ingest.simulate.subjects import IMAGE_SITES, Role, SimulationSettings, Subject, stream

ARCHIVE = {Role.RADIOGENOMIC: "TCGA-BRCA", Role.ISPY1: "ISPY1", Role.NACT: "Breast-MRI-NACT-Pilot"}
LES_FOLDER = "TCGA-Breast-Radiogenomics"
SHRINKS = (1.0, 0.8, 0.55, 0.4)  # what is left of the tumour's diameter at T0, T1, T2, T3
VISIT_DAYS = (0, 28, 84, 150)
ENHANCES = 70.0  # % of the archive's enhancement masks
DARKEST = 0.6  # of the 95th percentile before contrast: below, a voxel is no tissue


@dataclass(frozen=True)
class Protocol:
    """How a scanner does it. number: of the (first) dynamic series; name: of the one that maps are made of."""

    layout: Layout
    is_axial: bool
    n_phases: int
    step_s: float
    number: int = 2
    name: str = ""


OF_SITE = {
    "BH": Protocol(layouts.ge_multiphase, True, 5, 75.0),
    "E2": Protocol(layouts.ge_pre_and_post, False, 3, 180.0),
    "OL": Protocol(layouts.philips_ethrive, True, 6, 65.0),
    "EW": Protocol(layouts.siemens_dynviews, True, 4, 120.0),
    "AR": Protocol(layouts.ge_vibrant_subtracted, True, 4, 100.0),
}
OF_ISPY1 = (
    Protocol(layouts.ge_content_time, False, 3, 290.0, 2, "Sagittal-IR_3DFGRE"),
    Protocol(layouts.siemens_separate, False, 3, 300.0, 4, "fl3d_t1_sag_dyn"),
    Protocol(layouts.ge_content_time, False, 3, 290.0, 2, "Sagittal-IR_3DFGRE"),
    Protocol(layouts.philips_temporal_position, False, 6, 90.0, 1001, "BreasFS3DSAG 6DYN"),
    Protocol(layouts.ge_split, False, 3, 290.0, 3, "Sagittal-IR_3DFGRE"),
    Protocol(layouts.siemens_pre_named, False, 3, 300.0, 4, "FL3D_T1_SAG"),
)
OF_NACT = (
    Protocol(layouts.ge_content_time, False, 3, 290.0, 2, "Sagittal-IR_3DFGRE"),
    Protocol(layouts.ge_content_time, False, 4, 200.0, 2, "Sagittal-IR_3DFGRE"),
)


def protocol_of(subject: Subject) -> Protocol:
    """The protocol by which a patient is scanned."""
    if subject.role is Role.RADIOGENOMIC:
        return OF_SITE[IMAGE_SITES[subject.number % len(IMAGE_SITES)]]
    if subject.role is Role.ISPY1:
        return OF_ISPY1[subject.number % len(OF_ISPY1)]
    return OF_NACT[subject.number % 10 == 9]


def laid_out(protocol: Protocol, layout: str | None) -> Protocol:
    """The protocol with another layout than its scanner's, by name; in the orientation in which that is scanned."""
    if layout is None:
        return protocol
    function, orientation, _ = ALL[layout]
    return replace(protocol, layout=function, is_axial=orientation == AXIAL)


def write_images(subject: Subject, settings: SimulationSettings, root: Path) -> list[dict[str, Any]]:
    """Write all examinations of a patient below `root`; gives their truth."""
    return [_write_visit(subject, settings, visit, root) for visit in range(settings.n_visits)]


def planted(
    subject: Subject, settings: SimulationSettings, visit: int
) -> tuple[Protocol, Scan, Phantom, SimulatedExamination]:
    """One examination of a patient as it is scanned, before anything is written."""
    random = stream(settings, subject.role, subject.number, "images", visit)
    protocol = laid_out(protocol_of(subject), settings.layout)
    times = [protocol.step_s * (p - 0.5) for p in range(protocol.n_phases)]  # contrast comes as phase 1 begins
    scan = Scan(protocol.is_axial, subject.clinical["side"], times, settings.voxel_mm, settings.slice_mm)
    shrink = SHRINKS[min(visit, len(SHRINKS) - 1)]
    phantom = scanned(scan, subject.u, subject.clinical["size_mm"], shrink, random)
    first_day = int(random.integers(0, 1_500))
    examination = SimulatedExamination(
        subject.patient_id, f"T{visit}", phantom.volumes, phantom.geometry, _date(first_day, visit),
        36_000.0 + float(random.integers(0, 14_400)), protocol.step_s,
        n_folders=FOLDERS if settings.delivery == SPLIT else 1, extra=_visit_extra(subject.role, visit),
    )  # fmt: skip
    if settings.layout is not None:
        dynamic = next(iter(protocol.layout(examination)))[0]
        protocol = replace(protocol, number=dynamic.number, name=dynamic.description)
    if settings.delivery == RESENT:
        protocol = replace(protocol, layout=resent(protocol.layout))
    return protocol, scan, phantom, examination


def _write_visit(subject: Subject, settings: SimulationSettings, visit: int, root: Path) -> dict[str, Any]:
    protocol, scan, phantom, examination = planted(subject, settings, visit)
    folder = root / ARCHIVE[subject.role]
    n = write_examination(examination, protocol.layout, folder)
    n += write_slices(examination, _localiser(examination), folder)
    n += write_slices(examination, _t2(examination, scan, phantom), folder)
    if subject.role is not Role.RADIOGENOMIC:
        n += _write_maps(examination, protocol, phantom, folder)
    if subject.role is Role.RADIOGENOMIC and settings.outline is None:
        name = f"{subject.patient_id}-S2-{visit + 1}.les"
        write_bytes(root / LES_FOLDER / name, les_bytes(phantom.tumor))
    else:
        n += _write_outline(subject, settings.outline or ARCHIVES, visit, phantom, examination, protocol.layout, root)
    return {"visit": f"T{visit}", "layout": protocol.layout.__name__, "n_phases": protocol.n_phases, "n_files": n,
            **phantom.facts}  # fmt: skip


def _write_outline(
    subject: Subject, form: str, visit: int, phantom: Phantom, examination: SimulatedExamination, layout: Layout, root: Path
) -> int:  # fmt: skip
    """Write the outline, beside the images or among them; gives the number of DICOM files."""
    outline = OUTLINES[form]
    if outline.write is not None:
        path = root / "outlines" / ARCHIVE[subject.role] / outline_name(subject.patient_id, visit, form)
        outline.write(path, phantom.tumor, phantom.geometry)
        return 0
    assert outline.dataset is not None
    drawn_on = next(iter(layout(examination)))[0]
    dataset = outline.dataset(examination, drawn_on, phantom.tumor)
    series = examination.series(int(dataset.SeriesNumber), str(dataset.SeriesDescription), examination.start_s)
    write(dataset, examination.path(series, 1, root / ARCHIVE[subject.role]))
    return 1


def _visit_extra(role: Role, visit: int) -> dict[str, Any]:
    """What a trial writes of the visit; the pilot counts from 1."""
    if role is Role.RADIOGENOMIC:
        return {}
    return {"ClinicalTrialTimePointID": f"T{visit if role is Role.ISPY1 else visit + 1}"}


def _date(first_day: int, visit: int) -> str:
    """A shifted date: only order and intervals mean anything. Months have 28 days here, so that midnight is a day on."""
    month, day = divmod(first_day + VISIT_DAYS[min(visit, 3)] + 28 * 3 * max(visit - 3, 0), 27)
    return f"{1985 + month // 12}{month % 12 + 1:02d}{day + 1:02d}"


def _localiser(e: SimulatedExamination) -> Slices:
    """Three coarse slices in another plane."""
    geometry = Geometry((3.0, 3.0, 30.0), (-150.0, -90.0, -30.0), AXIAL)
    series = e.series(1, "3-PLANE LOC", e.start_s - 300, **layouts.GE, MRAcquisitionType="2D", RepetitionTime=80.0,
                      geometry=geometry)  # fmt: skip
    coarse = e.volumes[0][:: max(1, len(e.volumes[0]) // 3), ::2, ::2][:3]
    for index, pixels in enumerate(coarse):
        yield series, index + 1, index, pixels, {}


def _t2(e: SimulatedExamination, scan: Scan, phantom: Phantom) -> Slices:
    """A fast spin echo, every second slice: fluid and fat bright."""
    series = e.series(9, "T2 FSE FAT SAT", e.start_s - 200, **layouts.GE, MRAcquisitionType="2D", RepetitionTime=4200.0,
                      EchoTime=85.0, ScanningSequence="SE", FlipAngle=90)  # fmt: skip
    _, geometry = shape_and_geometry(scan)
    for index in range(0, len(phantom.volumes[0]), 4):
        pixels = np.clip(1.4 * phantom.volumes[0][index].astype(float), 0, 4_000)
        yield series, index // 4 + 1, index, pixels.astype(np.uint16), {}


# ------------------------------------------------------------------------------------------------- UCSF's maps and masks


def _write_maps(e: SimulatedExamination, protocol: Protocol, phantom: Phantom, folder: Path) -> int:
    """SER and PE as series, enhancement and tissue as SEG, numbered and named as UCSF does."""
    base = protocol.number // 100 if protocol.number > 1000 else protocol.number
    early = 2 if protocol.n_phases >= 6 else 1
    pre, post, last = (phantom.volumes[p].astype(np.float64) for p in (0, early, -1))
    is_tissue = (pre >= DARKEST * np.quantile(pre[phantom.breast], 0.95)) & phantom.breast
    with np.errstate(divide="ignore", invalid="ignore"):
        pe = np.where(is_tissue, 100 * (post - pre) / pre, 0.0)
        ser = np.where(is_tissue & (last > pre), np.clip((post - pre) / (last - pre), 0, 3), 0.0)
    n = 0
    for digits, kind, values in ((1000, "SER", ser * 1000), (1000 + early, f"PE{early}", np.clip(pe, 0, 2000) * 10)):
        series = e.series(base * 10_000 + digits, f"{protocol.name}: {kind}", e.start_s, Manufacturer="UCSF",
                          ImageType=["DERIVED", "SECONDARY"])  # fmt: skip
        n += write_slices(e, _stack(series, values), folder)
    enhances = (pe >= ENHANCES) & (ser >= 0) & phantom.breast
    for digits, name, mask, is_fractional in (
        (2000, f"VOI PE Segmentation thresh={ENHANCES:.0f}", enhances, True),
        (2001, "VOI Breast Tissue Segmentation", is_tissue, False),
    ):
        if mask.any():
            series = e.series(base * 10_000 + digits, f"{protocol.name}: {name}", e.start_s)
            reference = next(iter(protocol.layout(e)))[0].series_uid
            dataset = segmentation(series, mask, name, reference, is_fractional=is_fractional)
            write(dataset, e.path(series, 1, folder))
            n += 1
    return n


def _stack(series, values: np.ndarray) -> Iterator:
    for index, pixels in enumerate(np.rint(values).astype(np.uint16)):
        yield series, index + 1, index, pixels, {"ContentTime": clock(0)}
