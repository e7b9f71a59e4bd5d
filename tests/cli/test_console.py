"""What the terminal gets fits it, from 40 columns on; nothing that a pipe gets is lost."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest
import typer.main
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from cli import console
from cli.main import app
from tests.support import tiny
from tests.support.program import ROOT
from tshdb.text.tabular import laid_out
from tshdb.text.widths import cells, fill

WIDTHS = (40, 60, 80, 200)
MODEL, COHORT = f"tsh_model/{tiny.COHORT}@1", f"{tiny.COHORT}@1"
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


def test_no_control_character_of_a_header_reaches_the_terminal(capsys):
    console.table(("a\x1b[31m",), [("\x9bx",)])
    assert capsys.readouterr().out == " a[31m\n x\n"


# ------------------------------------------------------------------------------------------------- the program


@pytest.mark.parametrize(("asked", "width"), [("60", 60), ("3", 20), ("0", None), ("many", None), ("", None)])
def test_columns_says_how_wide_a_pipe_is(monkeypatch, asked, width):
    monkeypatch.setenv("COLUMNS", asked)
    assert console.columns(open(os.devnull)) == width


COMMANDS = (
    ("status",), ("plan",), ("why", f"univariable_cox/{COHORT}"), ("why", "tsh_ratios/TCGA-TN-0001"), ("drift", "cutoff"),
    ("diff", "0", "1"), ("model", "list"), ("model", "show", MODEL), ("cohort", "list"), ("cohort", "show", COHORT),
    ("cohort", "list", "--versions"), ("lineage", "tsh_ratios", "TCGA-TN-0001"), ("table", "1"), ("table", "2"),
    ("table", "s5"), ("checklist", "remark"), ("sql", "SELECT * FROM cox_terms"), ("check", "--fast"), ("nope",),
    ("why", "nope/x"), ("withdraw", "TCGA-TN-0001", "--preview"), ("history",), ("migrate", "--dry-run"), ("rebuild",),
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_fits_and_says_all_that_it_says_in_a_pipe(quick, study, monkeypatch, command):
    """A word of the pipe that is not there in 40 columns is the name of a column in which nothing stands."""

    def said(columns: int | None) -> str:
        if columns is not None:
            monkeypatch.setenv("COLUMNS", str(columns))
        completed = quick(*command, cwd=study.root, code=None)
        return re.sub(r"\d+\.\d s\b", "", completed.stdout + completed.stderr)  # what a rebuild took is never the same

    piped = said(None)
    for columns in (40, 80):
        lines = said(columns).splitlines()
        assert [line for line in lines if not fits(line, columns)] == []
        found = {word.strip(":") for line in lines for word in line.split()}
        lost = {word.strip(":") for word in piped.split()} - found - set("·─")
        assert {word for word in lost if re.search(r"\d", word)} == set()
        assert lost <= {"failed", "blocked", "gone", "possible", "about", "no", "longer", "paper"}, lost


def test_json_csv_and_documents_are_never_wrapped(quick, study, monkeypatch):
    commands = [("status", "--json"), ("model", "list", "--json"), ("paper", "check", "--markdown"),
                ("sql", "SELECT * FROM cox_terms", "--format", "csv"),
                ("lineage", "tsh_ratios", "TCGA-TN-0001", "--code")]  # fmt: skip
    before = [quick(*command, cwd=study.root).stdout for command in commands]
    monkeypatch.setenv("COLUMNS", "40")
    after = [quick(*command, cwd=study.root).stdout for command in commands]
    assert after[:-1] == before[:-1]
    code = before[-1].index("\n# ")
    assert after[-1].endswith(before[-1][code:]) and max(map(len, before[-1][code:].splitlines())) > 80


def test_a_query_keeps_columns_in_which_nothing_stands(quick, study, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    query = "SELECT 'TCGA-TN-0001' AS patient_id, NULL AS er_status, repeat('x', 30) AS note"
    assert quick("sql", query, cwd=study.root).stdout.splitlines() == [
        " patient_id: TCGA-TN-0001", "   er_status: ·", "   note: " + "x" * 30,
    ]  # fmt: skip


def test_sql_of_a_cohort_is_the_same_sql_when_it_wraps(quick, study, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    shown = quick("cohort", "show", COHORT, cwd=study.root).stdout
    kept = study.sql("SELECT sql_text FROM cohort_versions")["sql_text"][0]

    def statements(text: str) -> list[str]:
        return re.sub(r"--.*", "", text).split()

    assert " ".join(statements(kept)) in " ".join(statements(shown))


def test_help_of_every_command_fits_with_its_words_whole(capsys, monkeypatch):
    """A list of commands has their summaries whole, which it has not in a pipe."""
    program = typer.main.get_command(app)

    def commands(command, path):
        yield path, hasattr(command, "commands")
        for name, child in getattr(command, "commands", {}).items():
            yield from commands(child, (*path, name))

    def helps() -> list[str]:
        found = []
        for path, _ in commands(program, ()):
            program.main([*path, "--help"], prog_name="tshdb", standalone_mode=False)
            found.append(capsys.readouterr().out)
        return found

    def words(text: str) -> set[str]:
        return set(text.replace("|", " ").split())

    piped = helps()
    monkeypatch.setenv("COLUMNS", "40")
    for (path, is_group), before, text in zip(commands(program, ()), piped, helps(), strict=True):
        wider = [line for line in text.splitlines() if cells(line) > 40]
        assert [line for line in wider if not fits(line, 40) or "|" in line] == [], path
        assert {word for word in words(before) - words(text) if not (is_group and word.endswith("..."))} == set(), path
        assert not re.search(r"[a-z,]\.\.\.$", text, re.MULTILINE), path


def test_errors_of_usage_wrap_too(quick, monkeypatch):
    piped = quick("ingest", "rna", "x", "--collection", "c", "--unit", "foo", code=2).stderr
    monkeypatch.setenv("COLUMNS", "40")
    wrapped = quick("ingest", "rna", "x", "--collection", "c", "--unit", "foo", code=2).stderr
    assert max(map(len, wrapped.splitlines())) <= 40 < max(map(len, piped.splitlines()))
    assert wrapped.split() == piped.split()


def test_on_a_terminal_its_width_counts(study):
    """A terminal of 40 columns, with its bars of progress; what is drawn over again is looked at, too."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    with subprocess.Popen(
        [sys.executable, "-m", "cli.main", "check", "--fast"],
        cwd=study.root,
        env=environment,
        stdout=theirs,
        stderr=theirs,
    ) as program:
        os.close(theirs)
        drawn = b""
        while part := _read(ours):
            drawn += part
    os.close(ours)
    assert program.returncode == 0
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", drawn.decode())
    lines = [line for line in re.split(r"[\r\n]+", text) if line.strip()]
    assert max(map(cells, lines)) <= 40 and any(re.search(r"check +\d+/\d+", line) for line in lines)
    assert "…" not in text


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other end is closed
        return b""
