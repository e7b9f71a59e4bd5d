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

from cli import console
from cli.main import app
from tests.support import tiny
from tests.support.program import ROOT
from tshdb.text.widths import cells

MODEL, COHORT = f"tsh_model/{tiny.COHORT}@1", f"{tiny.COHORT}@1"


def fits(line: str, columns: int) -> bool:
    """Nothing is wider but a single word, which nothing may cut."""
    return cells(line) <= columns or len(line.split()) == 1


def test_no_control_character_of_a_table_reaches_the_terminal(capsys):
    console.table(("a\x1b[31m",), [("\x9bx\n",)])
    assert capsys.readouterr().out == " a␛[31m\n \\x9bx␊\n"


def test_no_control_character_of_talk_reaches_the_terminal(capsys):
    console.say("a\x1b[31m\x9bx\u202e")
    assert capsys.readouterr().err == "a[31mx\n"


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


@pytest.mark.parametrize(
    "widths", [(40, 80), pytest.param((50, 60, 70, 100, 120, 160, 200), marks=pytest.mark.long)], ids=str
)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_fits_and_says_all_that_it_says_in_a_pipe(quick, study, monkeypatch, command, widths):
    """A word of the pipe that is not there in 40 columns is the name of a column in which nothing stands."""

    def said(columns: int | None) -> str:
        if columns is not None:
            monkeypatch.setenv("COLUMNS", str(columns))
        completed = quick(*command, cwd=study.root, code=None)
        return re.sub(r"\d+\.\d s\b", "", completed.stdout + completed.stderr)  # what a rebuild took is never the same

    piped = said(None)
    for columns in widths:
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
