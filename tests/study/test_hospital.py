"""A hospital's own folder, to its first report: six commands and one map that a person edits. Right values by hand."""

from __future__ import annotations

import csv
import json
import math
import re
from collections import Counter
from pathlib import Path

import pytest
import SimpleITK as sitk

from tests.support.hospital import (
    FIRST_NAMES,
    LAST_NAMES,
    N_IMAGES,
    N_PATIENTS,
    WITHOUT_NORMAL,
    WITHOUT_RNA,
    german,
    markers,
    write_hospital,
)
from tests.support.program import run_quick
from tshdb.study import Study
from tshdb.tables.numbers import ratio

pytestmark = pytest.mark.xdist_group("hospital")
COHORT = "tumor_stroma_development"
# of three patients, as they stand in the files, the days between them counted on a calendar
BY_HAND = {
    # 2015-09-16 to 2019-09-16 is 4 x 365 + 1 (29 February 2016), to 3 January 14 + 31 + 30 + 31 + 3 = 109 more
    ("MZ-0001", "OS"): ("16.09.2015", "03.01.2020", True, 1461 + 109),
    # 2015-10-29 to 2019-10-29 is 1461, and 15 October is 14 days before
    ("MZ-0001", "RFS"): ("29.10.2015", "15.10.2019", True, 1461 - 14),
    # 2016-09-05 to 2018-09-05 is 730, and 25 June is 5 + 31 + 31 + 5 = 72 days before
    ("MZ-0002", "OS"): ("05.09.2016", "25.06.2018", True, 730 - 72),
    ("MZ-0002", "RFS"): ("13.10.2016", "01.04.2017", True, 18 + 30 + 31 + 31 + 28 + 31 + 1),
    # to 2020-11-22 is 1461 (29 February 2020), then 8 + 31 + 31 + 28 + 31 + 30 + 31 + 30 + 22 to 22 July
    ("MZ-0003", "OS"): ("22.11.2016", "22.07.2021", False, 1461 + 242),
    # to 2021-01-17 is 1461, then 14 + 28 + 31 + 30 + 31 + 30 + 22
    ("MZ-0003", "RFS"): ("17.01.2017", "22.07.2021", False, 1461 + 186),
}


@pytest.fixture(scope="module")
def hospital(tmp_path_factory):
    """(the study, the hospital's folder, who is in it, what each command said), after the six commands of docs/first-study.md."""
    at = tmp_path_factory.mktemp("hospital")
    people = write_hospital(at / "klinik")
    said = {}

    def tshdb(*words: object, cwd: Path = at / "mainz") -> None:
        done = run_quick(*words, cwd=cwd)
        said[words[0], len(said) + 1] = done.stdout + done.stderr

    tshdb("init", "mainz", cwd=at)
    tshdb("ingest", "../klinik", "--collection", "mainz", "--guess")
    edit(at / "klinik" / "folder.map.toml")
    tshdb("ingest", "../klinik", "--collection", "mainz")
    tshdb("cohort", "define", COHORT, f"cohorts/{COHORT}.sql", "--freeze")
    tshdb("rebuild")
    tshdb("report")
    assert len(said) == 6
    return Study(at / "mainz"), at / "klinik", people, list(said.values())


def edit(map_: Path) -> None:
    """What the hospital's own people must say: who drew the masks. All else the first map has."""
    text = map_.read_text(encoding="utf-8")
    assert [line.split("#")[0].strip() for line in text.splitlines() if '"?"' in line] == ['kind = "?"']
    map_.write_text(text.replace('kind = "?"', 'kind = "expert"'), encoding="utf-8")


def test_everybody_is_there_as_the_hospital_wrote_it(hospital):
    study, _, people, _ = hospital
    rows = study.sql("SELECT * FROM patients ORDER BY patient_id")
    assert rows["patient_id"].tolist() == [p.patient_id for p in people] and len(rows) == N_PATIENTS
    status = {"positiv": "positive", "negativ": "negative"}
    for row, p in zip(rows.to_dict("records"), people, strict=True):
        assert row["age_years"] == pytest.approx(p.age) and row["sex"] == "female"
        for column, word in (("er", p.er), ("pr", p.pr), ("her2", p.her2)):
            value, reason = row[f"{column}_status"], row[f"{column}_status_reason"]
            assert (value, reason) == (status[word], None) if word in status else (None, word)
        assert (row["t_stage"], row["n_stage"]) == (p.t.removeprefix("p"), p.n.removeprefix("p"))
        assert row["tumor_size_mm"] == pytest.approx(10 * p.size_cm)
        assert row["laterality"] == {"links": "left", "rechts": "right"}[p.side]
    assert Counter(p.er for p in people).keys() == {"positiv", "negativ", "nicht bestimmt"}, "all words take part"
    grades = study.sql("SELECT patient_id, value FROM clinical_values WHERE field = 'Pathologie: Grading' ORDER BY 1")
    assert grades["value"].tolist() == [str(p.grade) for p in people], "what no section asks for is kept as found"


