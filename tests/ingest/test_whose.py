"""Two hospitals number their patients alike: an id of another collection is another person, unless the study says otherwise."""

from __future__ import annotations

import pytest

from tests.support import tiny
from tshdb.study import Study

MAP = """[patient_id]
column = "id"
{template}
[patients.age_years]
column = "age"
[follow_ups.OS]
time_origin = "diagnosis"
event = {{ column = "dead", codes = {{ "0" = false, "1" = true }} }}
duration = {{ column = "days", unit = "days" }}
"""


@pytest.fixture
def two(tmp_path, quick):
    """A study with patients H001 and H002 of hospital-a; a function that loads a table of hospital-b, and what it gives."""
    study = tiny.new_study(tmp_path / "study", analyses=tiny.CORE)

    def load(name: str, rows: str, *words: str, template: str = "", code: int | None = 0):
        (tmp_path / f"{name}.csv").write_text(f"id,age,days,dead\n{rows}")
        (tmp_path / f"{name}.toml").write_text(MAP.format(template=template))
        return quick("ingest", "clinical", tmp_path / f"{name}.csv", "--collection", name, "--map", tmp_path / f"{name}.toml",
                     *words, cwd=study.root, code=code)  # fmt: skip

    load("hospital-a", "H001,50,400,0\nH002,60,800,1\n")
    return study, load


def people(study) -> list[tuple]:
    frame = Study(study.root).sql(
        "SELECT patient_id, collection, CAST(age_years AS INTEGER) AS a FROM patients ORDER BY 1"
    )
    return list(frame.itertuples(index=False, name=None))


FIRST = [("H001", "hospital-a", 50), ("H002", "hospital-a", 60)]


def test_another_hospital_s_patient_of_that_number_is_refused(two):
    study, load = two
    for words in ((), ("--dry-run",)):
        said = load("hospital-b", "H003,33,10,0\nH001,71,90,1\n", *words, code=7)
        both = said.stdout + said.stderr
        assert "H001" in both and "is a patient of the collection hospital-a" in both and 'template = "B_{}"' in both
        assert people(study) == FIRST, "nothing is loaded"


def test_good_rows_are_loaded_beside_when_that_is_asked_for(two):
    study, load = two
    load("hospital-b", "H003,33,10,0\nH001,71,90,1\n", "--keep-going", code=3)
    assert people(study) == [*FIRST, ("H003", "hospital-b", 33)]
    frame = Study(study.root).sql(
        "SELECT patient_id FROM follow_ups UNION SELECT patient_id FROM clinical_values ORDER BY 1"
    )
    assert frame["patient_id"].tolist() == ["H001", "H002", "H003"]
    assert Study(study.root).sql("SELECT event FROM follow_ups WHERE patient_id = 'H001'")["event"].tolist() == [False]


def test_a_prefix_keeps_them_apart(two):
    study, load = two
    load("hospital-b", "H001,71,90,1\n", template='template = "B_{}"')
    assert people(study) == [("B_H001", "hospital-b", 71), *FIRST]


@pytest.mark.parametrize("said", ['["hospital-a", "hospital-b"]', '[["x", "y"], ["hospital-b", "hospital-a"]]'])
def test_the_study_can_say_that_they_are_the_same_people(two, said):
    study, load = two
    path = study.root / "study.toml"
    path.write_text(path.read_text() + f"\n[collections]\nsame_patients = {said}\n")
    load("hospital-b", "H001,50,400,0\nH003,33,10,0\n")
    assert people(study) == [*FIRST, ("H003", "hospital-b", 33)]


def test_a_setting_that_is_no_list_is_refused(two, quick):
    study, _ = two
    path = study.root / "study.toml"
    path.write_text(path.read_text() + "\n[collections]\nsame_patient = true\n")
    assert "[collections] same_patient" in quick("plan", cwd=study.root, code=7).stderr


def test_rna_and_features_of_another_collection_are_refused_as_well(core, tmp_path, quick):
    """Their samples and examinations would be the other hospital's."""
    archive = tiny.TinyArchive.make(2)
    matrix, _ = archive.write(tmp_path / "raw")
    features = archive.write_features(tmp_path / "raw")
    before = tiny.dump(core)
    for words in (("rna", matrix, "--unit", "rsem", "--scale", "linear"), ("features", features)):
        said = quick("ingest", *words, "--collection", "hospital-b", cwd=core.root, code=7)
        assert "is a patient of the collection tcga-tn" in said.stdout + said.stderr, words
    assert tiny.dump(core) == before


def test_the_same_collection_again_is_no_stranger(two):
    study, load = two
    load("hospital-a", "H001,51,400,0\nH002,60,800,1\nH004,44,1,0\n")
    assert people(study) == [("H001", "hospital-a", 51), ("H002", "hospital-a", 60), ("H004", "hospital-a", 44)]
