"""The report and the paper's numbers: what they say is what the tables hold, whole, escaped, the same bytes again."""

from __future__ import annotations

import io
import json
import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from analyses import ANALYSES
from ingest.redact import redact
from tests.support import tiny
from tests.support.program import ROOT
from tshdb import loading
from tshdb.cohorts.versions import define, freeze
from tshdb.database import writing
from tshdb.figures.kept import KeptDrawings
from tshdb.next_step import NOTHING_YET
from tshdb.pages import report
from tshdb.pages.report.headline import headline
from tshdb.pages.report.inline import inline_svg
from tshdb.pages.report.look import Look
from tshdb.places import DRAWINGS, REPORTS
from tshdb.study import Study
from tshdb.tables import table
from tshdb.tables.paper_claims import Claim, Verdict, _verdict, claims, counted, read_claims
from tshdb.vocabulary import WithdrawalScope
from tshdb.withdrawal.withdraw import withdraw

VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """Reads a page strictly: tags must close in order. Keeps what could fetch or run something, ids and links.

    saved: id of a part -> the text that its CSV button saves.
    """

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.sources: list[str] = []
        self.ids: list[str] = []
        self.links: set[str] = set()
        self.boxes: list[str] = []
        self.saved: dict[str, str] = {}
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        named = dict(attrs)
        for name, value in attrs:
            assert not name.startswith("on"), f"{tag} has {name}"
            if name == "src":
                self.sources.append(value)
            elif name == "id":
                self.ids.append(value)
            elif name in ("href", "xlink:href"):
                self.links.add(value)
        if "box" in (named.get("class") or "").split():
            self.boxes.append(named.get("id") or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "template" in self.open:
            self.saved[self.boxes[-1]] = self.saved.get(self.boxes[-1], "") + data
        elif not {"script", "style"} & {*self.open}:
            self.text += data + "\n"


# ------------------------------------------------------------------------------------------------------- the report


@pytest.fixture(scope="module")
def page(request):
    """The report of the study that is whole, which no test of this module changes."""
    return Page(report(request.getfixturevalue("real")))


def test_the_report_is_whole_and_fetches_nothing(page):
    assert page.sources == [] and "link" not in page.tags and "image" not in page.tags
    assert len(page.ids) == len(set(page.ids)), "each id once, also of drawings"
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids), "every link leads to a part"
    for said in ("expression.csv", "Table S5", "How a cohort came about", "not reproducible here", "tsh_model"):
        assert said in page.text


def test_the_first_screen_counts_what_the_tables_hold(real):
    first = headline(Look(real))
    tiles = {tile.what: tile.n for tile in first.tiles}
    (patients,), (events,), (profiles,) = (
        real.sql(query)["n"]
        for query in (
            "SELECT count(*) AS n FROM patients",
            "SELECT count(*) AS n FROM follow_ups WHERE endpoint = 'OS' AND event AND duration_days IS NOT NULL",
            "SELECT count(DISTINCT patient_id) AS n FROM samples WHERE sample_id IN (SELECT sample_id FROM expression_profiles)",
        )
    )
    assert (tiles["patients"], tiles["events, OS"], tiles["patients with RNA"]) == (patients, events, profiles)
    of_ratio = next(s for s in first.statements if s.what.startswith("OS by the TSH ratio"))
    row = real.sql("SELECT * FROM logrank_tests WHERE grouping = 'tsh_ratio' ORDER BY unit_id DESC").iloc[0]
    assert of_ratio.value == f"log-rank p = {row['p_value']:.3f}"
    assert (
        f"n = {row['n_good'] + row['n_poor']}, {row['n_good_events'] + row['n_poor_events']} events" in of_ratio.detail
    )
    assert of_ratio.kind == "optimistic" and "follow_ups" in of_ratio.label, "the cut-off was chosen on these patients"


def test_the_reports_numbers_are_the_tables(page, real):
    text = page.text
    for row in real.sql("SELECT hazard_ratio FROM cox_terms WHERE model = 'univariable' AND hazard_ratio > .01")[
        "hazard_ratio"
    ]:
        assert any(f"{row:.{digits}f} (" in text for digits in (2, 3, 4))
    sha = real.sql("SELECT sha256 FROM source_files WHERE is_current")["sha256"]
    assert all(s in text for s in sha)
    saved = pd.read_csv(io.StringIO(page.saved["table-2"]))
    frame = table(real, "2").frame
    assert saved["hazard_ratio"].tolist() == pytest.approx(frame["hazard_ratio"].tolist(), rel=1e-15), "values in full"


