"""What has changed since an earlier report: cells, rows, figures, parts; and pages that are none."""

from __future__ import annotations

import pytest

from tshdb.errors import InvalidInput, NotFound
from tshdb.pages.report.since import OPENS, Cell, Part, Shown, changed, listed, read, refuse_other_study
from tshdb.tables.layouts import Layout

HEADERS = ("population", "cohort", "HR", "p")


def table(*rows: tuple, id: str = "t2", headers=HEADERS) -> Part:
    return Part.of_table(id, "Table 2", Layout("", headers, list(rows), (2, 3)))


def shown(*parts: Part, study: str = "brca", variant: str = "") -> Shown:
    return Shown(study, parts, variant)


BEFORE = table(("T cells", "dev@1", 0.5, "0.02"), ("NK cells", "dev@1", None, "0.4"), ("B cells", "dev@1", 1.1, "0.9"))


def test_cells_rows_figures_and_parts_that_are_otherwise():
    now = table(
        ("NK cells", "dev@1", "0.7", "0.4"), ("T cells", "dev@1", 0.5, "0.03"), ("Monocytes", "dev@1", 2, "0.1")
    )
    figure, other = (Part.of_figure("km", "Survival", content) for content in (b"<svg/>", b"<svg />"))
    found = changed(shown(BEFORE, figure, table(("x", "", "", ""), id="old")), shown(now, other, table(id="new")))
    assert found["t2"].cells == {Cell("NK cells", "HR"): "", Cell("T cells", "p"): "0.02"}
    assert found["t2"].new == ["Monocytes"] and found["t2"].gone == {"B cells": ("B cells", "dev@1", "1.1", "0.9")}
    assert found["km"].is_other and not found["km"].cells
    assert found["new"].is_new and found["old"].is_gone and list(found) == ["t2", "km", "new", "old"]


def test_nothing_is_otherwise_where_rows_and_columns_stand_in_another_order():
    turned = table(
        *(tuple(row[i] for i in (0, 1, 3, 2)) for row in reversed(BEFORE.rows)),
        headers=("population", "cohort", "p", "HR"),
    )
    assert changed(shown(BEFORE), shown(turned)) == {}


def test_rows_are_known_by_as_many_columns_as_it_takes():
    """T cells stand in two cohorts: the cohort is a part of the key, before and now."""
    before = table(("T cells", "dev@1", 0.5, ""), ("T cells", "val@1", 0.6, ""))
    now = table(("T cells", "val@1", 0.7, ""), ("T cells", "dev@1", 0.5, ""))
    assert changed(shown(before), shown(now))["t2"].cells == {Cell("T cells · val@1", "HR"): "0.6"}
    alone = table(("T cells", "dev@1", 0.4, ""))
    assert changed(shown(alone), shown(before))["t2"].cells == {Cell("T cells · dev@1", "HR"): "0.4"}
    twice = table(("a", "b", 1, 2), ("a", "b", 1, 2))
    assert changed(shown(twice), shown(table(("a", "b", 1, 2), ("a", "b", 1, 3))))["t2"].cells == {
        Cell("a (2)", "p"): "2"
    }


def test_a_column_that_came_or_went_is_said_once():
    wider = table(*((*row, "x") for row in BEFORE.rows), headers=(*HEADERS, "BH"))
    there, back = changed(shown(BEFORE), shown(wider))["t2"], changed(shown(wider), shown(BEFORE))["t2"]
    assert there.new_columns == ["BH"] and not there.cells and back.gone_columns == ["BH"]


def test_a_page_is_read_as_it_was_written(tmp_path):
    """Also where a cell would end the block, and without its control characters."""
    written = shown(
        table(("</script><b>&amp;", "\x1b[31m", None, "ä")), Part.of_figure("km", "K", b"1"), variant="median"
    )
    block = listed(written)
    assert "<" not in block and "\x1b" not in block
    path = tmp_path / "report.html"
    path.write_text(f"<!doctype html><p>x</p>{OPENS}{block}</script>", encoding="utf-8")
    assert read(path) == written
    with pytest.raises(InvalidInput, match="median"):
        refuse_other_study(read(path), shown(BEFORE), path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<p>a page</p>", "no list"),
        (f"{OPENS}{{</script>", "cannot be read"),
        (f'{OPENS}{{"form":1,"study":"s","variant":"","parts":[{{"id":1}}]}}</script>', "cannot be read"),
        (f'{OPENS}{{"form":1,"study":"s","variant":"","parts":7}}</script>', "cannot be read"),
        (f'{OPENS}{{"form":9}}</script>', "form 9"),
        (f"{OPENS}[]</script>", "cannot be read"),
    ],
)
def test_what_is_no_report_is_refused_in_one_line(tmp_path, content, said):
    path = tmp_path / "x.html"
    path.write_text(content)
    with pytest.raises(InvalidInput, match=said) as refused:
        read(path)
    assert "\n" not in str(refused.value)


def test_a_page_that_is_not_there_is_not_found(tmp_path):
    with pytest.raises(NotFound, match="--since"):
        read(tmp_path / "none.html")
