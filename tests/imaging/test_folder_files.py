"""Every file of a folder is counted: read, passed over and why, refused; what cannot be decoded is said before it is needed."""

from __future__ import annotations

import io
import json
import warnings
import zlib
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian

from ingest.imaging import headers
from ingest.imaging.headers import digest_and_header
from ingest.imaging.unreadable import Unreadable
from ingest.simulate.dce_layouts import LAYOUTS, SimulatedExamination, write_examination
from ingest.simulate.dicom_files import Geometry
from tests.imaging.test_dce_layouts import volumes
from tests.support import containers
from tshdb.actions.imaging import dicom
from tshdb.errors import InvalidInput
from tshdb.images import decoding, dicom_files
from tshdb.images.dicom_marks import is_bare

SR = "1.2.840.10008.5.1.4.1.1.88.11"


@pytest.fixture
def images(tmp_path) -> Path:
    """Two phases of five slices."""
    e = SimulatedExamination("SIM-0001", "T0", volumes(2), Geometry())
    write_examination(e, LAYOUTS["ge content time"][0], tmp_path / "images")
    return tmp_path / "images"


def files_of(images: Path) -> list[Path]:
    return sorted(images.rglob("*.dcm"))


def report(template: Path, path: Path) -> None:
    """A structured report of the same patient and study."""
    dataset = pydicom.dcmread(template)
    for name in ("Rows", "Columns", "BitsAllocated", "PixelData"):
        delattr(dataset, name)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = SR
    dataset.SOPInstanceUID, dataset.SeriesInstanceUID, dataset.Modality = "2.25.7", "2.25.8", "SR"
    dataset.save_as(path)


def test_the_sum_of_all_files_is_told(empty_study, images, quick):
    """10 images; 2 by their names, 1 hidden, 1 no DICOM, 1 mask, 1 report, 1 copy; 1 cut: 18 files."""
    first, *_, last = files_of(images)
    report(first, images / "report.dcm")
    (images / "readme.txt").write_text("x")
    (images / "DICOMDIR").write_bytes(b"x")
    (images / ".hidden").write_text("x")
    (images / "noise").write_bytes(b"\0" * 500)
    (images / "mask.nii.gz").write_bytes(b"x")
    (images / "again.dcm").write_bytes(first.read_bytes())
    (images / "cut.dcm").write_bytes(last.read_bytes()[:-9])
    done = quick(
        "ingest", "dicom", images, "--collection", "sim", "--keep-going", "--json", cwd=empty_study.root, code=3
    )
    assert json.loads(done.stdout)["in_folder"] == {
        "total": 18,
        "read": 10,
        "unchanged": 0,
        "passed_over": {
            "SR: no image, its header alone is kept": 1, "copies of others": 1, "hidden": 1, "masks that are no DICOM": 1,
            "no DICOM": 1, "no images by their names": 2,
        },
        "refused": {"dicom.cut": 1},
    }  # fmt: skip
    (images / "cut.dcm").unlink()
    done = quick("ingest", "dicom", images, "--collection", "sim", cwd=empty_study.root)
    assert "17 files: 10 read; 1 unchanged; 6 passed over" in done.stderr


def test_bare_data_sets_without_suffix_are_read(empty_study, images):
    folder = images.parent / "bare"
    containers.encoded([pydicom.dcmread(f) for f in files_of(images)], "bare", folder)
    assert not list(folder.glob("*.*"))
    loaded = dicom(empty_study, folder, "sim", jobs=1)
    assert loaded.in_folder.n_read == 10 and loaded.by_table["imaging_instances"]["inserted"] == 10
    assert set(empty_study.sql("SELECT transfer_syntax_uid u FROM imaging_series")["u"]) == {"1.2.840.10008.1.2"}