def test_nobody_is_named_on_it(page, real):
    """No patient, sample or profile; and no rows of single patients."""
    whole = page.text + "".join(page.saved.values())
    for column, of in (("patient_id", "patients"), ("sample_id", "samples"), ("profile_id", "expression_profiles")):
        assert not any(name in whole for name in real.sql(f"SELECT {column} FROM {of}")[column])
    assert not any(_is_of_patients(text) for text in page.saved.values())
    assert any(map(_is_of_patients, page_of(real, with_patients=True).saved.values())), "with them they are"


def _is_of_patients(text: str) -> bool:
    return bool({"patient_id", "sample_id", "study_uid"} & {*text.partition("\n")[0].split(",")})


def page_of(study, **asked):
    return Page(report(study, **asked))


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


def test_what_comes_from_data_is_escaped(core):
    """A file's name and a cohort's reason that would be markup."""
    hostile = "<img src=x onerror=alert(1)>"
    with writing(core.engine) as connection:
        define(connection, "hostile", f"-- include: {hostile}\nSELECT patient_id FROM patients")
        freeze(connection, "hostile")
        connection.exec_driver_sql(f"UPDATE source_files SET name = '{hostile}.csv' WHERE reader = 'rna'")
    text = report(Study(core.root))
    assert hostile not in text and "&lt;img src=x onerror=alert(1)&gt;.csv" in text
    read = Page(text)
    assert "img" not in read.tags and read.text.count("onerror") >= 2, "also in a drawing"


def test_a_drawing_that_would_run_or_fetch_something_only_draws():
    evil = (
        b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="10pt" height="10pt" '
        b'onload="a()">'
        b"<style>*{fill: red} @import url(http://x);</style><script>a()</script><foreignObject><iframe src='x'/></foreignObject>"
        b'<a href="javascript:a()"><text>link</text></a><image href="http://x/y.png"/><image href="data:image/png;base64,AA=="/>'
        b'<g id="one" onclick="a()" clip-path="url(#one)" fill="url(http://x)"><use xlink:href="#one"/></g></svg>'
    )
    made = str(inline_svg(evil, "p", 'a "title"'))
    assert not re.search(r"onload|onclick|<script|javascript|http://x|foreignObject|iframe|@import", made)
    assert (
        'id="p-one"' in made
        and "url(#p-one)" in made
        and 'href="#p-one"' in made
        and "data:image/png;base64,AA==" in made
    )
    assert "<image" not in str(inline_svg(evil, "p", "a", with_pixels=False)), "no slice of a patient is passed on"
    assert 'aria-label="a &quot;title&quot;"' in made and "fill: red" in made


def test_the_report_of_an_empty_study_says_what_to_do(empty_study):
    text = Page(report(empty_study)).text
    for section in (
        "Files",
        "Cohorts: none has a version yet",
        "Models: none yet",
        "Results: nothing was computed yet",
    ):
        assert re.search(rf"{section}[.:] {re.escape(NOTHING_YET)}", text), section


# ---------------------------------------------------------------------------------------------------- kept drawings


def _drawn(study) -> tuple[int, int, str]:
    """(drawn now, taken from before, the page)."""
    kept = KeptDrawings(study.root)
    text = report(study, kept=kept)
    return kept.n_made, kept.n_taken, text


def test_a_drawing_is_made_again_only_where_its_rows_are_others(study):
    n, none, first = _drawn(study)
    assert n >= 6 and none == 0
    assert _drawn(study) == (0, n, first)
    with writing(study.engine) as connection:
        connection.exec_driver_sql("UPDATE network_parameters SET value = value + 1 WHERE is_in_paper")
    made, taken, text = _drawn(Study(study.root))
    assert (made, taken) == (1, n - 1) and text != first, "topology alone shows these"


def test_a_drawing_that_somebody_else_sealed_is_not_shown(core, monkeypatch, tmp_path):
    """Also one whose bytes were changed."""
    n, _, first = _drawn(core)
    for path in (core.root / REPORTS / DRAWINGS).iterdir():
        path.write_bytes(path.read_bytes().replace(b"<text", b"<text fill='red'"))
    assert _drawn(core) == (n, 0, first)
    monkeypatch.setenv("TSHDB_HOME", str(tmp_path / "another"))
    assert _drawn(core) == (n, 0, first)


def test_a_withdrawal_takes_the_kept_drawings(core):
    _drawn(core)
    who = core.sql("SELECT min(patient_id) AS p FROM patients")["p"][0]
    withdraw(Study(core.root), ANALYSES, who, reason="asked", scope=WithdrawalScope.KEEP, redact=redact)
    assert not list((core.root / REPORTS / DRAWINGS).glob("*"))


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
