"""Every block of every page is run, page by page, or says why not. What a mark says: tests/support/pages.py."""

from __future__ import annotations

import re
import shutil

import pytest

from tests.support import pages
from tests.support.pages import DOCS, ROOT, Page, Reader

pytestmark = pytest.mark.xdist_group("pages")
PAGES = {page.name: page for page in pages.pages()}
KINDS = {*pages.RUNS, *pages.IS_DATA, "text", "console"}
DRAWN = {"arrows", "layers"}  # tests/cli/test_architecture.py
WRITTEN = ("cli", "schema", "parameters", "explained", "ibsi")  # by make docs
OTHERS = re.compile(
    r"<!-- (?:/?(?:golden|decisions)|(?:pairs|recovered)|needs (?:Rscript|nothing more))(?:: [a-z ]+)? -->"
)
BESIDE = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "GLOSSARY.md", "CHANGELOG.md")]


@pytest.fixture(scope="module")
def left(tmp_path_factory, request):
    """page -> its reader after the quick blocks: each page is run once, and what it left is kept as it is."""
    done: dict[str, Reader] = {}

    def after(page: Page) -> Reader:
        if page.name not in done:
            done[page.name] = begun(page)
            done[page.name].read(page.quick)
        return done[page.name]

    def begun(page: Page) -> Reader:
        home = tmp_path_factory.mktemp(page.name) / "work"
        if other := page.marks.get("continues"):
            before = after(PAGES[other])
            shutil.copytree(before.home, home)
            return Reader.at(home.resolve(), str(before.here.relative_to(before.home)))
        home.mkdir()
        if "begins in" in page.marks:
            assert page.marks["begins in"] == "pairs"
            study = request.getfixturevalue("real")
            study.engine.dispose()
            shutil.copytree(study.root, home / "brca")
            return Reader.at(home.resolve(), "brca")
        return Reader.at(home.resolve())

    after.begun = begun
    return after


@pytest.mark.parametrize("name", [name for name, page in PAGES.items() if page.quick])
def test_a_page_runs(left, name):
    left(PAGES[name])


def test_the_demo_of_the_tutorial_tells_the_main_job(left):
    said = left(PAGES["tutorial-first-report"]).said
    assert said.count("10 of 10 directions agree") == 4  # in two versions of the cohort; asked once more; by hand
    assert "220 stay current (a newer model has the same content)" in said
    assert "n = 109, 41 events" in said and "expression.csv line 1 column" in said and "n = 99, 39 events" in said
    assert "Everything holds" in said


def test_new_patients_are_computed_alone(left):
    said = left(PAGES["new-patients"]).said
    assert re.search(r"patients +10 inserted, 100 unchanged", said)
    assert re.search(r"cell_abundances +20 computed", said) and re.search(r"tsh_ratios +10 computed", said)
    assert "n = 109, 41 events" in said


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="Rscript is not installed")
def test_r_finds_the_hazard_ratio_of_table_2(left):
    """Cytotoxic lymphocytes, 0.076 (0.018 to 0.327), as the tutorial's table 2 prints it: rounded where the digits end."""
    row = re.search(r"^ratio (.+)$", left(PAGES["from-r"]).said, re.M)
    value, _, lower, upper = map(float, row[1].split())
    assert (round(value, 3), round(lower, 3), round(upper, 3)) == (0.076, 0.018, 0.327)
    assert "0.076 (0.018–0.327)" in left(PAGES["tutorial-first-report"]).said


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name, page in PAGES.items() if page.is_slow])
def test_a_slow_page_runs_to_its_end(left, name):
    left.begun(PAGES[name]).read(PAGES[name].mine)


@pytest.mark.parametrize("name", PAGES)
def test_every_block_is_run_or_says_why_not(name):
    page = PAGES[name]
    fences = len(re.findall(r"^```", page.text, re.M))
    assert fences == 2 * len(page.blocks), "a fence is not closed, or is indented"
    assert not re.search(r"\n\n    (?:tshdb|pip|make|python|study\.|\[\w)", page.text), "a block without fences"
    for block in page.blocks:
        elsewhere = block.marks.get("run by", page.marks.get("run by"))
        assert block.kind in KINDS | DRAWN, f"{block.where}: {block.kind or 'no language'}"
        if elsewhere:
            assert (ROOT / elsewhere).is_file(), block.where
            assert f"{name}.md" in (ROOT / elsewhere).read_text(encoding="utf-8"), (
                f"{block.where}: not named by {elsewhere}"
            )
        elif "not run" in block.marks:
            assert len(block.marks["not run"]) > 10, f"{block.where}: why?"
        elif block.kind == "console":
            pytest.fail(f"{block.where}: what a command prints is shown by nobody's test")
    comments = [] if name in WRITTEN else re.findall(r"<!-- .*? -->", page.text)
    unknown = [c for c in comments if not pages.MARK.fullmatch(c) and not OTHERS.fullmatch(c)]
    assert unknown == [], "a mark that is none"


def test_the_index_has_every_page():
    listed = re.findall(r"^- \[[^\]]+\]\(([^)#]+)\)", PAGES["index"].text, re.M)
    assert len(set(listed)) == len(listed)
    assert {name for name in listed if "/" not in name} == {f"{name}.md" for name in PAGES if name != "index"}
    assert all((DOCS / name).exists() for name in listed)


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub and MyST make it."""
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


@pytest.mark.parametrize("path", [*sorted(DOCS.rglob("*.md")), *BESIDE], ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_to_a_page_and_a_heading(path):
    text = re.sub(r"^```.*?^```$|`[^`\n]+`", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target, anchor in re.findall(r"\]\((?!https?://|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)", text):
        place = path.parent / target if target else path
        assert place.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", place.read_text(encoding="utf-8"), re.M)
            assert anchor in map(slug, headings), f"{target}#{anchor}"
