"""Masks in files of their own: NIfTI, NRRD (also 3D Slicer's .seg.nrrd), MetaImage, .les; and their rows.

Whose    `mask_owner`: a sheet (`mask_sheet`) says it, else its path and its grid.
Which    `mask_labels`: the voxels of one label, by number or name.
Key      collection, examination (of one patient), path within what was delivered, label. A path is part of the key, and nothing
         else: which of several masks is believed never hangs on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ingest.imaging import les
from ingest.imaging.detached import beside, data_file
from ingest.imaging.mask_labels import Part, Volume, parts_of
from ingest.imaging.mask_owner import Grids, examination_of, texts_of
from ingest.imaging.mask_sheet import Row, day_of, lesion_of, region_and_kind
from ingest.imaging.masks import row_of
from ingest.imaging.meaning import Named
from ingest.imaging.unreadable import Unreadable
from ingest.imaging.whole_files import check_whole
from tshdb import dated
from tshdb.errors import NotFound
from tshdb.file_content import FileContent, Record
from tshdb.geometry import Grid
from tshdb.objects import VOXELS, whole_digest
from tshdb.places import entries_below
from tshdb.readers import Examination
from tshdb.schema import Segmentation
from tshdb.vocabulary import MaskKind, MaskRegion

FORMATS = {
    ".nii": "nifti",
    ".nii.gz": "nifti",
    ".nrrd": "nrrd",
    ".nhdr": "nrrd",
    ".mha": "metaimage",
    ".mhd": "metaimage",
    ".les": "les",
}
MAX_BYTES = 2 << 30


@dataclass(frozen=True)
class MaskFileOptions:
    """What masks are taken for, where a sheet does not say it; les_base, les_order: see `les`.

    name: of the source, the path within what was delivered; the file's own where it is empty.
    rows: of the sheet, of this file.
    as_of: the day on which they were drawn.
    """

    collection: str
    kind: MaskKind = MaskKind.OTHER
    region: MaskRegion = MaskRegion.TUMOR
    label: str | None = None
    les_base: int = 1
    les_order: str | None = None
    name: str = ""
    rows: tuple[Row, ...] = ()
    as_of: str | None = None


def format_of(name: str) -> str | None:
    """nifti, nrrd, metaimage or les, by a file's name; None for what is no mask."""
    return next((f for suffix, f in FORMATS.items() if name.lower().endswith(suffix)), None)


def files_of(path: Path) -> list[Path]:
    """The masks at a path, a file or a folder, by name; there may be none. Raises NotFound for no such path."""
    if not path.exists():
        raise NotFound("no such file or folder", where=str(path))
    if path.is_file():
        return [path] if _is_mask(path.name) else []
    return [Path(entry.path) for entry in entries_below(path) if _is_mask(entry.name) and entry.is_file()]


def _is_mask(name: str) -> bool:
    return not name.startswith(".") and format_of(name) is not None


def _no_grids(study_uid: str) -> Sequence[Grid]:
    return ()


def read(
    path: Path, examinations: Sequence[Examination], options: MaskFileOptions, grids: Grids = _no_grids
) -> FileContent:
    """The masks of one file, with their objects; findings instead of rows where they cannot be taken.

    grids: study_uid -> the grids of its series, asked for where a patient was examined several times.
    """
    content, shown = FileContent(), options.name or path.name
    n_rows = max(1, len(options.rows))
    try:
        data_file(path)  # or it is refused, before anything is opened
        found = _les(path, options) if format_of(path.name) == "les" else _volume(path)
        sha256 = whole_digest(path, beside(path))
    except Unreadable as error:
        content.withhold(None, None, shown, error.rule, str(error), n_rows)
        return content
    taken: set[str] = set()
    for row in options.rows or ({},):
        try:
            _take(path, row, found, sha256, examinations, options, grids, content, taken)
        except Unreadable as error:
            content.withhold(None, None, shown, error.rule, str(error))
    return content


