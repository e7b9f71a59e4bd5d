"""The report and the paper's numbers: what they say is what the tables hold, whole, escaped, the same bytes again."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser

import pytest

from tests.support import tiny
from tests.support.program import ROOT
from tshdb import loading
from tshdb.cohorts.versions import define, freeze
from tshdb.database import writing
from tshdb.next_step import NOTHING_YET
from tshdb.pages import report
from tshdb.study import Study
from tshdb.tables.paper_claims import Claim, Verdict, _verdict, claims, counted, read_claims

VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """Reads a page strictly: tags must close in order. Keeps what could fetch or run something."""

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.sources: list[str] = []
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            assert not name.startswith("on"), f"{tag} has {name}"
            if name == "src":
                self.sources.append(value)
            elif name == "id":
                self.ids.add(value)
            elif name == "href":
                self.links.add(value)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data + "\n"


# ------------------------------------------------------------------------------------------------------- the report


def test_the_report_is_whole_and_fetches_nothing(study):
    page = Page(report(study))
    assert "script" not in page.tags and "link" not in page.tags
    assert page.sources and all(s.startswith("data:image/svg+xml;base64,") for s in page.sources)
    assert {link.removeprefix("#") for link in page.links} == page.ids, "every link leads to a section"
    for source in page.sources:
        drawing = base64.b64decode(source.partition(",")[2]).decode()
        assert drawing.startswith("<?xml") and "<script" not in drawing
    for said in (
        "expression.csv",
        f"{tiny.COHORT}@1",
        "Table S5",
        "How a cohort came about",
        "not reproducible here",
        "tsh_model",
        "What changed",
        "nothing has changed since",
    ):
        assert said in page.text


def test_the_reports_numbers_are_the_tables(study):
    text = Page(report(study)).text
    for row in study.sql("SELECT hazard_ratio FROM cox_terms WHERE model = 'univariable' AND hazard_ratio IS NOT NULL")[
        "hazard_ratio"
    ]:
        assert f"{row:.2f} (" in text
    sha = study.sql("SELECT sha256 FROM source_files WHERE is_current")["sha256"]
    assert all(s in text for s in sha)


def test_the_same_results_give_the_same_bytes(quick, study, tmp_path):
    """Also of a study that was made anew from the same files: no time, path or run number is in it."""
    pages = []
    for seed in "12":
        quick("report", "--out", tmp_path / f"{seed}.html", cwd=study.root, PYTHONHASHSEED=seed)
        pages.append((tmp_path / f"{seed}.html").read_bytes())
    other = tiny.new_study(tmp_path / "again" / "study")
    tiny.ingest(other, tiny.TinyArchive.make(10))
    tiny.define_cohorts(other)
    tiny.freeze(other)
    tiny.rebuild(other)
    pages.append(report(other).encode())
    other.engine.dispose()
    assert pages[0] == pages[1] == pages[2]


def test_what_comes_from_data_is_escaped(study):
    """A file's name and a cohort's reason that would be markup."""
    hostile = "<img src=x onerror=alert(1)>"
    with writing(study.engine) as connection:
        define(connection, "hostile", f"-- include: {hostile}\nSELECT patient_id FROM patients")
        freeze(connection, "hostile")
        connection.exec_driver_sql(f"UPDATE source_files SET name = '{hostile}.csv' WHERE reader = 'rna'")
    text = report(Study(study.root))
    assert hostile not in text and "&lt;img src=x onerror=alert(1)&gt;.csv" in text
    drawings = [base64.b64decode(s.partition(",")[2]).decode() for s in Page(text).sources]
    assert any("&lt;img" in d for d in drawings) and not any("<img" in d for d in drawings)


def test_the_report_of_an_empty_study_says_what_to_do(empty_study):
    text = Page(report(empty_study)).text
    for section in (
        "Files",
        "Cohorts: none has a version yet",
        "Models: none yet",
        "Results: nothing was computed yet",
    ):
        assert re.search(rf"{section}[.:] {re.escape(NOTHING_YET)}", text), section


# ------------------------------------------------------------------------------------------------ the paper's numbers


@pytest.mark.parametrize(
    ("claim", "row", "value", "expected"),
    [
        (
            {"criterion": "interval", "value": 0.5},
            {"ci_lower": 0.4, "ci_upper": 0.6, "hazard_ratio": 0.45},
            0.45,
            "holds",
        ),
        (
            {"criterion": "interval", "value": 0.7},
            {"ci_lower": 0.4, "ci_upper": 0.6, "hazard_ratio": 0.45},
            0.45,
            "same direction",
        ),
        (
            {"criterion": "interval", "value": 0.9, "neutral": 0.5},
            {"ci_lower": 0.6, "ci_upper": 0.8},
            0.7,
            "same direction",
        ),
        ({"criterion": "p", "printed": "0.02"}, {}, 0.049, "holds"),
        ({"criterion": "p", "printed": "0.02"}, {}, 0.05, "moved"),
        ({"criterion": "p", "printed": "0.4"}, {}, 0.05, "holds"),
        ({"criterion": "p", "printed": "< 0.05"}, {}, 0.0499, "holds"),
        ({"criterion": "p", "printed": "< 0.05"}, {}, 0.05, "moved"),
        ({"criterion": "within", "value": 43, "tolerance": 2}, {}, 41, "holds"),
        ({"criterion": "within", "value": 43, "tolerance": 2}, {}, 40.9, "moved"),
    ],
)
def test_when_a_number_holds(claim, row, value, expected):
    assert (
        _verdict(Claim(**{"where": "here", "what": "what", "printed": "printed", "row": {}} | claim), value, row)[0]
        == expected
    )


def test_every_claim_can_be_judged():
    for claim in read_claims():
        assert (claim.row is None) == bool(claim.impossible), claim.what
        if claim.row is not None:
            compared = "than" if claim.than else "over"
            needs = {"interval": "value", "p": "printed", "within": "tolerance", "greater": compared,
                     "less": compared, "exists": "row"}[claim.criterion]  # fmt: skip
            assert getattr(claim, needs) is not None, claim.what


def test_claims_of_a_study_without_results_are_not_reproducible_here(empty_study):
    assert {c.verdict for c in claims(empty_study)} == {Verdict.NOT_HERE}


def test_the_papers_numbers_on_the_pairs_are_those_of_the_document(real):
    """docs/paper.md says what `tshdb paper check` says of examples/, line by line."""
    found = claims(real)
    document = (ROOT / "docs" / "paper.md").read_text()
    lines = re.findall(
        r"^\| (.+?) \| (.*?) \| (.*?) \| (holds|same direction|moved|cannot be judged|no) \|", document, re.MULTILINE
    )
    stated = {what: (printed, here, verdict) for what, printed, here, verdict in lines}
    compared = 0
    for c in found:
        if c.verdict is Verdict.NOT_HERE and c.why.startswith("this study has no result"):
            continue
        verdict = "no" if c.verdict is Verdict.NOT_HERE else c.verdict.value
        assert stated[f"{c.where}: {c.what}"] == (c.printed, c.here or "", verdict)
        compared += 1
    assert compared == 52
    assert counted(found) == {
        Verdict.HOLDS: 33, Verdict.SAME_DIRECTION: 4, Verdict.MOVED: 6, Verdict.CANNOT: 4, Verdict.NOT_HERE: 26,
    }  # fmt: skip


def test_paper_check_says_the_same_to_people_and_machines(quick, real):
    root = ("--study", str(real.root))
    facts = json.loads(quick("paper", "check", "--json", *root).stdout)
    said = quick("paper", "check", *root).stdout
    assert said.rstrip().endswith("33 holds, 4 same direction, 6 moved, 4 cannot be judged, 26 not reproducible here")
    assert all(f["what"] in said for f in facts)
    assert quick("paper", "check", "--markdown", *root).stdout.count("\n") == len(facts) + 2


def test_figure_s1_shows_the_tested_correlation(real):
    """The text in the drawing is the row of the test, and the points are the members of the group."""
    from tshdb.figures import figure

    rows = real.sql(
        "SELECT grouping, correlation, n FROM wilcoxon_tests WHERE population = 'Cytotoxic lymphocytes' AND grouping <> 'all'"
    )
    drawn = figure(real, "s1").svg
    for row in rows.itertuples():
        assert f"r = {row.correlation:.2f}" in drawn and f"{row.grouping} prognosis (n = {row.n})" in drawn


def test_a_file_that_only_looks_like_a_source_is_not_listed(study):
    """Only sources that are current are in the report."""
    before = Page(report(study)).text
    archive = tiny.TinyArchive.make(10)
    archive.set_value("TCGA-TN-0003", "tumor", "GNLY", 77.0)
    old = study.sql("SELECT sha256 FROM source_files WHERE reader = 'rna' AND is_current")["sha256"][0]
    assert isinstance(tiny.ingest(study, archive)[0], loading.Loaded)
    after = Page(report(study)).text
    assert old in before and old not in after