def test_dates_are_durations(hospital):
    study, folder, people, _ = hospital
    rows = study.sql("SELECT * FROM follow_ups").set_index(["patient_id", "endpoint"])
    with (folder / "klinik.csv").open(encoding="cp1252", newline="") as file:
        written = {row["Patienten-ID"]: row for row in csv.DictReader(file, delimiter=";")}
    for (patient, endpoint), (start, end, event, days) in BY_HAND.items():
        row, source = rows.loc[patient, endpoint], written[patient]
        if endpoint == "OS":
            assert (source["Erstdiagnose"], source["Verstorben am"] or source["Letzter Kontakt"]) == (start, end)
        assert (row["event"], row["duration_days"]) == (event, days), (patient, endpoint)
    for p in people:
        assert rows.loc[p.patient_id, "OS"]["event"] == (p.death is not None)
        assert rows.loc[p.patient_id, "RFS"]["event"] == (p.recurrence is not None)
        end = p.recurrence or p.last_contact
        assert rows.loc[p.patient_id, "RFS"]["duration_days"] == (end - p.surgery).days
    assert set(rows["time_origin"]) == {"diagnosis", "surgery"} and len(rows) == 2 * N_PATIENTS


DATES = re.compile(rb"\d{4}-\d\d-\d\d|\d\d\.\d\d\.\d{4}|(?<!\d)\d{8}(?!\d)")


def test_no_name_and_no_date_of_a_person_is_anywhere_in_the_study(hospital):
    study, folder, people, _ = hospital
    days = {d for p in people for d in (p.birth, p.diagnosis, p.last_contact, p.surgery, p.recurrence) if d is not None}
    of_images = set(study.sql("SELECT study_date FROM imaging_studies")["study_date"].astype(str).str[:10])
    assert len(of_images) == N_IMAGES, "the days of examinations are kept, as DICOM has them"
    dates = {form.encode() for d in days if str(d) not in of_images for form in (german(d), str(d), f"{d:%Y%m%d}")}
    names = {n.encode(e) for n in (*FIRST_NAMES, *LAST_NAMES, "Hausarzt") for e in ("utf-8", "cp1252", "utf-16-le")}

    def told(content: bytes) -> set[bytes]:
        return (set(DATES.findall(content)) & dates) | {name for name in names if name in content}

    assert len(told((folder / "klinik.csv").read_bytes())) > 100, "they are in the hospital's own file"
    study.engine.dispose()
    files = [p for p in (*study.root.rglob("*"), folder / "folder.map.toml") if p.is_file()]
    assert len(files) > 50 and {p.name: told(p.read_bytes()) for p in files if told(p.read_bytes())} == {}


def test_every_sample_has_abundances_and_they_are_the_mean_of_its_markers(hospital):
    study, folder, _, _ = hospital
    rows = study.sql(
        "SELECT sample_id, population, abundance, n_markers_found "
        "FROM cell_abundances JOIN expression_profiles USING (profile_id)"
    )
    n_samples = 2 * (N_PATIENTS - len(WITHOUT_RNA)) - len(WITHOUT_NORMAL)
    assert rows["sample_id"].nunique() == n_samples and rows["abundance"].notna().all()
    with (folder / "rna" / "tpm.tsv").open(newline="") as file:
        tpm = {row["gene_id"].split(".")[0]: row for row in csv.DictReader(file, delimiter="\t")}
    genes = [ensembl for population, ensembl in markers() if population == "Cytotoxic lymphocytes"]
    mean = math.fsum(math.log2(float(tpm[g]["MZ-0007_T"]) + 1) for g in genes) / len(genes)
    (one,) = rows[(rows.sample_id == "MZ-0007_T") & (rows.population == "Cytotoxic lymphocytes")].to_dict("records")
    assert one["abundance"] == pytest.approx(mean, abs=1e-9) and one["n_markers_found"] == len(genes)
    ratios = study.sql("SELECT count(DISTINCT patient_id) AS n FROM tsh_ratios")["n"].tolist()
    assert ratios == [N_PATIENTS - len(WITHOUT_RNA) - len(WITHOUT_NORMAL)]