def _take(path, row: Row, found, sha256: str, examinations, options: MaskFileOptions, grids, content, taken) -> None:
    """The masks that one row of the sheet names, or that a file without a sheet holds."""
    name = options.name or path.name
    is_les = isinstance(found, les.Lesion)
    texts = texts_of(name, path)
    examination, flags = examination_of(texts, row, examinations, None if is_les else found.grid, grids)
    for flag in flags:
        content.warn(None, None, name, "mask.examination", flag)
    region, kind = region_and_kind(row)
    day = day_of(row) or options.as_of or dated.in_name(Path(path.name))
    common = {"path": name, "sha256": sha256, "drawn_on": day}
    start = f"{options.collection}/{examination.study_uid}/{name}"
    if is_les:
        what = Named(MaskRegion.TUMOR, MaskKind.LES, "a lesion file of the University of Chicago")
        made = [
            row_of(
                f"{start}#1", examination.study_uid, found.values, found.grid, what, format="les", segment=1,
                rule="non-zero", is_index_grid=True, lesion=lesion_of(row) or les.lesion_in(path.name),
                flags=[f"voxels in order {found.voxel_order}, header {found.header_order}", *found.flags, *flags], **common,
            )
        ]  # fmt: skip
    else:
        made = []
        parts = parts_of(found, row.get("label") or options.label)
        for part in parts:
            what = _what(part, region, kind, options)
            made.append(
                row_of(
                    f"{start}#{part.key}", examination.study_uid, part.values, found.grid, what,
                    format=format_of(path.name), segment=part.number, label=part.name, rule=part.rule, lesion=lesion_of(row),
                    flags=list(flags), **common,
                )
            )  # fmt: skip
            is_meant = what.region is MaskRegion.TUMOR or (region is None and part.region is MaskRegion.OTHER)
            if is_meant and (why := what.unused("say --kind manual or expert, or the column kind of the sheet")):
                content.warn(
                    None, None, name, "mask.not-used", f"{part.rule} is kept and not used as an outline: {why}"
                )
    for values, voxels in made:
        if values["segmentation_id"] in taken:
            raise Unreadable("mask.sheet", f"two rows of the sheet are of one mask (label {values['segment']})")
        taken.add(values["segmentation_id"])
        if values["n_voxels"] == 0:
            content.warn(None, None, name, "mask.empty", f"{values['decode_rule']}: no voxel is inside")
        content.records.append(Record(Segmentation, values, 0))
        content.objects.append((VOXELS, voxels))


def _what(part: Part, region: MaskRegion | None, kind: MaskKind | None, options: MaskFileOptions) -> Named:
    """The sheet goes first, then what the file calls it, then what the person says of all."""
    who = kind or options.kind
    if region is not None:
        return Named(region, who, "the sheet")
    if part.region is not None:
        if part.region is MaskRegion.BREAST and who is MaskKind.OTHER:
            who = MaskKind.TISSUE
        return Named(part.region, who, part.evidence)
    return Named(options.region, who, "the sheet" if kind else "as it was ingested")


def _les(path: Path, options: MaskFileOptions) -> les.Lesion:
    return les.read(path, base=options.les_base, order=options.les_order)


def _volume(path: Path) -> Volume:
    """Voxels, grid and keys of an image file. Raises Unreadable for what is damaged, not whole numbers, or too large."""
    import SimpleITK as sitk

    check_whole(path)
    try:
        reader = sitk.ImageFileReader()
        reader.SetFileName(str(path))
        reader.ReadImageInformation()
        n = int(np.prod([float(s) for s in reader.GetSize()]))
        layers = reader.GetNumberOfComponents()
        if n * layers * 8 > MAX_BYTES or reader.GetDimension() != 3:
            raise Unreadable(
                "mask.shape", f"{reader.GetDimension()} dimensions, {n:,} voxels: expected one volume of a breast"
            )
        image = reader.Execute()
        keys = {key: reader.GetMetaData(key) for key in reader.GetMetaDataKeys()}
    except (RuntimeError, TypeError, ValueError) as error:  # TypeError: a key that is no text
        if "orthonormal" in str(error):
            raise Unreadable(
                "mask.direction", "its axes are not at right angles (sheared): write it on the grid of the images"
            ) from None
        raise Unreadable("mask.unreadable", "the file is damaged or not what its name says") from None
    values = sitk.GetArrayFromImage(image)
    values = values[None] if layers == 1 else np.moveaxis(values, -1, 0)
    if not np.isfinite(values).all() or (values < 0).any() or (values != np.round(values)).any() or values.max() > 255:
        raise Unreadable("mask.values", "values that are no labels: expected whole numbers from 0 to 255")
    direction = np.array(image.GetDirection()).reshape(3, 3)
    if not np.allclose(direction.T @ direction, np.eye(3), atol=1e-3):
        raise Unreadable("mask.direction", "axes that are not at right angles")
    columns, rows, slices = image.GetSpacing()
    grid = Grid(
        values.shape[1:], (slices, rows, columns), image.GetOrigin(),
        tuple(direction[:, 0]), tuple(direction[:, 1]), tuple(direction[:, 2]),
    )  # fmt: skip
    return Volume(values.astype(np.uint8), grid, keys)
