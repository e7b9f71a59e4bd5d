"""Texts and tables in any number of columns: nothing is wider, and no word is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.support.calm import calm
from tshdb.text.tabular import laid_out
from tshdb.text.widths import cells, fill

WIDTHS = (40, 60, 80, 200)
WIDE = "患者の年齢は診断の日に数えた年であり未知のときは空白である"  # 29 characters of two columns
# letters of one column, two (Han, Hangul, full width) and none (combining); a number, a key, a bracket
LETTERS = st.sampled_from([*"ab.-/@=", "é", "患", "한", "Ａ", "́", "7", "_", "("])
WORDS = st.text(LETTERS, min_size=1, max_size=12)
LINES = st.lists(WORDS, max_size=30).map(" ".join)


def fits(line: str, columns: int) -> bool:
    """Nothing is wider but a single word, which nothing may cut."""
    return cells(line) <= columns or len(line.split()) == 1


# ------------------------------------------------------------------------------------------------- width and wrapping


@pytest.mark.parametrize(
    "text", ["plain", "μ ± é – …", WIDE, "한국어", "Ａ１", "e\u0301\u0327", "a\u200bb", "\u1112\u1161\u11ab", "├─ │"]
)
def test_a_text_takes_the_columns_that_rich_counts(text):
    assert cells(text) == cell_len(text)


@pytest.mark.parametrize(
    ("line", "wrapped"),
    [
        ("  one two three four", ["  one two three", "    four"]),
        ("│  ├─ role: a/unit", ["│  ├─ role:", "│  │    a/unit"]),
        ("└─ role: a/unit now", ["└─ role: a/unit", "     now"]),
        ("   ← file line 2 too", ["   ← file line 2", "     too"]),
        ("a  b  cccccccccccc", ["a  b", "  cccccccccccc"]),
        ("key tsh_model/cohort@1 end", ["key", "tsh_model/cohort@1", "  end"]),
        ("  ├─ n: a_long_unit@1", ["  ├─ n:", "   a_long_unit@1"]),
        ("of the log2(x + 1)", ["of the", "  log2(x + 1)"]),
        ("one log2(x + 1) of", ["one log2(x + 1)", "  of"]),
        ("Now do tshdb plan.", ["Now do", "  tshdb plan."]),
        ("age 57.3 ± 14.8 a", ["age 57.3 ± 14.8", "  a"]),
        ("a\nb  c", ["a", "b  c"]),
    ],
)  # fmt: skip
def test_lines_wrap_at_words_below_what_they_belong_to(line, wrapped):
    """At 16 columns, by hand."""
    assert fill(line, 16) == wrapped


def test_wide_characters_break_where_no_space_is():
    found = fill(f"  {WIDE}", 40)
    assert [cells(line) for line in found] == [40, 24]  # 2 + 19 x 2, then 4 + 10 x 2
    assert "".join(line.strip() for line in found) == WIDE


@calm
@given(LINES, st.sampled_from(WIDTHS), st.sampled_from(["", "  ", "│  ├─ ", "     -> "]))
def test_no_line_is_wider_and_no_word_is_lost(text, columns, lead):
    found = fill(lead + text, columns)
    assert all(fits(line, columns) for line in found)
    guides = str.maketrans("", "", "│├└─")
    assert "".join(w for line in found for w in line.translate(guides).split()) == "".join(
        (lead + text).translate(guides).split()
    )


# ------------------------------------------------------------------------------------------------- tables


def laid(columns, headers=("unit", "n", "gone", "why"), rows=None, right=(1, 2)):
    rows = rows or [("a/1", "12", None, "data corrected: age_years 57 -> 58"), ("b/2", "3", None, "患者の年齢")]
    return list(laid_out(headers, rows, right, " ", columns))


def test_a_table_that_fits_is_that_of_a_pipe():
    assert laid(None) == laid(60) == [
        " unit   n  gone  why",
        " a/1   12     ·  data corrected: age_years 57 -> 58",
        " b/2    3     ·  患者の年齢",
    ]  # fmt: skip


def test_a_table_loses_columns_in_which_nothing_stands_then_words_wrap():
    assert laid(46) == [
        " unit   n  why",
        " a/1   12  data corrected: age_years 57 -> 58",
        " b/2    3  患者の年齢",
    ]
    assert laid(30) == [
        " unit   n  why",
        " a/1   12  data corrected:",
        "             age_years 57 ->",
        "             58",
        " b/2    3  患者の年齢",
    ]


def test_long_words_take_more_lines_before_times_wrap():
    rows = [("2026-11-29 03:47", "what " * 30)]
    assert laid(44, ("when", "what"), rows, ()) == [
        " when              what",
        " 2026-11-29 03:47  what what what what what",
        *["                     what what what what"] * 6,
        "                     what",
    ]


def test_intervals_and_headers_wrap_before_a_row_becomes_a_block():
    headers, rows = (
        ("term", "HR (95 % CI)", "p"),
        [("NK cells", "0.09 (0.02–0.41)", "0.0017"), ("B", "0.33 (0.2–0.8)", "1")],
    )
    assert laid(36, headers, rows, (2,)) == [
        " term      HR (95 % CI)           p",
        " NK cells  0.09 (0.02–0.41)  0.0017",
        " B         0.33 (0.2–0.8)         1",
    ]
    assert laid(32, headers, rows, (2,)) == [
        "           HR",
        " term      (95 % CI)         p",
        " NK cells  0.09         0.0017",
        "           (0.02–0.41)",
        " B         0.33              1",
        "           (0.2–0.8)",
    ]
    assert laid(24, headers, rows, (2,)) == [
        " term: NK cells",
        "   HR (95 % CI): 0.09",
        "     (0.02–0.41)",
        "   p: 0.0017",
        " term: B",
        "   HR (95 % CI): 0.33",
        "     (0.2–0.8)",
        "   p: 1",
    ]


def test_a_block_leaves_out_dots_and_names_that_are_none():
    rows = [("tsh_cross_validation/tumor_stroma_development@1", None, "current", "99"), ("x", "1", "", None)]
    assert laid(40, ("model version", "gone", "", "members"), rows) == [
        " model version:",
        "tsh_cross_validation/tumor_stroma_development@1",
        "   current",
        "   members: 99",
        " model version: x",
        "   gone: 1",
    ]


def test_lines_within_a_cell_stay_in_their_column():
    assert laid(40, ("a", "b"), [("one\ntwo", "x")], ()) == [" a    b", " one  x", " two"]
    assert laid(20, ("a", "b"), [("one\ntwo", "x" * 18)], ()) == [" a: one", "     two", "   b:", "  " + "x" * 18]


@calm
@given(
    st.lists(st.tuples(WORDS, st.none() | WORDS, LINES, WORDS), min_size=1, max_size=4),
    st.sampled_from(WIDTHS),
    st.sampled_from(["", "several words here", "患者"]),
)
def test_no_table_is_wider_and_no_cell_is_lost(rows, columns, header):
    headers = ("key", "n", header, "")
    found = laid(columns, headers, rows, (1,))
    assert all(fits(line, columns) for line in found)
    told = sorted("".join(found).replace(":", ""))
    for row in rows:
        for character in "".join(value or "" for value in row).replace(" ", ""):
            told.remove(character)