def test_every_mask_is_its_own_patients_and_features_are_computed_in_it(hospital):
    study, folder, people, _ = hospital
    with_images = people[:N_IMAGES]
    rows = study.sql(
        "SELECT i.patient_id, s.n_voxels, s.kind, m.status FROM segmentations s JOIN imaging_studies i USING (study_uid) "
        "JOIN masks m USING (segmentation_id) ORDER BY 1"
    )
    assert rows["patient_id"].tolist() == [p.patient_id for p in with_images]
    masks = [sitk.ReadImage(str(folder / "mrt" / p.patient_id / "maske.nii.gz")) for p in with_images]
    assert rows["n_voxels"].tolist() == [int(sitk.GetArrayFromImage(mask).sum()) for mask in masks]
    assert len(set(rows["n_voxels"])) > N_IMAGES / 2, "they differ"
    assert set(rows["kind"]) == {"expert"} and set(rows["status"]) == {"fits"}
    values = study.sql(
        "SELECT patient_id, region, map, count(value) AS n FROM radiomic_features JOIN imaging_studies USING (study_uid) "
        "GROUP BY ALL"
    )
    at = values.set_index(["patient_id", "region", "map"])["n"]
    assert all(at[p.patient_id, region, "S0"] > 50 for p in with_images for region in ("tumor", "stroma"))


def test_the_report_has_the_numbers_and_what_was_planted_is_found(hospital):
    study, _, _, said = hospital
    n = N_PATIENTS - len(WITHOUT_RNA) - len(WITHOUT_NORMAL)
    assert f"{n} members" in said[3]
    terms = study.sql(
        "SELECT term, hazard_ratio, ci_lower, ci_upper, p_value, n FROM cox_terms WHERE model = 'univariable'"
    ).set_index("term")
    assert (terms["n"] == n).all()
    planted = terms.loc["Cytotoxic lymphocytes"]
    assert planted["hazard_ratio"] < 1 and planted["p_value"] < 0.01
    assert terms.loc["Fibroblasts"]["hazard_ratio"] > 1 and terms.loc["Endothelial cells"]["p_value"] > 0.05
    page = re.sub(r"<[^>]+>", " ", (study.root / "reports" / "report.html").read_text(encoding="utf-8"))
    page = re.sub(r"\s+", " ", page)
    assert f"Cytotoxic lymphocytes {ratio(planted)}" in page and f"n = {n}" in page
    assert f"{N_PATIENTS} patients" in page and "klinik.csv" in page


def test_the_ingest_says_of_every_file_what_became_of_it(hospital):
    _, folder, _, said = hospital
    first, loaded = said[1], said[2]
    for name in (
        "Befunde 2024.xlsx",
        "klinik.csv",
        "rna/tpm.tsv",
        f"{N_IMAGES} files called maske.nii.gz",
        f"{len(list(folder.rglob('*.dcm')))} files (1-001.dcm …) below mrt: DICOM files",
        "Anleitung.txt",
    ):
        assert name in first and name in loaded, name
    assert first.count("not loaded; it needs") == 4 and "with 1 line to decide (?)" in first
    assert "Anleitung.txt: text, and no table\n  not loaded" in loaded
    assert "Name (names), Vorname (names), Geburtsdatum (birth dates), Bemerkung (free text)" in loaded
    assert loaded.count("Loaded mainz/") == 5


def test_check_lists_what_was_left_out_and_nothing_else(hospital):
    study, *_ = hospital
    told = json.loads(run_quick("check", "--json", cwd=study.root).stdout)
    ((rule, problem),) = [(broken["rule"], p) for broken in told["broken"] for p in broken["problems"]]
    assert (rule, problem["where"], told["is_whole"]) == ("ingest.left-out", "mainz/clinical/klinik.csv", True)
    assert "Name (names), Vorname (names), Geburtsdatum (birth dates), Bemerkung (free text)" in problem["found"]


def test_the_manual_shows_what_is_said(hospital):
    _, folder, _, said = hospital
    page = (Path(__file__).parents[2] / "docs" / "first-study.md").read_text(encoding="utf-8")
    section = page.partition("## Your own folder")[2].partition("\n## ")[0]
    shown = [line for block in re.findall(r"```console\n(.*?)```", section, re.DOTALL) for line in block.splitlines()]
    commands = [line for line in shown if line.startswith("$ ")]
    assert len(commands) == len(said) and commands[-1] == "$ tshdb report"
    real = {line for each in said for line in each.splitlines()}
    assert [line for line in shown if line not in real and line != "…" and line not in commands] == []
    map_ = (
        (folder / "folder.map.toml").read_text(encoding="utf-8").replace('kind = "expert"', 'kind = "?"').splitlines()
    )
    of_map = [line for block in re.findall(r"```toml\n(.*?)```", section, re.DOTALL) for line in block.splitlines()]
    assert [line for line in of_map if line not in map_] == []
