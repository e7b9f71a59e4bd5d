"""Which signals the program answers, and with which exit code. With workers, at random moments: `make soak PART=resources`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from cli import main as program
from tests.support.program import ROOT, run_quick

BOTH = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture
def handlers():
    """What the tests answer signals with is put back."""
    before = {number: signal.getsignal(number) for number in BOTH}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_the_first_signal_ends_the_command_and_the_second_the_program(handlers, number, code):
    with pytest.raises(program._Stopped) as stopped:
        program._stop(number, None)
    assert stopped.value.exit_code == code
    assert {signal.getsignal(each) for each in BOTH} == {program._stop_at_once}


def test_a_second_signal_needs_no_stream(tmp_path):
    """It comes in the middle of anything, also where nothing can be said any more."""
    script = "import os, signal; from cli.main import _stop_at_once; _stop_at_once(signal.SIGHUP, None)"
    for closed in ("", "2>&-", "2>/dev/full"):
        done = subprocess.run(["bash", "-c", f'{sys.executable} -c "{script}" {closed}'], cwd=ROOT, capture_output=True)
        assert done.returncode == 129


def test_what_nohup_ignores_stays_ignored(handlers, monkeypatch, capsys):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    monkeypatch.setattr(sys, "argv", ["tshdb", "--version"])
    with pytest.raises(SystemExit) as ended:
        program.main()
    assert ended.value.code in (0, None)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGTERM) is program._stop


@pytest.mark.parametrize("statement", ["BEGIN IMMEDIATE", "CREATE TABLE", "UPDATE table_versions"])
def test_a_signal_within_a_statement_of_init_is_one_line(handlers, tmp_path, statement):
    """What interrupts a statement closes the connection: what has to be put back at the end finds it closed."""
    from sqlalchemy import Engine, event

    met = []

    def interrupt(connection, cursor, text, *_):
        if text.startswith(statement) and not met:
            met.append(text)
            os.kill(os.getpid(), signal.SIGTERM)

    event.listen(Engine, "after_cursor_execute", interrupt)
    try:
        done = run_quick("init", tmp_path / "study", code=None)
    finally:
        event.remove(Engine, "after_cursor_execute", interrupt)
    assert met and (done.returncode, done.stderr) == (143, f"interrupted: {program.SAVED}\n")
    run_quick("init", tmp_path / "study")
    assert (tmp_path / "study" / "study.toml").is_file()
