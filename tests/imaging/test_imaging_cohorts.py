"""The paper's imaging cohorts on studies of their shape: written as DICOM, ingested, split, looked at, counted."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ingest.simulate.dce_layouts import LAYOUTS, SimulatedExamination, ge_content_time, write_examination
from ingest.simulate.dicom_files import SAGITTAL, Geometry, uid
from tests.support import tiny
from tshdb.actions.imaging import dicom
from tshdb.cohorts.versions import define, find_version, freeze
from tshdb.database import reading, writing
from tshdb.study import Study

ANALYSES = ["series_roles", "dce_sets", "dce_slices"]
PRESET = {
    "nact": "prognostic_validation_nact",
    "ispy1": "prognostic_validation_ispy1",
    "tcga": "radiogenomic_development",
}


def scan(folder, patient: str, n_phases: int) -> str:
    """Write the images of a patient; gives the study's UID."""
    volumes = [np.full((2, 4, 4), 50 + 40 * p, np.uint16) for p in range(n_phases)]
    e = SimulatedExamination(patient, "T0", volumes, Geometry(orientation=SAGITTAL))
    layout = ge_content_time if n_phases > 1 else LAYOUTS["instance blocks"][0]
    write_examination(e, layout, folder)
    return uid(patient, "T0")


def ingest(study: Study, folder, collection: str) -> None:
    dicom(study, folder, collection, jobs=1)
    tiny.rebuild(study, names=ANALYSES)


def verdicts(path, rows: list[tuple[str, str]]) -> None:
    lines = ["study_uid,patient_id,verdict,cause,read_by,comment"]
    path.write_text("\n".join([*lines, *(f"{u},,fail,{cause},A. Reader,seen" for u, cause in rows)]) + "\n")


@pytest.fixture
def study(tmp_path):
    made = tiny.new_study(tmp_path / "study", live=False)
    yield made
    made.engine.dispose()


def flow(study: Study, name: str) -> tuple[list[int], int]:
    """(how many each step lets through, members) of a preset's cohort as it is now."""
    with writing(study.engine) as connection:
        define(connection, name, (study.root / f"cohorts/{name}.sql").read_text())
    with reading(study.engine) as connection:
        found = find_version(connection, name)
    return [s.n_out for s in found.flow], len(found.members)


def test_64_patients_of_nact_less_3_of_poor_quality_are_61(study, tmp_path, quick):
    studies = [scan(tmp_path / "images", f"UCSF-BR-{i:02d}", 3) for i in range(64)]
    ingest(study, tmp_path / "images", "breast-mri-nact-pilot")
    verdicts(tmp_path / "seen.csv", [(u, "poor_quality") for u in studies[5:8]])
    quick("qc", "import", tmp_path / "seen.csv", "--collection", "breast-mri-nact-pilot", cwd=study.root)
    assert flow(study, PRESET["nact"]) == ([64, 64, 64, 61], 61)


def test_222_patients_of_ispy1_less_22_and_9_and_11_are_180(study, tmp_path, quick):
    studies = [scan(tmp_path / "images", f"ISPY1_{1000 + i}", 1 if i < 22 else 3) for i in range(222)]
    ingest(study, tmp_path / "images", "ispy1")
    assert flow(study, PRESET["ispy1"]) == ([222, 200, 200, 200], 200)
    seen = [(u, "no_tumor") for u in studies[22:31]] + [(u, "poor_quality") for u in studies[31:42]]
    verdicts(tmp_path / "seen.csv", seen)
    quick("qc", "import", tmp_path / "seen.csv", "--collection", "ispy1", cwd=study.root)
    assert flow(study, PRESET["ispy1"]) == ([222, 200, 191, 180], 180)


def test_137_patients_of_tcga_brca_less_1_and_21_and_24_are_91(study, tmp_path):
    settings = study.root / "study.toml"  # the tables of `tiny` have a collection of their own
    settings.write_text(settings.read_text() + '\n[collections]\nsame_patients = ["tcga-tn", "tcga-brca"]\n')
    study = Study(study.root)
    archive = tiny.TinyArchive()
    names = [archive.add(i + 100, paired=i < 24) for i in range(137)]
    tiny.ingest(study, archive, images=False)
    images = tmp_path / "images"
    for i, name in enumerate(names):
        scan(images, name, 2 if 24 <= i < 45 else 3)
    scan(images, "TCGA-TN-9999", 3)  # without RNA
    for name in names[136:]:  # 136 with RNA and images, and the one without RNA
        import shutil

        shutil.rmtree(images / name)
    ingest(study, images, "tcga-brca")
    with writing(study.engine) as connection:
        define(connection, tiny.COHORT, (study.root / f"cohorts/{tiny.COHORT}.sql").read_text())
        freeze(connection, tiny.COHORT)
    steps, n = flow(study, PRESET["tcga"])
    assert steps == [137, 136, 115, 91, 91, 91] and n == 91


def test_bad_verdicts_are_named_with_their_line(study, tmp_path, quick):
    (one, two) = (scan(tmp_path / "images", f"UCSF-BR-0{i}", 3) for i in range(2))
    ingest(study, tmp_path / "images", "nact")
    file = tmp_path / "seen.csv"
    file.write_text(
        "study_uid,verdict,cause,read_by\n"
        f"{one},perhaps,,A\n{one},fail,ugly,A\n{one},pass,,\n1.2.3,pass,,A\n{two},,,\n{two},pass,,A\n{two},fail,,A\n"
    )
    done = quick("qc", "import", file, "--collection", "nact", "--json", cwd=study.root, code=7)
    found = [(f["line"], f["rule"]) for f in json.loads(done.stdout)["findings"]]
    assert found == [
        (2, "verdict.unknown"), (3, "verdict.unknown"), (4, "verdict.nobody"), (5, "verdict.unknown-study"),
        (8, "verdict.twice"),
    ]  # fmt: skip
    quick("qc", "import", file, "--collection", "nact", "--keep-going", cwd=study.root, code=3)
    rows = study.sql("SELECT study_uid, verdict, read_by FROM qc_verdicts").values.tolist()
    assert rows == [[two, "pass", "A"]]


def test_verdicts_of_lesions_are_judged_by_their_outline(study, tmp_path, quick):
    (one,) = (scan(tmp_path / "images", "UCSF-BR-00", 3) for _ in range(1))
    ingest(study, tmp_path / "images", "nact")
    file, digest = tmp_path / "seen.csv", "a" * 64
    file.write_text(
        "study_uid,outline,verdict,cause,read_by,seen\n"
        f"{one},,pass,,A,\n{one},grown,fail,no_tumor,A,{digest}\n{one},grown,pass,,B,\n{one},nobody#1,fail,,A,\n"
        f"{one},grown,fail,,A,abc\n"
    )
    done = quick("qc", "import", file, "--collection", "nact", "--json", cwd=study.root, code=7)
    found = [(f["line"], f["rule"]) for f in json.loads(done.stdout)["findings"]]
    assert found == [(4, "verdict.twice"), (5, "verdict.unknown-outline"), (6, "verdict.unknown")]
    quick("qc", "import", file, "--collection", "nact", "--keep-going", cwd=study.root, code=3)
    assert study.sql("SELECT study_uid, verdict FROM qc_verdicts").values.tolist() == [[one, "pass"]]
    rows = study.sql("SELECT study_uid, outline, verdict, cause, read_by, seen FROM lesion_verdicts").values.tolist()
    assert rows == [[one, "grown", "fail", "no_tumor", "A", digest]]
