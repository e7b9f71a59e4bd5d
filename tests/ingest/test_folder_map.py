"""One map for a folder: sections of files, what they may not say, and the first map that is written."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from ingest.expression import rna_map
from ingest.simulate.dicom_files import Geometry
from ingest.simulate.mask_writers import write_volume
from ingest.tables import mapped, maps
from ingest.tables.guess import guess
from ingest.tables.guessed_columns import date_formats
from tshdb.errors import InvalidInput
from tshdb.map_files import FolderMap, written_map
from tshdb.schema import FollowUp

AGES = '[file.patient_id]\ncolumn = "id"\n[file.patients.age_years]\ncolumn = "age"\n'


def folder_map(tmp_path: Path, *sections: str) -> FolderMap:
    path = tmp_path / "folder.map.toml"
    path.write_text("".join(f"[[file]]\n{section}\n" for section in sections))
    return FolderMap(path)


@pytest.mark.parametrize(
    ("name", "file", "is_of"),
    [
        ("a.csv", "a.csv", True),
        ("a.csv", "tables/a.csv", True),
        ("tables/a.csv", "a.csv", True),  # a source that is named by its file alone
        ("tables/a.csv", "other/a.csv", False),
        ("mrt/*/mask.nii.gz", "mrt/P1/mask.nii.gz", True),
        ("mask_*.nii.gz", "mrt/mask_12.nii.gz", True),
        ("a.csv", "aa.csv", False),
    ],
)
def test_a_section_is_of_a_file_part_by_part_from_the_end(tmp_path, name, file, is_of):
    found = folder_map(tmp_path, f'name = "{name}"\n{AGES}').section_of(file)
    assert (found is not None) is is_of


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[patient_id]\ncolumn = "id"\n', "no map of a folder's files"),
        (f"[[file]]\n{AGES}", "folder.map.toml:1: a section .* without a name"),
        ('x = 1\n[[file]]\nname = "a.csv"\n', "no map of a folder's files"),
        ('[[file]]\nname = "a.csv"\nleave_out = ["x"]\n', "leave_out is true or false"),
        ("[[file]\n", "not TOML"),
    ],
)
def test_what_is_no_map_of_a_folder_is_refused(tmp_path, text, says):
    (tmp_path / "folder.map.toml").write_text(text)
    with pytest.raises(InvalidInput, match=says):
        FolderMap(tmp_path / "folder.map.toml")


def test_two_sections_of_one_file_are_refused_but_a_name_goes_before_a_pattern(tmp_path):
    found = folder_map(
        tmp_path, f'name = "a*.csv"\n{AGES}', f'name = "?1.csv"\n{AGES}', 'name = "a2.csv"\nleave_out = true'
    )
    with pytest.raises(InvalidInput, match="two sections are of a1.csv"):
        found.section_of("a1.csv")
    assert (
        found.section_of("a2.csv").section == "a2.csv"
        and found.is_left_out("a2.csv")
        and not found.is_left_out("a3.csv")
    )


def test_a_question_is_named_by_its_own_line_and_stops_its_own_file_alone(tmp_path):
    open_one = AGES.replace('"age"', '"?"')
    path = folder_map(tmp_path, f'name = "a.csv"\n{AGES}', f'name = "b.csv"\n{open_one}').path
    assert maps.load_map(path, None, "a.csv").patients["age_years"].column == "age"
    with pytest.raises(InvalidInput, match=r"folder.map.toml:13: a \? stands"):
        maps.load_map(path, None, "b.csv")
    with pytest.raises(InvalidInput, match="no section of c.csv"):
        written_map(path, "c.csv")


def test_each_reader_takes_its_section(quick, empty_study, tmp_path):
    folder = tmp_path / "own"
    for name, age in (("one", 61), ("two", 49)):
        (folder / name).mkdir(parents=True)
        (folder / name / "data.csv").write_text(f"id,age\nP-{name},{age}\n")
    (folder / "drafts.csv").write_text("id,age\nP-draft,1\n")
    (folder / "m.tsv").write_text("gene\tP-one_T\nCD3D\t1.5\nTP53\t300\nGAPDH\t9\n")
    folder_map(
        folder, f'name = "data.csv"\n{AGES}', 'name = "drafts.csv"\nleave_out = true', 'name = "gone.csv"\n',
        'name = "m.tsv"\n[file.expression]\nunit = "tpm"\nscale = "linear"\n[file.samples]\n'
        'pattern = "(?P<patient>.+)_(?P<tissue>T)"\ntissues = { T = "tumor" }',
    )  # fmt: skip
    said = quick("ingest", folder, "--collection", "own", cwd=empty_study.root)
    assert "drafts.csv: left out, as the map says" in said.stderr and "gone.csv" in said.stderr
    rows = empty_study.sql("SELECT patient_id, age_years FROM patients ORDER BY 1")
    assert rows.values.tolist() == [["P-one", 61.0], ["P-two", 49.0]]
    sources = empty_study.sql("SELECT name FROM source_files WHERE is_current AND reader = 'clinical' ORDER BY 1")
    assert sources["name"].tolist() == ["one/data.csv", "two/data.csv"], "two files of one name are two sources"
    assert empty_study.sql("SELECT sample_id FROM samples")["sample_id"].tolist() == ["P-one_T"]


def test_a_section_that_cannot_be_followed_is_said_and_the_others_load(quick, empty_study, tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "a.csv").write_text("id,age\nP1,61\n")
    (folder / "b.csv").write_text("id,age\nP2,61\n")
    (folder / "m.nii.gz").write_bytes(b"x")
    folder_map(
        folder, f'name = "a.csv"\n{AGES}', f'name = "b.csv"\n{AGES.replace("age_years", "weight")}',
        'name = "m.nii.gz"\n[file.masks]\nkind = "exprt"',
    )  # fmt: skip
    said = quick("ingest", folder, "--collection", "own", cwd=empty_study.root, code=3).stderr
    assert "patients.weight is no column of patients" in said and "masks.kind" in said and "expert" in said
    assert empty_study.sql("SELECT patient_id FROM patients")["patient_id"].tolist() == ["P1"]
    assert "Traceback" not in said


def test_a_first_map_is_never_written_over_another(quick, empty_study, tmp_path):
    folder = tmp_path / "own folder"
    folder.mkdir()
    (folder / "a.csv").write_text("Patient ID,Age\nP1,61\nP2,50\n")
    command = ("ingest", folder, "--collection", "own", "--guess")
    said = quick(*command, cwd=empty_study.root).stderr
    assert f"tshdb ingest '{folder}' --collection own --dry-run" in said, "as a shell takes it"
    assert tomllib.loads((folder / "folder.map.toml").read_text())["file"][0]["patients"] == {
        "age_years": {"column": "Age"}
    }
    assert "a map is there already" in quick(*command, cwd=empty_study.root, code=7).stderr
    quick(*command[:-1], cwd=empty_study.root)
    other = tmp_path / "other.toml"
    assert "no file waits for a map" in quick(*command, "--map", other, cwd=empty_study.root, code=7).stderr


def test_masks_of_one_name_in_several_folders_are_several_masks(quick, study, tmp_path):
    """And a sheet names them by their folders: one that names the file alone is of none of them."""
    patients = study.sql("SELECT DISTINCT patient_id FROM imaging_studies ORDER BY 1")["patient_id"].tolist()[:2]
    folder = tmp_path / "masks"
    for i, patient in enumerate(patients, 1):
        mask = np.zeros((3, 4, 4), np.uint8)
        mask[1, 1, :i] = 1
        (folder / patient).mkdir(parents=True)
        write_volume(folder / patient / "outline.nii.gz", mask, Geometry())
    query = (
        "SELECT patient_id, s.n_voxels, s.kind FROM segmentations s JOIN imaging_studies USING (study_uid) "
        "WHERE segmentation_id LIKE '%outline%' ORDER BY 1"
    )
    quick("ingest", "segmentation", folder, "--collection", "tcga-tn", "--kind", "manual", cwd=study.root)
    assert study.sql(query).values.tolist() == [[patients[0], 1, "manual"], [patients[1], 2, "manual"]]
    rows = "".join(f"{p}/outline.nii.gz,{p},expert\n" for p in patients)
    (folder / "segmentations.csv").write_text(f"file,patient_id,kind\n{rows}")
    quick("ingest", folder, "--collection", "tcga-tn", cwd=study.root)
    assert study.sql(query)["kind"].tolist() == ["expert", "expert"]


# ----------------------------------------------------------------------------------------------- what is guessed


@pytest.mark.parametrize(
    ("cells", "formats"),
    [
        (["01.02.2015", "13.02.2015"], ["DD.MM.YYYY"]),
        (["2015-02-01"], ["YYYY-MM-DD"]),
        (["01/02/2015", "03/04/2015"], ["DD/MM/YYYY", "MM/DD/YYYY"]),
        (["01/13/2015"], ["MM/DD/YYYY"]),
        (["12", "13"], []),
        ([], []),
    ],
)
def test_the_format_of_dates_is_found_or_left_open(cells, formats):
    assert date_formats(cells) == formats


TABLE = "ID;Größe;Diagnosis date;Date of death;Last follow-up\n{}"
ROWS = ["1;2,5;03/04/2015;;05/06/2019", "2;3,5;04/05/2015;06/07/2017;06/07/2017", "3;4,5;05/05/2015;;07/08/2019"]


def first_map(tmp_path: Path, rows: list[str]) -> dict:
    (tmp_path / "t.csv").write_bytes(TABLE.format("\n".join(rows) + "\n").encode("cp1252"))
    return tomllib.loads(guess(tmp_path / "t.csv"))


def test_a_text_of_windows_with_dates(tmp_path):
    map_ = first_map(tmp_path, ROWS)
    assert map_["table"] == {"encoding": "cp1252", "decimal_comma": True}
    duration = {"start": "Diagnosis date", "end": "Date of death", "else_end": "Last follow-up", "dates": "?"}
    assert map_["follow_ups"]["OS"] == {
        "time_origin": "diagnosis", "event": {"column": "Date of death", "none": []}, "duration": duration,
    }, "day or month first: nothing says which"  # fmt: skip
    clear = first_map(tmp_path, [*ROWS, "4;1,5;13/04/2015;;20/06/2019"])
    assert clear["follow_ups"]["OS"]["duration"]["dates"] == "DD/MM/YYYY"


def test_two_dates_that_could_begin_the_time_compete(tmp_path):
    (tmp_path / "t.csv").write_text(
        "ID,Date of diagnosis,Surgery date,Recurrence,Recurrence date,Last follow-up\n"
        + "".join(
            f"P{i},0{i}.01.2015,0{i}.02.2015,{'yes' if i < 3 else 'no'},0{i}.01.2016,0{i}.01.2017\n"
            for i in range(1, 9)
        )
    )
    rfs = tomllib.loads(guess(tmp_path / "t.csv"))["follow_ups"]["RFS"]
    assert rfs["event"] == {"column": "Recurrence", "codes": {"no": False, "yes": True}}
    assert (rfs["time_origin"], rfs["duration"]["start"], rfs["duration"]["end"]) == ("?", "?", "Recurrence date")


@pytest.mark.parametrize(
    ("name", "names", "says"),
    [
        ("tpm.tsv", ["P1-T", "P1-N"], {"unit": "tpm", "tissues": {"T": "tumor", "N": "stroma"}}),
        ("values.tsv", ["P1_T", "P1_X"], {"unit": "?", "tissues": {"T": "tumor", "X": "?"}}),
        ("values.tsv", ["P1", "P2"], {"unit": "?", "tissue": "?"}),
    ],
)
def test_a_first_map_of_a_matrix_says_whose_columns_are_or_asks(tmp_path, name, names, says):
    rows = "".join(f"{g}\t{1.5 + i}\t{40.25 * i}\n" for i, g in enumerate(("TP53", "CD3D", "GAPDH")))
    (tmp_path / name).write_text("gene\t" + "\t".join(names) + "\n" + rows)
    made = tomllib.loads(rna_map.guess(tmp_path / name))
    assert made["expression"]["unit"] == says.pop("unit")
    assert {key: made["samples"][key] for key in says} == says


# ---------------------------------------------------------------------------- the day of an event, and the day otherwise


DATED = """
[patient_id]
column = "id"
[follow_ups.RFS]
time_origin = "surgery"
event = { column = "event", codes = { yes = true, no = false } }
duration = { start = "a", end = "day", else_end = "last", dates = "DD.MM.YYYY" }
"""


def outcome(tmp_path: Path, row: str):
    (tmp_path / "t.csv").write_text(f"id,event,a,day,last\nP1,{row}\n")
    content = mapped.read(tmp_path / "t.csv", "c", maps.ClinicalMap.model_validate(
        maps.as_recorded(maps.parse_map(DATED, "m"))))  # as the study keeps it  # fmt: skip
    made = [(r.values["event"], r.values["duration_days"]) for r in content.records if r.table is FollowUp]
    return made, [f.rule for f in content.findings if f.rule.startswith("follow-up")], content


def test_an_event_ends_on_its_day_and_nothing_else_on_the_last_contact(tmp_path):
    assert outcome(tmp_path, "yes,01.01.2015,11.01.2015,21.01.2015")[:2] == ([(True, 10)], [])
    assert outcome(tmp_path, "no,01.01.2015,,21.01.2015")[:2] == ([(False, 20)], [])
    assert outcome(tmp_path, "yes,01.01.2015,,21.01.2015")[:2] == ([(True, None)], ["follow-up.event-without-day"])
    assert outcome(tmp_path, ",01.01.2015,,21.01.2015")[:2] == ([(None, None)], [])
    made, rules, content = outcome(tmp_path, "no,01.01.2015,11.01.2015,21.01.2015")
    assert (made, rules) == ([], ["follow-up.day-without-event"])
    assert not any("2015" in (f.value or "") + f.message for f in content.findings)
