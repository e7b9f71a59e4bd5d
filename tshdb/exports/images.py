"""Examinations for programs of images: NIfTI of phases, segmentations and regions; and what both kinds of image export share.

Grids    scanned: that of the scanner's slices, on which phases and segmentations lie; prepared: the study's voxel size, on which
         features were computed, with the regions of the tumour, the breast and the stroma.
Places   mm in the patient. NIfTI counts to the right, to the front and up (RAS), DICOM to the left, to the back and up (LPS).
"""

from __future__ import annotations

import csv
import errno
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from tshdb.errors import ResourceError, TshdbError
from tshdb.everyday import REPAIRS
from tshdb.exports.record import Column, File, Job, Missing, Written
from tshdb.figures.examinations import tables_of
from tshdb.images.known_bytes import PixelsGone
from tshdb.images.mask_volumes import grid_of_phases, on_images
from tshdb.images.pixels import read_volume
from tshdb.objects import VOXELS
from tshdb.places import page_of_patient
from tshdb.vocabulary import MaskStatus

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from tshdb.geometry import Grid

GONE = "a file of its images is not where it was read, or has other bytes by now: ingest the images again"
REGIONS = (  # table, name of the file, what it is
    ("breast_masks", "breast", "the breast, without skin and chest wall"),
    ("tumor_masks", "tumor", "the tumour"),
    ("stroma_bands", "stroma", "the band around the tumour, inside the breast"),
)
LIST = "images.csv"
OF_LIST = (
    Column("file", "text", "below this folder"),
    Column("patient_id", "text", "whose it is"),
    Column("collection", "text", "the archive's collection"),
    Column("time_point", "text", "T0, T1 …: the patient's examinations in the order of time"),
    Column("study_uid", "text", "StudyInstanceUID"),
    Column("what", "text", "phase, segmentation, prepared (an image at the study's voxel size) or region"),
    Column(
        "name", "text", "of a phase its role, of a prepared image S0, intermediate or last, of a region which it is"
    ),
    Column("grid", "text", "scanned or prepared: files of one examination and grid lie voxel on voxel"),
    Column("phase_index", "whole number", "0 is before contrast"),
    Column("t_seconds", "number", "seconds from the start of phase 0 to the start of the phase"),
    Column("segmentation_id", "text", "of a segmentation"),
    Column("region", "text", "of a segmentation: tumor, breast, enhancement or other"),
    Column("kind", "text", "who or what drew it"),
    Column("label", "text", "what its file calls it"),
    Column("voxels", "text", "what a voxel is: the scanner's units, or 1 inside and 0 outside"),
)


@dataclass
class Scanned:
    """One examination as it was scanned. files: phase -> its slices; inside: (row of segmentations, (slices, rows, columns))."""

    facts: dict[str, Any]
    phases: pd.DataFrame
    instances: pd.DataFrame
    grid: Grid | None = None
    files: list[list[Any]] = field(default_factory=list)
    inside: list[tuple[Any, np.ndarray]] = field(default_factory=list)
    refused: list[Missing] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.facts['patient_id']} {self.facts['time_point']}"

    @property
    def whose(self) -> dict[str, Any]:
        """What every row of a list says of the examination."""
        return {name: self.facts[name] for name in ("patient_id", "collection", "time_point", "study_uid")}

    @property
    def folder(self) -> str:
        """Of its files, below that of the export."""
        return f"{page_of_patient(self.facts['patient_id']).removesuffix('.html')}/{self.facts['time_point']}"


def examinations(job: Job) -> list[dict[str, Any]]:
    """The examinations with MR of the chosen patients: whose they are, and whether they fell into phases, or why not."""
    from tshdb.tables.rows import records

    rows = job.study.sql(
        "SELECT s.study_uid, s.patient_id, s.collection, s.time_point, d.status, d.reason FROM imaging_studies s "
        "LEFT JOIN dce_sets d USING (study_uid) WHERE s.time_point IS NOT NULL AND list_contains($patients, s.patient_id) "
        "ORDER BY s.patient_id, s.time_point, s.study_uid",
        {"patients": list(job.chosen.patients)},
    )
    return records(rows)


