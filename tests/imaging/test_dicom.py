"""DICOM headers: what is stored and what never is, whatever the folders are called; one new file costs one series."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.datadict import DicomDictionary, keyword_for_tag

from ingest.imaging.elements import WHITELIST, seconds_of, years_of
from ingest.imaging.headers import digest_and_header
from ingest.imaging.identity import ELEMENTS
from ingest.imaging.unreadable import Unreadable
from ingest.simulate.dce_layouts import LAYOUTS, SimulatedExamination, write_examination
from ingest.simulate.dicom_files import SAGITTAL, Geometry, Series, slice_dataset, write
from tests.support import tiny
from tshdb.actions.imaging import dicom
from tshdb.actions.ingest import Loading
from tshdb.study import Study

CANARY = "canary-5d1f7e"
LAST = "SELECT count(*) FROM attempts WHERE run_id = (SELECT max(run_id) FROM runs)"
ANALYSES = ["series_roles", "dce_sets", "dce_slices", "dce_phases"]


def volumes(n_phases: int = 3) -> list[np.ndarray]:
    return [np.full((4, 6, 6), 100 + 50 * p, np.uint16) + np.arange(6, dtype=np.uint16) for p in range(n_phases)]


def examination(patient: str = "SIM-0001", study: str = "T0", **options) -> SimulatedExamination:
    return SimulatedExamination(patient, study, volumes(), Geometry(orientation=SAGITTAL), **options)


@pytest.fixture
def images(tmp_path) -> Path:
    """Two patients, one of them with two examinations."""
    folder = tmp_path / "images"
    layout = LAYOUTS["ge content time"][0]
    write_examination(examination(), layout, folder)
    write_examination(examination("SIM-0002", "later", date="20010601"), layout, folder)
    write_examination(examination("SIM-0002", "first", date="20010115"), layout, folder)
    return folder


@pytest.fixture
def empty(tmp_path) -> Study:
    study = tiny.new_study(tmp_path / "study")
    yield study
    study.engine.dispose()


def ingest(study: Study, folder: Path, quick, *options: str, code: int = 0) -> str:
    done = quick("ingest", "dicom", folder, "--collection", "sim", "--jobs", "1", *options, cwd=study.root, code=code)
    return done.stdout + done.stderr


def rows(study: Study, sql: str) -> list[tuple]:
    with sqlite3.connect(study.sqlite_path) as connection:
        return connection.execute(sql).fetchall()


# ------------------------------------------------------------------------------------------------ what is stored


def test_studies_series_and_files_are_found_by_their_headers(empty, images, quick, tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    for i, path in enumerate(sorted(images.rglob("*.dcm"))):  # names and folders mean nothing
        shutil.copy(path, flat / f"{i * 7919 % 1000:04d}")
    ingest(empty, flat, quick)
    assert rows(empty, "SELECT patient_id, sex FROM patients ORDER BY 1") == [
        ("SIM-0001", "female"),
        ("SIM-0002", "female"),
    ]
    points = rows(empty, "SELECT patient_id, study_date, time_point FROM imaging_studies ORDER BY 1, 2")
    assert points == [
        ("SIM-0001", "2001-01-15", "T0"), ("SIM-0002", "2001-01-15", "T0"), ("SIM-0002", "2001-06-01", "T1"),
    ]  # fmt: skip
    series = rows(empty, "SELECT description, n_instances, n_rows, tr_ms, mixed FROM imaging_series")
    assert series == [("Sagittal-IR_3DFGRE", 12, 6, 5.5, None)] * 3
    (path, sha256) = rows(empty, "SELECT path, sha256 FROM imaging_instances LIMIT 1")[0]
    import hashlib

    assert hashlib.sha256((empty.root / path).read_bytes()).hexdigest() == sha256


def test_an_earlier_examination_moves_the_later_ones(empty, images, quick):
    folder = images / "SIM-0002"
    early = next(p for p in folder.iterdir() if p.name.startswith("20010115"))
    aside = images.parent / "aside"
    shutil.move(early, aside)
    ingest(empty, images, quick)
    assert rows(empty, "SELECT time_point FROM imaging_studies WHERE patient_id = 'SIM-0002'") == [("T0",)]
    shutil.move(aside, early)
    ingest(empty, images, quick)
    found = rows(empty, "SELECT study_date, time_point FROM imaging_studies WHERE patient_id = 'SIM-0002' ORDER BY 1")
    assert found == [("2001-01-15", "T0"), ("2001-06-01", "T1")]


def test_the_same_files_again_are_not_read(empty, images, quick):
    ingest(empty, images, quick)
    assert "nothing to load" in ingest(empty, images, quick)
    (one,) = rows(empty, "SELECT count(*) FROM ingest_runs")
    assert one == (1,)


def test_a_new_study_costs_one_study(empty, images, quick):
    ingest(empty, images, quick)
    quick("rebuild", *ANALYSES, cwd=empty.root)
    write_examination(examination("SIM-0003"), LAYOUTS["ge content time"][0], images)
    said = ingest(empty, images, quick)
    assert "imaging_series       1 inserted" in said and "imaging_instances    12 inserted" in said
    quick("rebuild", *ANALYSES, cwd=empty.root)
    assert rows(empty, LAST) == [(4,)]  # one examination, four analyses


def test_a_file_that_changed_is_one_updated_row_and_one_due_study(empty, images, quick):
    ingest(empty, images, quick)
    quick("rebuild", *ANALYSES, cwd=empty.root)
    path = sorted(images.rglob("*.dcm"))[0]
    dataset = pydicom.dcmread(path)
    dataset.PixelData = np.full((6, 6), 7, "<u2").tobytes()
    dataset.save_as(path)
    said = ingest(empty, images, quick)
    assert "imaging_instances    1 updated, 11 unchanged" in said
    changed = rows(
        empty, "SELECT action, changes FROM change_log WHERE table_name = 'imaging_series' AND action = 'update'"
    )
    assert len(changed) == 1 and "content_digest" in changed[0][1]
    quick("rebuild", *ANALYSES, cwd=empty.root)
    assert rows(empty, LAST) == [(4,)]


def test_images_that_are_gone_stay_unless_the_folder_is_complete(empty, images, quick):
    ingest(empty, images, quick)
    shutil.rmtree(images / "SIM-0001")
    ingest(empty, images, quick)
    assert rows(empty, "SELECT count(*) FROM imaging_studies") == [(3,)]
    ingest(empty, images, quick, "--complete")
    assert rows(empty, "SELECT count(*) FROM imaging_series") == [(2,)]
    assert rows(empty, "SELECT count(*) FROM imaging_instances") == [(24,)]


# ------------------------------------------------------------------------------------------------ what is refused


def one_file(folder: Path, **attributes) -> Path:
    series = Series("SIM-0009", "T0", 1, "t1", Geometry(), {"StudyDate": "20010101"})
    path = folder / "one.dcm"
    write(slice_dataset(series, 1, 0, np.ones((4, 4), np.uint16), **attributes), path)
    return path


@pytest.mark.parametrize(
    "attributes",
    [
        {"PatientName": "Doe^Jane"},
        {"PatientName": "JANE DOE", "PatientIdentityRemoved": None},
        {"PatientBirthDate": "19500101"},
        {"PatientAddress": "1 Street"},
        {"PatientTelephoneNumbers": "555"},
        {"OtherPatientIDs": "12345"},
        {"ReferringPhysicianName": "House^Gregory"},
        {"OperatorsName": "Jones"},
        {"InstitutionName": "General Hospital", "PatientIdentityRemoved": None},
        {"BurnedInAnnotation": "YES"},
        {"PatientIdentityRemoved": "NO"},
    ],
    ids=lambda a: next(iter(a)),
)
def test_a_file_that_names_a_person_is_refused_without_repeating_it(tmp_path, attributes):
    path = one_file(tmp_path, **attributes)
    with pytest.raises(Unreadable, match="de-identified images only") as refused:
        digest_and_header(path, accepts_identified=False)
    said = str(refused.value)
    assert refused.value.rule == "dicom.identified" and next(iter(attributes)) in said
    assert not any(v and v not in ("YES", "NO") and v in said for v in attributes.values())
    digest_and_header(path, accepts_identified=True)


@pytest.mark.parametrize(
    "attributes",
    [
        {"PatientName": "06^Breast-MRI-NACT-Pilot", "ClinicalTrialProtocolName": "Breast-MRI-NACT-Pilot"},
        {"PatientName": "Anonymous"},
        {"PatientName": ""},
        {"InstitutionName": "General Hospital"},
        {"ReferringPhysicianName": "Unknown"},
    ],
    ids=lambda a: str(next(iter(a.values()))),
)
def test_what_names_nobody_is_taken(tmp_path, attributes):
    digest_and_header(one_file(tmp_path, **attributes), accepts_identified=False)


def test_no_element_outside_the_whitelist_is_ever_stored(empty, tmp_path, quick):
    """A canary in every text and date element, in a private one and in nested sequences; none of it is in any file."""
    text = {"LO", "SH", "ST", "LT", "UT", "UC", "UR", "PN", "AE", "CS", "AS", "DA", "DT", "TM"}
    series = Series("SIM-0009", "T0", 1, "t1", Geometry(), {"StudyDate": "20010101"})
    dataset = slice_dataset(series, 1, 0, np.ones((4, 4), np.uint16))
    planted = 0
    nested = pydicom.Dataset()
    for tag, (vr, *_) in DicomDictionary.items():
        keyword = keyword_for_tag(tag)
        if (
            vr not in text
            or tag >> 16 in (0, 2, 4)
            or not keyword
            or keyword in WHITELIST
            or keyword == "SpecificCharacterSet"
        ):
            continue
        value = (
            f"{CANARY}^{CANARY}"
            if vr == "PN"
            else "18881108"
            if vr in ("DA", "DT")
            else "181818"
            if vr == "TM"
            else CANARY
        )
        with pydicom.config.disable_value_validation():
            dataset.add_new(tag, vr, value)
            nested.add_new(tag, vr, value)
        planted += 1
    assert planted > 850
    nested.OtherPatientIDsSequence = [pydicom.Dataset()]
    nested.OtherPatientIDsSequence[0].PatientID = CANARY
    dataset.RequestAttributesSequence = [nested]
    block = dataset.private_block(0x0009, "CANARY", create=True)
    block.add_new(0x01, "LO", CANARY)
    folder = tmp_path / "one"
    write(dataset, folder / "one.dcm")
    settings = empty.root / "study.toml"
    said = ingest(empty, folder, quick, code=7)
    settings.write_text(settings.read_text().replace("accept_identified = false", "accept_identified = true"))
    said += ingest(empty, folder, quick)
    assert rows(empty, "SELECT count(*) FROM imaging_instances") == [(1,)]
    assert CANARY not in said and "1888" not in said
    for path in (p for p in empty.root.rglob("*") if p.is_file()):
        content = path.read_bytes()
        assert CANARY.encode() not in content and b"1888" not in content, path


def test_a_date_in_a_free_text_is_masked(empty, tmp_path, quick):
    one_file(tmp_path / "one", SeriesDescription="t1 done 12/24/2003 again", StudyDescription="MR 20031224")
    said = ingest(empty, tmp_path / "one", quick)
    assert "dicom.date-in-text" in said and "2003" not in said
    assert rows(empty, "SELECT description FROM imaging_series") == [("t1 done [date] again",)]
    assert rows(empty, "SELECT description FROM imaging_studies") == [("MR [date]",)]


def test_every_element_that_is_looked_at_exists():
    assert all(pydicom.datadict.tag_for_keyword(name) for name in (*WHITELIST, *ELEMENTS))


# ------------------------------------------------------------------------------------------------ damaged and odd files


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def cut_in_header(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:400])


def other_pixels(path: Path) -> None:
    dataset = pydicom.dcmread(path)
    dataset.PixelData = np.full((6, 6), 9, "<u2").tobytes()
    dataset.save_as(path.with_name("other.dcm"))


def without_study(path: Path) -> None:
    dataset = pydicom.dcmread(path)
    del dataset.StudyInstanceUID
    dataset.save_as(path)


def text_file(path: Path) -> None:
    path.write_bytes(b"these are not the bytes that you are looking for" * 20)


def formula(path: Path) -> None:
    for other in path.parent.iterdir():
        dataset = pydicom.dcmread(other)
        dataset.PatientID = "=A1"
        dataset.save_as(other)


def two_patients(path: Path) -> None:
    dataset = pydicom.dcmread(path)
    dataset.PatientID = dataset.PatientName = "SIM-0007"
    dataset.save_as(path)


ZOO = {
    "pixels cut": (cut, "dicom.cut"),
    "header cut": (cut_in_header, "dicom.cut"),
    "one UID, two contents": (other_pixels, "dicom.duplicate-uid"),
    "no study": (without_study, "dicom.no-uid"),
    "no DICOM": (text_file, "dicom.not-dicom"),
    "a formula for an identifier": (formula, "id.formula"),
    "two patients in one series": (two_patients, "dicom.several-patients"),
}


@pytest.mark.parametrize("name", ZOO)
def test_a_bad_file_is_named_and_nothing_is_loaded(empty, images, quick, name):
    spoil, rule = ZOO[name]
    path = sorted((images / "SIM-0001").rglob("*.dcm"))[3]
    spoil(path)
    said = ingest(empty, images, quick, code=7)
    assert rule in said and "Nothing was loaded" in said
    assert rows(empty, "SELECT count(*) FROM imaging_series") == [(0,)]
    said = ingest(empty, images, quick, "--keep-going", code=3)
    assert rows(empty, "SELECT count(*) FROM imaging_studies WHERE patient_id = 'SIM-0002'") == [(2,)]


def test_copies_are_read_once(empty, images, quick):
    shutil.copytree(images / "SIM-0001", images / "again")
    said = ingest(empty, images, quick)
    assert "12 files are copies of others" in said
    assert rows(empty, "SELECT count(*) FROM imaging_instances") == [(36,)]


def test_a_folder_named_after_another_patient_is_told(empty, images, quick):
    (path,) = (images / "SIM-0001").iterdir()
    shutil.move(path, images / "SIM-0002" / "stray")
    said = ingest(empty, images, quick)
    assert "dicom.other-folder" in said and "hold images of SIM-0001" in said


def test_a_link_that_leads_outside_is_not_followed(empty, images, quick, tmp_path):
    outside = tmp_path / "outside"
    shutil.move(images / "SIM-0001", outside)
    (images / "linked").symlink_to(outside)
    said = ingest(empty, images, quick)
    assert "folder.link-outside" in said
    assert rows(empty, "SELECT count(*) FROM patients") == [(1,)]


def test_values_of_the_standard():
    assert seconds_of("235959.5") == 86_399.5 and seconds_of("10:11:12") == 36_672 and seconds_of("0711") == 25_860
    assert seconds_of("") is None and seconds_of("x") is None
    assert (years_of("071Y"), years_of("018M"), years_of("71"), years_of("")) == (71, 1.5, 71, None)


def test_a_time_on_the_next_day_is_later(tmp_path):
    path = one_file(tmp_path, AcquisitionDate="20010102", AcquisitionTime="000010", ContentTime="000011")
    _, header = digest_and_header(path, accepts_identified=False)
    assert header.instance["acquisition_s"] == 86_410.0 and header.instance["content_s"] == 11.0


# ------------------------------------------------------------------------------------------------ decisions


def test_a_persons_decision_goes_before_the_rule(empty, images, quick, tmp_path):
    ingest(empty, images, quick)
    quick("rebuild", *ANALYSES, cwd=empty.root)
    ((study_uid, series_uid),) = rows(
        empty,
        "SELECT study_uid, series_uid FROM imaging_series JOIN imaging_studies USING (study_uid) WHERE patient_id = 'SIM-0001'",
    )
    file = tmp_path / "decisions.csv"
    file.write_text(
        f"study_uid,series_uid,decision,decided_by,reason\n{study_uid},{series_uid},not-dynamic,A. Reader,movement\n"
    )
    quick("ingest", "decisions", file, "--collection", "sim", cwd=empty.root)
    quick("rebuild", *ANALYSES, cwd=empty.root)
    found = rows(empty, "SELECT status, decided_by FROM dce_sets ORDER BY status DESC")
    assert found == [("none", "A. Reader: movement"), ("found", "rule"), ("found", "rule")]
    assert rows(empty, LAST) == [(4,)]
    file.write_text(file.read_text().replace("not-dynamic", "perhaps") + f"{study_uid},1.2.3,dynamic,A,b\n")
    said = quick("ingest", "decisions", file, "--collection", "sim", cwd=empty.root, code=7)
    assert "decision.unknown-series" in said.stderr and "decisions.csv:2" in said.stderr


def test_the_function_behind_the_command_is_the_same(empty, images):
    """In this process, so that errors of workers would show."""
    loaded = dicom(empty, images, "sim", how=Loading(dry_run=True))
    assert loaded.by_table["imaging_instances"]["inserted"] == 36 and loaded.run_id is None
    assert (loaded.what, loaded.command) == (
        f"sim/dicom/{images.name}", f"tshdb ingest dicom {images.name} --collection sim"
    )  # fmt: skip


def test_mutated_files_give_a_header_or_one_kind_of_error(tmp_path):
    """Bytes changed, cut, inserted and removed in the header: whatever pydicom raises comes out as Unreadable."""
    import random
    import warnings

    from ingest.imaging.dicom_seg import read as read_seg

    data = one_file(tmp_path, ClinicalTrialTimePointID="T0", ContrastBolusAgent="yes").read_bytes()
    path = tmp_path / "mutated.dcm"
    chance = random.Random(3)
    outcomes = {"read": 0, "refused": 0}
    for _ in range(600):
        mutated = bytearray(data)
        at, n = chance.randrange(128, len(data)), chance.randint(1, 30)
        what = chance.random()
        if what < 0.4:
            for _ in range(chance.randint(1, 6)):
                mutated[chance.randrange(128, len(data))] = chance.randrange(256)
        elif what < 0.6:
            del mutated[at:]
        elif what < 0.8:
            mutated[at:at] = chance.randbytes(n)
        else:
            del mutated[at : at + n]
        path.write_bytes(mutated)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for read in (lambda: digest_and_header(path, accepts_identified=True), lambda: read_seg(path)):
                try:
                    read()
                    outcomes["read"] += 1
                except Unreadable:
                    outcomes["refused"] += 1
    assert min(outcomes.values()) > 50