@pytest.mark.parametrize(
    ("head", "answer"),
    [
        (b"\x08\x00\x05\x00\x0a\x00\x00\x00ISO_IR 100", True),  # implicit; as Siemens wrote it
        (b"\x08\x00\x00\x00\x04\x00\x00\x00\x10\x02\x00\x00", True),  # a group's length first
        (b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100", True),  # explicit
        (b"\x00\x08\x00\x05CS\x00\x0aISO_IR 100", True),  # explicit, big endian
        (b"\x02\x00\x00\x00UL\x04\x00\xc6\x00\x00\x00", True),  # file meta information without preamble
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", False),
        (b"PK\x03\x04\x14\x00\x00\x00\x08\x00", False),
        (b"\x08\x00\x05\x00\xff\xff\xff\x7f", False),
        (b"patient_id,age\n", False),
        (b"\x08\x00", False),
    ],
)
def test_what_begins_like_a_data_set(head, answer):
    assert is_bare(head) is answer


def test_links_that_lead_out_are_said_and_links_within_are_followed(empty_study, images, tmp_path):
    farm = tmp_path / "farm"
    farm.mkdir()
    for i, file in enumerate(files_of(images)):
        (farm / f"{i}.dcm").symlink_to(file)
    (farm / "folder").symlink_to(images)
    with pytest.raises(InvalidInput) as error:
        dicom(empty_study, farm, "sim", jobs=1)
    said = str(error.value)
    assert "none of its 11 files is DICOM (0 read; 11 passed over (11 links that lead out))" in said
    assert f"name the one that they lead to, such as {images}" in said
    inside = images / "links"
    inside.mkdir()
    (inside / "one").symlink_to(files_of(images)[0])
    (inside / "none").symlink_to(images / "gone")
    loaded = dicom(empty_study, images, "sim", jobs=1)
    assert loaded.in_folder.n_read == 10 and loaded.in_folder.passed_over["links to nothing"] == 1
    assert [f.rule for f in loaded.findings] == ["folder.link-broken"]


def test_images_without_pixels_are_counted(empty_study, images):
    for file in files_of(images)[:3]:
        dataset = pydicom.dcmread(file)
        del dataset.PixelData
        dataset.save_as(file)
    loaded = dicom(empty_study, images, "sim", jobs=1)
    (finding,) = [f for f in loaded.findings if f.rule == "dicom.no-pixels"]
    assert finding.message == "3 images came without pixels"


@pytest.mark.parametrize(
    "syntax", ["explicit", "implicit", "big endian", "RLE", "JPEG lossless", "JPEG-LS", "deflated"]
)
def test_a_file_that_is_cut_anywhere_is_refused(images, tmp_path, syntax):
    """At a hundred places, but where an element of the header ends: there it is a header without pixels."""
    dataset = pydicom.dcmread(files_of(images)[0])
    folder = containers.encoded([dataset], syntax, tmp_path / "one")
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    digest_and_header(path, False)
    ends = {len(whole)}
    if syntax != "deflated":
        parsed = pydicom.dcmread(path, stop_before_pixels=True)
        ends |= {e.value_tell + e.length for e in parsed._dict.values() if hasattr(e, "value_tell")}
    accepted = []
    for size in range(200, len(whole), max(1, len(whole) // 100)):
        path.write_bytes(whole[:size])
        try:
            with warnings.catch_warnings():  # pydicom's, of values; as the reader of folders does
                warnings.simplefilter("ignore")
                _, header = digest_and_header(path, False)
            accepted.append((size, header.instance["has_pixels"]))
        except Unreadable as error:
            assert error.rule in ("dicom.cut", "dicom.unreadable", "dicom.no-uid", "dicom.not-dicom"), error.rule
    assert [each for each in accepted if each[1] or each[0] not in ends] == []


def test_a_deflated_file_that_swells_is_refused(images, tmp_path, monkeypatch):
    monkeypatch.setattr(dicom_files, "MOST_INFLATED", 1_000_000)
    file = files_of(images)[0]
    containers.deflated(pydicom.dcmread(file), file)
    head = file.read_bytes()
    start = pydicom.dcmread(io.BytesIO(head), specific_tags=[]).file_meta.FileMetaInformationGroupLength + 144
    pack = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    file.write_bytes(head[:start] + pack.compress(bytes(50_000_000)) + pack.flush())
    with pytest.raises(Unreadable, match="damaged"):
        digest_and_header(file, False)


def test_pixels_that_nothing_decodes_are_named_at_ingest(empty_study, images, monkeypatch):
    for file in files_of(images):
        containers.SYNTAXES["JPEG-LS"](pydicom.dcmread(file), file)
    assert not dicom(empty_study, images, "sim", jobs=1).findings
    monkeypatch.setattr(decoding, "ORDER", ("pydicom",))
    decoding.decoder_of.cache_clear()
    for file in files_of(images):
        file.touch()
    (finding,) = dicom(empty_study, images, "sim", jobs=1).findings
    decoding.decoder_of.cache_clear()
    assert finding.rule == "dicom.undecodable" and finding.message == (
        "JPEG-LS Lossless Image Compression (1.2.840.10008.1.2.4.80) cannot be decoded here; install what decodes it: "
        "pip install 'tshdb[imaging]'"
    )


def test_what_the_decoders_are(monkeypatch):
    assert decoding.decoder_of(ExplicitVRLittleEndian) == ""
    assert decoding.decoder_of("1.2.840.10008.1.2.4.70") == "gdcm"
    with pytest.raises(ValueError, match="some maker's own"):
        decoding.decoder_of("1.2.840.113619.5.2")
    with pytest.raises(ValueError, match="MPEG2.*nothing that is known"):
        decoding.decoder_of("1.2.840.10008.1.2.4.100")


def test_lossy_pixels_are_flagged(images):
    file = files_of(images)[0]
    dataset = pydicom.dcmread(file)
    dataset.LossyImageCompression = "01"
    dataset.save_as(file)
    _, header = digest_and_header(file, False)
    assert [f[1] for f in header.findings] == ["dicom.lossy"]


def test_classes_that_are_images():
    assert headers.is_image("1.2.840.10008.5.1.4.1.1.4") and headers.is_image("1.2.840.10008.5.1.4.1.1.4.1")
    assert not headers.is_image(SR) and not headers.is_image("1.2.840.10008.5.1.4.1.1.481.3")
