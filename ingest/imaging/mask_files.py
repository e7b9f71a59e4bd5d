"""Masks in files of their own: NIfTI, NRRD, MetaImage, .les; whose they are, and their rows.

Whose    a sheet (csv: file, patient_id; optional study_uid or time_point, kind, region, label) says it; without one, the
         name of the file or of its folder must hold the identifier of exactly one patient of the study.
"""

from __future__ import annotations

import gzip
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ingest.imaging import les
from ingest.imaging.headers import Unreadable
from ingest.imaging.masks import Named, row_of_volume
from tshdb.errors import InvalidInput, NotFound
from tshdb.file_content import FileContent, Record
from tshdb.geometry import Grid
from tshdb.objects import VOXELS, sha256_of
from tshdb.readers import Examination
from tshdb.schema import Segmentation
from tshdb.text_files import open_table
from tshdb.vocabulary import MaskKind, MaskRegion

FORMATS = {".nii": "nifti", ".nii.gz": "nifti", ".nrrd": "nrrd", ".nhdr": "nrrd", ".mha": "metaimage", ".les": "les"}
MAX_BYTES = 2 << 30
SHEET = ("file", "patient_id")


@dataclass(frozen=True)
class MaskFileOptions:
    """What masks are taken for, where a sheet does not say it; les_base, les_order: see `les`."""

    collection: str
    kind: MaskKind = MaskKind.OTHER
    region: MaskRegion = MaskRegion.TUMOR
    label: int | None = None
    les_base: int = 1
    les_order: str | None = None
    sheet: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def format_of(path: Path) -> str | None:
    """nifti, nrrd, metaimage or les; None for what is no mask."""
    name = path.name.lower()
    return next((f for suffix, f in FORMATS.items() if name.endswith(suffix)), None)


def files_of(path: Path) -> list[Path]:
    """The masks at a path, a file or a folder, by name; there may be none. Raises NotFound for no such path."""
    if not path.exists():
        raise NotFound("no such file or folder", where=str(path))
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return [p for p in files if format_of(p) is not None and not p.name.startswith(".")]


def read_sheet(path: Path) -> dict[str, dict[str, str]]:
    """file name -> its row. Raises NotFound or InvalidInput."""
    if not path.is_file():
        raise NotFound("no such file", where=str(path))
    content = FileContent()
    with open_table(path, content, "mask.sheet") as table:
        missing = [c for c in SHEET if c not in table.header]
        if missing:
            raise InvalidInput(
                f"no column {', '.join(missing)}", where=f"{path}:{table.line}", repair=f"Expected {','.join(SHEET)}"
            )
        rows = [dict(zip(table.header, map(str.strip, fields), strict=True)) for _, fields in table.rows]
    if content.errors:
        raise InvalidInput(content.errors[0].message, where=f"{path}:{content.errors[0].line}", repair="Mend the row")
    return {row["file"]: row for row in rows}


def read(path: Path, examinations: Sequence[Examination], options: MaskFileOptions) -> FileContent:
    """The mask of one file, with its object; findings instead of a row where it cannot be taken."""
    content = FileContent()
    try:
        sheet_row = options.sheet.get(path.name, {})
        study_uid = _study_of(path, sheet_row, examinations)
        what = Named(
            MaskRegion(sheet_row.get("region") or options.region), MaskKind(sheet_row.get("kind") or options.kind)
        )
        label = int(sheet_row["label"]) if sheet_row.get("label") else options.label
        format_ = format_of(path)
        sha256 = sha256_of(path)
        name = f"{options.collection}/{path.name}"
        if format_ == "les":
            lesion = les.read(path, base=options.les_base, order=options.les_order)
            what = Named(MaskRegion.TUMOR, MaskKind.LES)
            row, voxels = row_of_volume(
                name, study_uid, lesion.values, lesion.grid, what, format=format_, label=None, sha256=sha256,
                flags=[f"voxels in order {lesion.voxel_order}, header {lesion.header_order}", *lesion.flags],
                is_index_grid=True,
            )  # fmt: skip
        else:
            values, grid = _volume(path)
            row, voxels = row_of_volume(
                name, study_uid, values, grid, what, format=format_, label=label, sha256=sha256, flags=[]
            )
        if row["n_voxels"] == 0:
            content.warn(None, None, path.name, "mask.empty", "no voxel is inside")
        content.records.append(Record(Segmentation, row, 0))
        content.objects.append((VOXELS, voxels))
    except Unreadable as error:
        content.withhold(None, None, path.name, error.rule, str(error))
    except ValueError as error:
        content.withhold(None, None, path.name, "mask.sheet", str(error))
    return content


