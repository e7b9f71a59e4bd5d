"""One outline of UCSF-BR-06 in every format, written by other programs: the same voxels, at the same place.

The outline is no radiologist's: the largest piece that rises by 70 % and more near the strongest enhancement.
"""

from __future__ import annotations

import warnings

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from scipy import ndimage

from ingest.imaging import contours, rtstruct
from ingest.imaging.dicom_seg import read as read_seg
from ingest.imaging.mask_files import MaskFileOptions
from ingest.imaging.mask_files import read as read_mask_file
from ingest.imaging.masks import row_of_segment
from ingest.simulate.slicer_files import write_slicer
from ingest.simulate.structures import contours_of, in_mm, region, structure_set
from tshdb.geometry import Grid, placed
from tshdb.images.series_grid import grid_of_images
from tshdb.readers import Examination
from tshdb.vocabulary import MaskKind, MaskRegion

pytestmark = pytest.mark.xdist_group("outline_formats")
WHO = [Examination("1.2", "UCSF-BR-06", "T0")]


@pytest.fixture(scope="module")
def drawn(request) -> tuple[list[pydicom.Dataset], Grid, np.ndarray]:
    """(the datasets of the first phase, their grid, the outline)."""
    folder = request.getfixturevalue("shared") / "dicom/nact-pilot/UCSF-BR-06/image_dce_3dfgre_orig"
    files = [pydicom.dcmread(f) for f in sorted(folder.glob("*.dcm"))]
    times = sorted({str(d.ContentTime) for d in files})
    axes = np.array(files[0].ImageOrientationPatient, float)
    normal = np.cross(axes[:3], axes[3:])
    phases = [
        sorted((d for d in files if str(d.ContentTime) == t), key=lambda d: np.array(d.ImagePositionPatient, float) @ normal)
        for t in times
    ]  # fmt: skip
    images = [
        dict(zip(("x_mm", "y_mm", "z_mm"), map(float, d.ImagePositionPatient), strict=True))
        | {"orientation": "\\".join(map(str, d.ImageOrientationPatient)), "n_rows": d.Rows, "n_columns": d.Columns}
        for d in phases[0]
    ]
    rows, columns = map(float, phases[0][0].PixelSpacing)
    facts = {"row_spacing_mm": rows, "column_spacing_mm": columns, "slice_thickness_mm": 2.0}
    grid = grid_of_images(images, facts)
    before, early = (np.stack([d.pixel_array for d in phase]).astype(float) for phase in phases[:2])
    rise = ndimage.gaussian_filter(np.where(before > 20, (early - before) / np.maximum(before, 1), 0), 0.7)
    pieces, n = ndimage.label(rise > 0.9)
    inside = pieces == 1 + int(np.argmax(ndimage.sum(pieces > 0, pieces, range(1, n + 1))))
    assert inside.any(axis=(1, 2)).sum() > 10
    return phases[0], grid, inside


def image_of(values: np.ndarray, grid: Grid) -> sitk.Image:
    image = sitk.GetImageFromArray(values.astype(np.uint8))
    image.SetSpacing(grid.spacing_mm[::-1])
    image.SetOrigin(grid.origin_mm)
    image.SetDirection(np.column_stack([grid.row, grid.column, grid.normal]).ravel().tolist())
    return image


def voxels_of(content: bytes, row: dict, grid: Grid, tmp_path) -> np.ndarray:
    """A row's object on the images' grid."""
    path = tmp_path / "object.nrrd"
    path.write_bytes(content)
    values = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    return placed(values, Grid.of_text(row["grid"]), grid) >= row["min_value"]


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha", ".seg.nrrd", "_turned.nii.gz"])
def test_an_image_file_is_the_outline(drawn, tmp_path, suffix):
    _, grid, inside = drawn
    path = tmp_path / f"UCSF-BR-06{suffix}"
    if suffix == ".seg.nrrd":
        other = ndimage.binary_dilation(inside, iterations=3)
        names = ({"Name": "fat", "Layer": 0, "LabelValue": 1}, {"Name": "tumor", "Layer": 1, "LabelValue": 1})
        write_slicer(path, [other.astype(np.uint8), inside.astype(np.uint8)], grid, names)
    else:
        image = image_of(inside, grid)
        sitk.WriteImage(sitk.Flip(image, (True, True, False)) if "turned" in suffix else image, str(path))
    content = read_mask_file(path, WHO, MaskFileOptions("n", MaskKind.MANUAL))
    rows = [record.values for record in content.records]
    (i,) = [i for i, row in enumerate(rows) if row["is_outline"]]
    assert len(rows) == (2 if suffix == ".seg.nrrd" else 1)
    assert np.array_equal(voxels_of(content.objects[i][1], rows[i], grid, tmp_path), inside)


def test_a_segmentation_by_highdicom_is_the_outline(drawn, tmp_path):
    highdicom = pytest.importorskip("highdicom")
    from highdicom.seg import Segmentation, SegmentDescription
    from pydicom.sr.coding import Code

    phase, grid, inside = drawn
    description = SegmentDescription(
        1, "Segment_1", Code("49755003", "SCT", "Morphologically Altered Structure"),
        Code("108369006", "SCT", "Neoplasm"), highdicom.seg.SegmentAlgorithmTypeValues.MANUAL,
    )  # fmt: skip
    for d in phase:
        d.setdefault("ReferringPhysicianName", "")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = Segmentation(
            phase, inside.astype(np.uint8), highdicom.seg.SegmentationTypeValues.BINARY, [description],
            highdicom.UID(), 900, highdicom.UID(), 1, "a test", "a test", "1", "1",
        )  # fmt: skip
        made.save_as(tmp_path / "seg.dcm")
    (segment,) = read_seg(tmp_path / "seg.dcm")
    row, content = row_of_segment(segment, "1.2", "1.3", None, "0" * 64)
    assert (row["region"], row["kind"], row["is_outline"]) == (MaskRegion.TUMOR, MaskKind.MANUAL, True)
    assert np.array_equal(voxels_of(content, row, grid, tmp_path), inside)


def test_a_structure_set_along_the_voxels_edges_is_the_outline(drawn, tmp_path):
    """As rt-utils writes them in its mode voxel_edge. Its holes are contours of their own."""
    phase, grid, inside = drawn
    path = tmp_path / "rt.dcm"
    parts = [region(1, "GTV", contours_of(inside, grid), interpreted="GTV")]
    structure_set("UCSF-BR-06", "1.2", "1.3", "1.4", parts).save_as(path)
    (structure,) = rtstruct.read(path)
    assert structure.what.is_outline and structure.drawn_on == "2024-03-01"
    made = contours.filled(structure.contours, grid)
    assert np.array_equal(made.values > 0, inside)
    holes = sum(int(ndimage.binary_fill_holes(plane).sum()) for plane in inside) - int(inside.sum())
    assert holes > 0, "the outline has holes: what is tested"


def test_a_structure_set_through_the_voxels_middles_is_the_outline_without_holes(drawn, tmp_path):
    """As rt-utils writes them in its mode voxel_center: along the middles of the voxels at the border."""
    _, grid, inside = drawn
    plane = np.zeros((20, 20), bool)
    plane[4:11, 3:15] = True
    square = np.array([(4, 3), (4, 14), (10, 14), (10, 3)], float)
    made = contours.filled([in_mm(square, 7, grid)], grid).values
    assert np.array_equal(made[7, :20, :20] > 0, plane) and made.sum() == plane.sum()
