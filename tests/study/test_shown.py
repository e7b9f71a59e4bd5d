"""Tables, figures, checklists and exports as functions: what a notebook gets is what the commands print and write."""

from __future__ import annotations

import json

import pytest

from tests.support import tiny
from tests.support.program import run_quick
from tshdb import exports, figures, pages, tables
from tshdb.database import reading
from tshdb.errors import UsageError
from tshdb.lineage import lineage

FROZEN = f"{tiny.COHORT}@1"


@pytest.mark.parametrize("number", ["1", "2", "s4", "s5"])
def test_a_table_is_what_the_command_prints(study, number):
    found = tables.table(study, number, FROZEN)
    printed = run_quick("table", number, "--cohort", FROZEN, cwd=study.root).stdout
    assert found.text() + "\n" == printed
    assert json.loads(run_quick("table", number, "--cohort", FROZEN, "--json", cwd=study.root).stdout) == json.loads(
        json.dumps(found.facts, default=str)
    )
    assert max(map(len, found.text(60).splitlines())) <= 60
    assert len(found.frame) == len(found.facts) and "cohort" in found.frame.columns
    assert found._repr_html_().count("<tr>") == sum(1 + len(layout.cells) for layout in found.layouts)


def test_the_frame_has_the_papers_values_as_columns(study):
    frame = tables.table(study, "2").frame.set_index("term")
    assert frame.loc["Cytotoxic lymphocytes", "paper.hazard_ratio"] == 0.17
    assert frame.loc["T cells", "n"] == 10


@pytest.mark.parametrize("form", figures.FORMATS)
def test_a_drawing_is_the_file_of_the_command(study, tmp_path, form):
    drawing = figures.figure(study, "km", FROZEN, form)
    path = tmp_path / f"km.{form}"
    said = run_quick("figure", "km", "--cohort", FROZEN, "--out", path, cwd=study.root).stdout
    assert drawing.data == path.read_bytes() and drawing.how_to_read in said
    if form == "svg":
        assert FROZEN in drawing.svg
    else:
        with pytest.raises(UsageError, match=f"the drawing is {form}"):
            _ = drawing.svg


def test_a_checklist_has_an_item_a_line(study):
    found = pages.checklist(study, "remark")
    assert (
        found.counts["items"]
        == len(found.items)
        == sum(found.counts[n] for n in ("filled", "not_yet", "needs_a_person"))
    )
    with pytest.raises(UsageError, match="checklist nope"):
        pages.checklist(study, "nope")


def test_a_crate_is_files_by_name(study, tmp_path):
    with reading(study.engine) as connection:
        found = lineage(connection, "cutoffs", [FROZEN])
    files = exports.crate_files(study.name, found)
    exports.write_crate(tmp_path / "crate", files)
    run_quick("lineage", "cutoffs", FROZEN, "--rocrate", tmp_path / "again", cwd=study.root)
    written = {p.relative_to(tmp_path / "again").as_posix(): p.read_text() for p in (tmp_path / "again").rglob("*.*")}
    assert files == written and "ro-crate-metadata.json" in files