def _study_of(path: Path, sheet_row: Mapping[str, str], examinations: Sequence[Examination]) -> str:
    """The examination that a mask belongs to."""
    if sheet_row.get("study_uid"):
        matching = [e for e in examinations if e.study_uid == sheet_row["study_uid"]]
    else:
        patient = sheet_row.get("patient_id") or _patient_in(path, {e.patient_id for e in examinations})
        matching = [e for e in examinations if e.patient_id == patient]
        if sheet_row.get("time_point"):
            matching = [e for e in matching if e.time_point == sheet_row["time_point"]]
        elif len(matching) > 1:
            matching = [e for e in matching if e.time_point == "T0"]
    if len(matching) != 1:
        raise Unreadable(
            "mask.no-study", "the study has no such examination; ingest its images first, or name it in a sheet"
        )
    return matching[0].study_uid


def _patient_in(path: Path, patients: set[str]) -> str:
    for text in (path.name, path.parent.name):
        matching = {p for p in patients if re.search(rf"(?<![A-Za-z0-9]){re.escape(p)}(?![A-Za-z0-9])", text)}
        if len(matching) == 1:
            return matching.pop()
    raise Unreadable("mask.no-patient", "its name holds no patient of the study, or several: name it in a sheet")


def _volume(path: Path) -> tuple[np.ndarray, Grid]:
    """Voxels and grid of an image file. Raises Unreadable for what is damaged, not whole numbers, or too large."""
    import SimpleITK as sitk

    _check_whole(path)
    try:
        reader = sitk.ImageFileReader()
        reader.SetFileName(str(path))
        reader.ReadImageInformation()
        n = int(np.prod([float(s) for s in reader.GetSize()]))
        if n * 8 > MAX_BYTES or reader.GetDimension() != 3:
            raise Unreadable(
                "mask.shape", f"{reader.GetDimension()} dimensions, {n:,} voxels: expected one volume of a breast"
            )
        image = reader.Execute()
    except RuntimeError:
        raise Unreadable("mask.unreadable", "the file is damaged or not what its name says") from None
    values = sitk.GetArrayFromImage(image)
    if not np.isfinite(values).all() or (values < 0).any() or (values != np.round(values)).any() or values.max() > 255:
        raise Unreadable("mask.values", "values that are no labels: expected whole numbers from 0 to 255")
    direction = np.array(image.GetDirection()).reshape(3, 3)
    if not np.allclose(direction.T @ direction, np.eye(3), atol=1e-3):
        raise Unreadable("mask.direction", "axes that are not at right angles")
    columns, rows, slices = image.GetSpacing()
    grid = Grid(
        values.shape, (slices, rows, columns), image.GetOrigin(),
        tuple(direction[:, 0]), tuple(direction[:, 1]), tuple(direction[:, 2]),
    )  # fmt: skip
    return values.astype(np.uint8), grid


def _check_whole(path: Path) -> None:
    """A NIfTI file that is shorter than its header says is filled up silently by readers: it is refused here."""
    if not path.name.lower().endswith((".nii", ".nii.gz")):
        return
    try:
        data = gzip.decompress(path.read_bytes()) if path.name.lower().endswith(".gz") else path.read_bytes()
    except (OSError, EOFError, ValueError) as error:
        raise Unreadable("mask.unreadable", f"the packed file is cut or damaged ({type(error).__name__})") from None
    if len(data) < 348:
        raise Unreadable("mask.unreadable", "shorter than a NIfTI header")
    order = "<" if struct.unpack("<i", data[:4])[0] == 348 else ">"
    n_axes, *sides = struct.unpack(f"{order}8h", data[40:56])
    (bits,) = struct.unpack(f"{order}h", data[72:74])
    (offset,) = struct.unpack(f"{order}f", data[108:112])
    expected = int(offset) + int(np.prod([max(s, 1) for s in sides[: max(n_axes, 0)]], dtype=float)) * bits // 8
    if len(data) < expected:
        raise Unreadable("mask.unreadable", f"{len(data):,} bytes, {expected:,} were announced: fetch it again")
