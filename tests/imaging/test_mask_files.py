"""Masks in files: whose they are, which label is meant, and what is refused; layouts as data sets and programs have them."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import SimpleITK as sitk

from ingest.imaging.mask_files import MaskFileOptions, read
from ingest.imaging.mask_sheet import shared_out
from ingest.imaging.meaning import Code, named
from ingest.imaging.records import SEGMENTATION
from ingest.simulate.slicer_files import write_slicer
from tests.imaging.test_segmentations import GRID, SHAPE, blob, image_of
from tshdb.file_content import FileContent
from tshdb.geometry import Grid
from tshdb.readers import Examination, Known, Request
from tshdb.vocabulary import MaskKind, MaskRegion

GIVEN = {"kind": "manual", "region": "tumor", "label": None, "les_base": 1, "les_order": None}
PATIENTS = (Examination("1.1", "PT-A", "T0"), Examination("1.2", "PT-B", "T0"))


def put(path, values=None, grid: Grid = GRID):
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image_of(blob() if values is None else values, grid), str(path))
    return path


def taken(path, sheet=None, **given) -> dict[str, FileContent]:
    """source -> what was found, of all masks at a path."""
    files = {} if sheet is None else {"sheet": sheet}
    request = Request("n", path.name, GIVEN | given, files, Known(PATIENTS))
    assert SEGMENTATION.files is not None and SEGMENTATION.read is not None
    return {request.name: SEGMENTATION.read(file, request) for file, request in SEGMENTATION.files(path, request)}


def rows(found: dict[str, FileContent]) -> dict[str, dict]:
    return {r.values["segmentation_id"]: r.values for content in found.values() for r in content.records}


# ------------------------------------------------------------------------------------------------ whose


@pytest.mark.parametrize(
    "layout",
    [
        ("PT-A/mask.nii.gz", "PT-B/mask.nii.gz"),  # MAMA-MIA, KiTS: segmentation.nii.gz in a folder a patient
        ("PT-A_tumor.nii.gz", "PT-B_tumor.nii.gz"),
        ("labelsTr/PT-A.nii.gz", "labelsTr/PT-B.nii.gz"),  # nnU-Net
        ("PT-A/seg/1.nrrd", "PT-B/seg/1.nrrd"),  # segimage2itkimage of dcmqi
        ("sub-PT-A/anat/lesion.nii.gz", "sub-PT-B/anat/lesion.nii.gz"),  # BIDS
    ],
)
def test_masks_of_one_name_are_masks_of_two_patients(tmp_path, layout):
    for place in layout:
        put(tmp_path / "masks" / place)
    found = taken(tmp_path / "masks")
    assert list(found) == list(layout) and not any(content.findings for content in found.values())
    assert {row["study_uid"]: row["path"] for row in rows(found).values()} == dict(
        zip(("1.1", "1.2"), layout, strict=True)
    )
    assert set(rows(found)) == {f"n/1.1/{layout[0]}#1", f"n/1.2/{layout[1]}#1"}


def test_two_deliveries_of_one_file_name_are_two_sources(tmp_path):
    one, two = put(tmp_path / "PT-A/mask.nii.gz"), put(tmp_path / "PT-B/mask.nii.gz")
    assert list(taken(one.parent)) == ["PT-A/mask.nii.gz"] and list(taken(two.parent)) == ["PT-B/mask.nii.gz"]
    assert list(taken(one)) == ["PT-A/mask.nii.gz"]


@pytest.mark.parametrize(
    ("place", "message"),
    [("PT-A/PT-B_mask.nii.gz", "PT-B_mask.nii.gz names PT-B, and lies in a folder of PT-A"),
     ("PT-A_PT-B.nii.gz", "or several"), ("mask.nii.gz", "holds no patient")],
)  # fmt: skip
def test_a_path_that_does_not_say_whose_it_is_is_refused(tmp_path, place, message):
    put(tmp_path / "masks" / place)
    (content,) = taken(tmp_path / "masks").values()
    assert [f.rule for f in content.errors] == ["mask.no-patient"] and message in content.errors[0].message


def test_every_row_of_a_sheet_is_a_mask(tmp_path):
    values = blob()
    values[0, 0, :5] = 2
    put(tmp_path / "masks/lesions.nrrd", values)
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(
        "file,patient_id,kind,region,label,lesion,date\nlesions.nrrd,PT-A,expert,tumor,1,index,2024-05-01\n"
        "lesions.nrrd,PT-A,expert,tumor,2,2,\n"
    )
    found = rows(taken(tmp_path / "masks", sheet))
    assert {(r["segment"], r["n_voxels"], r["lesion"], r["drawn_on"], r["kind"]) for r in found.values()} == {
        (1, int((values == 1).sum()), 1, "2024-05-01", MaskKind.EXPERT), (2, 5, 2, None, MaskKind.EXPERT),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("line", "rule", "message"),
    [
        ("m.nrrd,PT-A,manual,tumour,", "mask.sheet", "region 'tumour' is no region of a mask. Did you mean tumor?"),
        ("m.nrrd,PT-A,radiologist,,", "mask.sheet", "kind 'radiologist' is no kind"),
        ("m.nrrd,PT-A,,,7", "mask.no-label", "label '7' is not in it; it has 1 (0."),
        ("m.nrrd,PT-A,,,1\nm.nrrd,PT-A,,,1", "mask.sheet", "two rows of the sheet are of one mask"),
    ],
)
def test_a_row_that_cannot_be_is_refused_by_name(tmp_path, line, rule, message):
    put(tmp_path / "masks/m.nrrd")
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(f"file,patient_id,kind,region,label\n{line}\n")
    (content,) = taken(tmp_path / "masks", sheet).values()
    assert [f.rule for f in content.errors] == [rule] and message in content.errors[0].message


def test_a_row_is_of_the_file_that_it_names():
    files = ["PT-A/mask.nii.gz", "PT-B/mask.nii.gz", "other.nrrd"]
    given = [{"file": f, "patient_id": p} for f, p in (("mask.nii.gz", "PT-B"), ("PT-A/mask.nii.gz", "X"), ("other.nrrd", "X"),
                                                       ("mask.nii.gz", "X"), ("gone.nrrd", "X"))]  # fmt: skip
    found = shared_out(given, files)
    assert {file: [r["patient_id"] for r in rows] for file, rows in found.rows.items()} == {
        "PT-B/mask.nii.gz": ["PT-B"], "PT-A/mask.nii.gz": ["X"], "other.nrrd": ["X"],
    }  # fmt: skip
    assert found.lost == ["mask.nii.gz are 2 files: write its path, such as PT-A/mask.nii.gz", "gone.nrrd is not there"]


def test_a_row_of_no_file_is_told(tmp_path):
    put(tmp_path / "masks/PT-A.nrrd")
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("file,patient_id\nPT-A.nrrd,PT-A\nPT-B.nrrd,PT-B\n")
    (content,) = taken(tmp_path / "masks", sheet).values()
    assert [(f.rule, f.message) for f in content.findings] == [("mask.sheet", "PT-B.nrrd is not there")]


# ------------------------------------------------------------------------------------------------ which label


def two_labels() -> np.ndarray:
    values = blob()
    values[0, 0, :5] = 2
    return values


def test_several_labels_without_a_word_are_refused_with_their_volumes(tmp_path):
    put(tmp_path / "PT-A.nii.gz", two_labels())
    (content,) = taken(tmp_path).values()
    ml = blob().sum() * 1.28e-3  # 2 x 0.8 x 0.8 cubic mm
    (error,) = content.errors
    assert error.rule == "mask.several-labels" and f"labels 1 ({ml:.1f} ml), 2 (0.0 ml)" in error.message


@pytest.mark.parametrize(
    ("label", "wanted"), [("1", [None]), ("2", [5]), ("each", [None, 5]), ("all", [None])], ids=str
)
def test_a_label_is_what_is_asked_for(tmp_path, label, wanted):
    put(tmp_path / "PT-A.nii.gz", two_labels())
    n = int(blob().sum()) + (5 if label == "all" else 0)
    found = rows(taken(tmp_path, label=label))
    assert [r["n_voxels"] for r in found.values()] == [n if w is None else w for w in wanted]
    assert len(set(found)) == len(wanted)


def corner() -> np.ndarray:
    values = np.zeros(SHAPE, np.uint8)
    values[0, :4, :4] = 1
    return values


SCT = "TerminologyEntry:Segmentation category and type~SCT^{}^{}~SCT^{}^{}~^^~Anatomic codes~^^~^^|"


def segment(name: str, layer: int = 0, value: int = 1, **more) -> dict:
    return {"Name": name, "Layer": layer, "LabelValue": value, **more}


SLICER = {
    "one layer": ([blob() + 2 * corner()], [segment("tumor"), segment("fat", value=2)]),
    "layers": ([corner(), blob()], [segment("fat"), segment("Tumour left", 1)]),
    "before 4.11": ([corner(), blob()], [{"Name": "fat"}, {"Name": "mass"}]),
    "coded": (
        [corner() + 2 * blob()],
        [segment("Segment_1", Tags=SCT.format("85756007", "Tissue", "85756007", "Tissue")),
         segment("Segment_2", 0, 2, Tags=SCT.format("49755003", "Morphologically Altered", "108369006", "Neoplasm"))],
    ),
    "one without a name": ([blob()], [segment("Segment_1")]),
}  # fmt: skip


@pytest.mark.parametrize("name", list(SLICER))
def test_segments_of_3d_slicer_are_known_by_name_or_code(tmp_path, name):
    layers, segments = SLICER[name]
    write_slicer(tmp_path / "PT-A.seg.nrrd", layers, GRID, segments)
    found = rows(taken(tmp_path))
    assert len(found) == len(segments)
    (outline,) = [r for r in found.values() if r["is_outline"]]
    assert (outline["n_voxels"], outline["kind"]) == (int(blob().sum()), MaskKind.MANUAL)
    assert Grid.of_text(outline["grid"]).shape == SHAPE


@pytest.mark.parametrize(("name", "is_outline"), [("Segment_1", True), ("lesion", True), ("peritumoral rim", False)])
def test_the_only_segment_of_a_file_is_what_it_says_or_what_the_person_says(tmp_path, name, is_outline):
    write_slicer(tmp_path / "PT-A.seg.nrrd", [blob()], GRID, [segment(name)])
    (row,) = rows(taken(tmp_path)).values()
    assert row["is_outline"] is is_outline


def test_a_segment_is_asked_for_by_its_name(tmp_path):
    layers, segments = SLICER["layers"]
    write_slicer(tmp_path / "PT-A.seg.nrrd", layers, GRID, segments)
    (row,) = rows(taken(tmp_path, label="fat", region="other")).values()
    assert (row["label"], row["n_voxels"], row["region"]) == ("fat", 16, MaskRegion.OTHER)
    (content,) = taken(tmp_path, label="tumor left").values()
    assert "it has 'fat' (0.0 ml), 'Tumour left'" in content.errors[0].message
    assert "Did you mean Tumour left?" in content.errors[0].message


def test_what_is_kept_and_not_used_is_told(tmp_path):
    write_slicer(tmp_path / "PT-A.seg.nrrd", *reversed_arguments("one layer"))
    (content,) = taken(tmp_path).values()
    assert [f.rule for f in content.findings] == ["mask.not-used"] and "segment 'fat'" in content.findings[0].message


def reversed_arguments(name: str):
    layers, segments = SLICER[name]
    return layers, GRID, segments


def test_several_values_a_voxel_without_segments_are_no_mask(tmp_path):
    write_slicer(tmp_path / "PT-A.nrrd", [blob(), corner()], GRID, [])
    (content,) = taken(tmp_path).values()
    assert [f.rule for f in content.errors] == ["mask.shape"]


def test_one_bad_row_harms_itself_alone(tmp_path):
    path = put(tmp_path / "PT-A.nrrd", two_labels())
    given = ({"patient_id": "PT-A", "label": "1"}, {"patient_id": "PT-A", "label": "9"})
    content = read(path, PATIENTS, MaskFileOptions("n", MaskKind.MANUAL, rows=given))
    assert [r.values["segment"] for r in content.records] == [1] and [f.rule for f in content.errors] == [
        "mask.no-label"
    ]


# ------------------------------------------------------------------------------------------------ which values


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf], ids=str)
@pytest.mark.parametrize("ends", [".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd"])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_voxels_that_are_no_numbers_are_refused(tmp_path, ends, kind, value):
    """ITK takes those of NIfTI for 0: a mask whose outside is not known would be one without an inside there."""
    values = blob().astype(kind)
    put(tmp_path / f"PT-A{ends}", values)
    (content,) = taken(tmp_path).values()
    assert not content.errors and [r.values["n_voxels"] for r in content.records] == [int(blob().sum())]
    values[0, 0, 0] = value
    put(tmp_path / f"PT-A{ends}", values)
    (content,) = taken(tmp_path).values()
    assert [f.rule for f in content.errors] == ["mask.values"] and not content.records
    if "nii" in ends:
        assert "1 of " in content.errors[0].message and "NaN" in content.errors[0].message


def test_so_are_those_of_the_other_byte_order(tmp_path):
    path = put(tmp_path / "PT-A.nii", blob().astype(np.float32))
    little = path.read_bytes()
    header, voxels = little[:352], np.frombuffer(little[352:], "<f4").astype(">f4")
    fields = "i10s18sihcs8h3f4h8f3fhcB4f2i80s24s2h6f4f4f4f16s4s4s"
    big = struct.pack(f">{fields}", *struct.unpack(f"<{fields}", header))
    for value, found in ((1, []), (np.nan, ["mask.values"])):
        voxels[3] = value
        path.write_bytes(big + voxels.tobytes())
        (content,) = taken(tmp_path).values()
        assert [f.rule for f in content.errors] == found


@pytest.mark.parametrize(
    ("slope", "intercept", "is_taken"),
    [(np.nan, 0, True), (0, np.nan, True), (1, 0, True), (np.inf, 0, False), (1, np.nan, False)],
)
def test_a_scale_that_is_no_number_is_refused(tmp_path, slope, intercept, is_taken):
    """NIfTI 1.1, scl_slope: 0 says that there is no scale; NaN does so by nibabel's convention. ITK drops what is no number."""
    path = put(tmp_path / "PT-A.nii")
    data = bytearray(path.read_bytes())
    data[112:120] = struct.pack("<2f", slope, intercept)
    path.write_bytes(data)
    (content,) = taken(tmp_path).values()
    assert [f.rule for f in content.errors] == ([] if is_taken else ["mask.unreadable"])