def scanned(job: Job, facts: dict[str, Any]) -> Scanned:
    """An examination with its segmentations on the scanner's grid; those that do not lie there are told in `refused`."""
    of = tables_of(job.study, facts["study_uid"])
    found = Scanned(facts, of("dce_phases").sort_values("phase_index"), of("imaging_instances"))
    slices = of("dce_slices")
    if not len(slices) or not len(found.phases):
        why = facts["reason"] or "not split into phases: see what is due (tshdb plan)"
        found.refused.append(Missing(f"{found.name}: phases", why))
        return found
    found.instances["path"] = [str(job.study.paths.at(path)) for path in found.instances["path"]]
    found.grid, found.files = grid_of_phases(slices, found.instances, of("imaging_series"))
    known = of("masks").set_index("segmentation_id")
    for row in of("segmentations").sort_values("segmentation_id").itertuples():
        what = f"{found.name}: segmentation {row.label or row.region} ({row.kind})"
        if row.segmentation_id not in known.index:
            found.refused.append(Missing(what, "not held against the images: see what is due (tshdb plan)"))
            continue
        state = known.loc[row.segmentation_id]
        if state["status"] != MaskStatus.FITS:
            words = (str(word) for word in (state["differences"], state["repair"], state["qc_flags"]) if word)
            found.refused.append(Missing(what, f"{state['status']}: {'; '.join(words)}"))
            continue
        try:
            path = job.study.objects.verified(row.object_id, VOXELS)
            laid = on_images(SimpleNamespace(**row._asdict(), object_path=str(path)), found.grid, found.files)
        except TshdbError as error:
            found.refused.append(Missing(what, str(error)))
            continue
        found.inside.append((row, laid >= row.min_value))
    return found


def without_paths(error: Exception, examination: Scanned) -> str:
    """What was found wrong, without the places of files on this machine."""
    text = " ".join(str(error).split())
    for path in sorted(set(examination.instances["path"]), key=len, reverse=True):
        text = text.replace(path, "an image")
    return text


# -------------------------------------------------------------------------------------------------------------- NIfTI


