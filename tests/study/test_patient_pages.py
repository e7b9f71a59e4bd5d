"""A page for each patient: whole, of her alone, taken by a withdrawal, and gone when nobody asks for it any more."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from ingest.redact import redact
from tests.support import tiny
from tshdb.database import writing
from tshdb.errors import NotFound
from tshdb.pages.patient_pages import write_patient_pages
from tshdb.places import PATIENTS, REPORTS, page_of_patient
from tshdb.withdrawal.planning import preview

WITH_IMAGES, WITHOUT = "TCGA-TN-0003", "TCGA-TN-0004"
VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Reads a page strictly: tags close in order, nothing runs, every picture has words."""

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.text, self.images, self.links, self.ids = "", [], set(), set()
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert tag not in ("script", "link", "iframe") and not any(name.startswith("on") for name, _ in attrs)
        given = dict(attrs)
        if tag == "img":
            assert given["alt"].strip() and given["src"].startswith("data:image/png;base64,")
            self.images.append(given["alt"])
        self.links |= {given["href"]} if "href" in given else set()
        self.ids |= {given["id"]} if "id" in given else set()
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data + "\n"


@pytest.fixture
def folder(study):
    return study.root / REPORTS / PATIENTS


def test_a_page_says_what_the_study_holds_of_her(study, folder):
    hostile = "<script>alert(1)</script>"
    with writing(study.engine) as connection:
        connection.exec_driver_sql(f"UPDATE patients SET race = '{hostile}' WHERE patient_id = '{WITHOUT}'")
        connection.exec_driver_sql(
            "INSERT INTO conflicts VALUES ('patients', 'TCGA-TN-0004', 'race', 'tcga-tn/biotab/x', '', NULL, 'white', 'rule 9')"
        )
        connection.exec_driver_sql("INSERT INTO ingest_runs VALUES (900, 'x', '2026', 'x', 'x', 0, 0, 0, 0, 0, NULL)")
        connection.exec_driver_sql(
            "INSERT INTO ingest_issues (ingest_issue_id, ingest_run_id, path, rule, severity, message) "
            "VALUES (900, 900, 'a.csv', 'table.odd', 'warning', 'tcga.tn.0004 is odd')"
        )
    paths = write_patient_pages(study, folder, patients=[WITH_IMAGES, WITHOUT])
    assert [p.name for p in paths] == [f"{WITH_IMAGES}.html", f"{WITHOUT}.html"]
    imaged, other = (Page(p.read_text(encoding="utf-8")) for p in paths)
    assert {"Axial", "Coronal", "Sagittal"} <= set(imaged.text.split("\n")) and len(imaged.images) == 6
    assert "3 phases of 3 slices" in imaged.text and "No breast" in imaged.text
    assert "No MR examination" in other.text and other.images == []
    score = study.sql(f"SELECT score FROM tsh_scores WHERE patient_id = '{WITHOUT}'")["score"][0]
    assert f"{score:.3g}" in other.text and f"in sample: tsh_model/{tiny.COHORT}@1" in other.text
    assert f"{tiny.COHORT}@1" in other.text and "sources disagree" in other.text and "nobody has decided" in other.text
    assert "table.odd" in other.text and "table.odd" not in imaged.text and hostile in other.text
    for page, own in ((imaged, WITH_IMAGES), (other, WITHOUT)):
        assert {link.removeprefix("#") for link in page.links} <= page.ids
        others = {p for p in study.sql("SELECT patient_id FROM patients")["patient_id"] if p != own}
        assert own in page.text and not any(name in page.text for name in others), "a page is of one patient alone"


def test_one_who_has_nothing_has_a_page_and_the_reasons(study, folder):
    with writing(study.engine) as connection:
        connection.exec_driver_sql("INSERT INTO patients (patient_id, collection) VALUES ('p/1 ä', 'tcga-tn')")
    (path,) = write_patient_pages(study, folder, patients=["p/1 ä"])
    assert path.parent == folder and path.name == page_of_patient("p/1 ä")
    text = Page(path.read_text(encoding="utf-8")).text
    for said in (
        "No MR examination",
        "No score",
        "No follow-up",
        "no step brought her in",
        "No features",
        "No finding",
    ):
        assert said in text, said


def test_pages_of_others_go_and_other_files_stay(study, folder):
    write_patient_pages(study, folder, patients=[WITHOUT, "TCGA-TN-0005"])
    (folder / "notes.html").write_text("<p>mine</p>")
    (folder / "list.csv").write_text("mine")
    told: list[tuple[str, int, int]] = []
    write_patient_pages(study, folder, lambda *said: told.append(said), patients=[WITHOUT])
    assert sorted(p.name for p in folder.iterdir()) == [f"{WITHOUT}.html", "list.csv", "notes.html"]
    assert told == [("pages of patients", 1, 1)]
    with pytest.raises(NotFound, match="TCGA-TN-9999"):
        write_patient_pages(study, folder, patients=["TCGA-TN-9999"])
    assert (folder / f"{WITHOUT}.html").is_file()


@pytest.mark.parametrize("patient", [WITHOUT, "7", "a/b"])
def test_a_withdrawal_takes_her_page_and_no_other(study, folder, patient):
    """Also where her name is too short to be looked for in texts, or is no name of a file."""
    from analyses import ANALYSES

    if patient != WITHOUT:
        with writing(study.engine) as connection:
            connection.exec_driver_sql(f"INSERT INTO patients (patient_id, collection) VALUES ('{patient}', 'tcga-tn')")
    write_patient_pages(study, folder, patients=[patient, "TCGA-TN-0005"])
    plan = preview(study, ANALYSES, patient, redact)
    assert [path for path in plan.erased if path.parent == folder] == [folder / page_of_patient(patient)]


def test_no_two_patients_share_a_page():
    ids = ["P1", "p1", "P-1", "P/1", "P 1", "P.1", "..", "", "CON", "con", "ä", "A" * 300, "A" * 301, "P1.html"]
    names = [page_of_patient(each) for each in ids]
    assert len({name.lower() for name in names}) == len(ids)
    assert all("/" not in name and not name.startswith(".") and len(name) < 100 for name in names)