# ------------------------------------------------------------------------------------------------ what it is


NEOPLASM = [Code("108369006", "SCT", "Neoplasm"), Code("49755003", "SCT", "Morphologically Altered Structure")]
TISSUE = [Code("85756007", "SCT", "Tissue")]


@pytest.mark.parametrize(
    ("description", "label", "codes", "algorithm", "region", "kind"),
    [
        ("Segmentation", "Segment_1", NEOPLASM, "MANUAL", "tumor", "manual"),
        ("Segmentation", "Segment_1", NEOPLASM, "SEMIAUTOMATIC", "tumor", "manual"),
        ("Segmentation", "Segment_1", NEOPLASM, "AUTOMATIC", "tumor", "automatic"),
        ("Segmentation", "Segment_1", NEOPLASM, None, "tumor", "other"),
        (None, "1", [Code("M-8FFFF", "SRT", "Neoplasm"), Code("M-01000", "SRT", "Altered")], "MANUAL", "tumor", "manual"),
        (None, "Mass", [Code("4147007", "SCT", "Mass")], "MANUAL", "tumor", "manual"),
        (None, "x", [Code("99", "99LOCAL", "Invasive ductal carcinoma")], "MANUAL", "tumor", "manual"),
        ("Segmentation", "Segment_1", [Code("76752008", "SCT", "Breast"), *TISSUE], "MANUAL", "breast", "manual"),
        (None, "Liver", [Code("T-62000", "SRT", "Liver"), Code("T-D0050", "SRT", "Tissue")], "SEMIAUTOMATIC", "other", "manual"),
        ("Tumor Segmentation", "Edema", [Code("79654002", "SCT", "Edema")], "MANUAL", "other", "manual"),
        ("Tumor Segmentation", "Segment_1", TISSUE, "MANUAL", "tumor", "manual"),
        ("VOI PE Segmentation thresh=70", "Segment_1", NEOPLASM, "MANUAL", "enhancement", "ftv"),
        ("VOI Breast Tissue Segmentation", "Breast", TISSUE, "SEMIAUTOMATIC", "breast", "tissue"),
        (None, "peritumoral region", [], "MANUAL", "other", "manual"),
        (None, "axillary lymph node", [], "MANUAL", "other", "manual"),
        (None, "GTV_n", [], "MANUAL", "other", "manual"),
        (None, "PTV", [], "MANUAL", "other", "manual"),
    ],
)  # fmt: skip
def test_codes_say_what_a_segment_is_and_its_algorithm_who_drew_it(description, label, codes, algorithm, region, kind):
    found = named(description, label, codes, algorithm)
    assert (found.region, found.kind) == (region, kind)
    assert found.is_outline == (region == "tumor" and kind == "manual")


def test_a_series_description_is_not_of_each_of_several_segments():
    assert named("Tumor and vessels", "vessel", TISSUE, "MANUAL", is_alone=False).region is MaskRegion.OTHER