def write_nifti(job: Job) -> Written:
    """A folder for each examination, and images.csv, which says what each file is."""
    done = Written()
    rows: list[dict[str, Any]] = []
    found = examinations(job)
    for i, facts in enumerate(found, 1):
        examination = scanned(job, facts)
        (job.folder / examination.folder).mkdir(parents=True, exist_ok=True)
        done.missing += examination.refused
        for each in (
            *_phases(job, examination, done),
            *_segmentations(job, examination),
            *_prepared(job, examination, done),
        ):
            rows.append(examination.whose | each)
        job.progress("nifti", i, len(found))
    for folder in sorted(job.folder.rglob("*"), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    if rows:
        write_list(job.folder / LIST, OF_LIST, rows)
        done.files.append(File(LIST, "one image file", len(rows), OF_LIST))
        done.files += [File(row["file"], _about(row)) for row in rows]
    done.notes += [
        "Voxels are the scanner's values (32-bit floats), or 1 inside and 0 outside (8 bits).",
        "Places are in mm; NIfTI keeps them as 32-bit floats. The axes of a file run as those of the scanned slices.",
        f"{LIST} says of each file whose it is, what it shows, and on which of the two grids of its examination it lies.",
    ]
    done.left_out += [
        "examinations without MR, and series that are not of the dynamic scan",
        "names, dates and all else that DICOM headers say",
    ]
    return done


def _phases(job: Job, examination: Scanned, done: Written) -> Iterator[dict[str, Any]]:
    facts = {row.phase_index: row for row in examination.phases.itertuples()}
    try:
        for number, files in enumerate(examination.files):
            volume = read_volume([file.image for file in files])
            row = facts[number]
            yield {
                "file": _write(job, examination, f"phase-{number:02d}", volume, examination.grid), "what": "phase",
                "name": row.role, "grid": "scanned", "phase_index": number, "t_seconds": row.t_seconds,
                "voxels": "the scanner's units",
            }  # fmt: skip
    except PixelsGone:
        done.missing.append(Missing(f"{examination.name}: phases", GONE))
    except ValueError as error:
        done.missing.append(Missing(f"{examination.name}: phases", without_paths(error, examination)))


def _segmentations(job: Job, examination: Scanned) -> Iterator[dict[str, Any]]:
    for number, (row, inside) in enumerate(examination.inside, 1):
        yield {
            "file": _write(job, examination, f"segmentation-{number:02d}", inside, examination.grid), "what": "segmentation",
            "grid": "scanned", "segmentation_id": row.segmentation_id, "region": row.region, "kind": row.kind,
            "label": row.label, "voxels": "1 inside, 0 outside",
        }  # fmt: skip


def _prepared(job: Job, examination: Scanned, done: Written) -> Iterator[dict[str, Any]]:
    of = tables_of(job.study, examination.facts["study_uid"])
    for row in of("prepared_images").itertuples():
        yield from _of_object(job, examination, done, f"prepared-{row.image}", row.object_id, {
            "what": "prepared", "name": row.image, "grid": "prepared", "phase_index": row.phase_index,
            "voxels": "the scanner's units",
        })  # fmt: skip
    regions = [(name, row.object_id) for table, name, _ in REGIONS for row in of(table).itertuples()]
    regions += [(f"lesion-{row.lesion}", row.object_id) for row in of("lesions").itertuples()]
    regions += [(f"stroma-of-lesion-{row.lesion}", row.object_id) for row in of("lesion_bands").itertuples()]
    for name, object_id in regions:
        if object_id:
            yield from _of_object(job, examination, done, f"region-{name}", object_id, {
                "what": "region", "name": name, "grid": "prepared", "voxels": "1 inside, 0 outside",
            })  # fmt: skip


def _of_object(
    job: Job, examination: Scanned, done: Written, name: str, object_id: str, facts: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """A file of an object of the study."""
    import SimpleITK as sitk

    from tshdb.images.prepared import grid_of, read

    try:
        image = read(job.study.objects.verified(object_id, VOXELS))
    except TshdbError as error:
        done.missing.append(Missing(f"{examination.name}: {name}", str(error)))
        return
    values = sitk.GetArrayFromImage(image)
    yield {
        "file": _write(job, examination, name, values > 0 if facts["what"] == "region" else values, grid_of(image))
    } | facts


def _write(job: Job, examination: Scanned, name: str, values: np.ndarray, grid: Grid | None) -> str:
    """Write one image. Gives its path below the folder."""
    import numpy as np
    import SimpleITK as sitk

    from tshdb.images.prepared import image_on

    assert grid is not None
    kind = np.uint8 if values.dtype == bool else np.float32
    below = f"{examination.folder}/{name}.nii.gz"
    sitk.WriteImage(image_on(values.astype(kind), grid), str(job.folder / below), useCompression=True)
    if _unpacked_size(job.folder / below) < values.size * np.dtype(kind).itemsize:
        raise ResourceError("the image was not written whole", where=below, repair=REPAIRS[errno.ENOSPC])
    return below


def _unpacked_size(path: Path) -> int:
    """How many bytes are packed in a file, 0 where it is cut: what writes NIfTI does not say that a disk is full."""
    n = 0
    try:
        with gzip.open(path) as file:
            while part := file.read(1 << 20):
                n += len(part)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return 0
    return n


def _about(row: dict[str, Any]) -> str:
    """What a file is, in words."""
    if row["what"] == "segmentation":
        return f"a segmentation: {row['region']}, {row['kind']}"
    if row["what"] == "phase":
        return f"the phase {row['phase_index']} ({row['name']})"
    regions = {name: words for _, name, words in REGIONS}
    return (
        f"the prepared image {row['name']}"
        if row["what"] == "prepared"
        else f"a region: {regions.get(row['name'], row['name'])}"
    )


def write_list(path: Path, columns: tuple[Column, ...], rows: list[dict[str, Any]]) -> None:
    """A CSV with a row a file; what is missing is nothing."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([column.name for column in columns])
        for row in rows:
            values = [row.get(column.name) for column in columns]
            writer.writerow(["" if value is None or value != value else value for value in values])
