"""Studies of strangers: whatever a folder or its database names, a look at it harms nobody.

Each kind is one alteration of a whole study. All commands that only read are run on it in this process, under an audit hook:
what is opened, made, moved or removed must lie in the study's folder, in a folder of the program, or in the system's.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.program import run_quick
from tests.support.strangers import CANARY, COMMANDS, KINDS, SLICE, received, state

LIMIT = 60.0  # seconds of one command, and as many times more as processes wait for each processor
TOUCHED = {
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.mkdir",
    "os.truncate",
    "os.chmod",
    "os.link",
    "os.symlink",
    "shutil.rmtree",
}
RUN = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "pickle.find_class", "socket.connect"}
IN_EVERY_RUN = (
    "an object is a pipe", "database is a link", "lock is a link", "reports are a link", "sources at a pipe", "truths are a pipe",
    "code beside it", "digests that lead out",
)  # fmt: skip

_watching: list[Callable[[str, tuple], None]] = []


def _hook(event: str, arguments: tuple) -> None:
    for watch in _watching:
        watch(event, arguments)


@pytest.fixture(scope="module")
def audited():
    sys.addaudithook(_hook)  # which can never be taken away; it does nothing unless a test watches


@pytest.fixture(scope="module")
def drawn(template, tmp_path_factory) -> Path:
    """The template with a report: what a kind does not change is not drawn again, which is most of what a look takes."""
    root, _ = received(template, tmp_path_factory.mktemp("drawn"))
    run_quick("report", "--study", root)
    return root


@pytest.fixture
def stranger(drawn, tmp_path) -> tuple[Path, Path]:
    """(the study that was received, the neighbour's folder)."""
    return received(drawn, tmp_path)


def watch_of(other: Path, seen: list[str]) -> Callable[[str, tuple], None]:
    def watch(event: str, arguments: tuple) -> None:
        if event in RUN:
            if event != "subprocess.Popen" or "tshdb" not in str(arguments):
                seen.append(f"{event} {arguments!r}"[:200])
        elif event == "open" or event in TOUCHED:
            path = arguments[0]
            if isinstance(path, str | bytes) and os.path.realpath(os.fsdecode(path)).startswith(str(other)):
                seen.append(f"{event} {os.fsdecode(path)}")
            elif event == "open" and isinstance(path, str) and path in ("/etc/passwd", "/dev/zero"):
                seen.append(f"{event} {path}")

    return watch


@contextmanager
def at_most(seconds: float, what: tuple[str, ...]):
    """An alarm for what hangs, as a pipe does that nobody writes to."""

    def ring(*_):
        raise AssertionError(f"{what} did not end within {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(
    "kind", [k if k in IN_EVERY_RUN else pytest.param(k, marks=pytest.mark.long) for k in KINDS]
)  # fmt: skip
def test_looking_at_a_strangers_study_harms_nobody(kind, stranger, audited, request, monkeypatch):
    root, other = stranger
    KINDS[kind](root, other)
    before, seen = state(other), []
    monkeypatch.chdir(root)
    is_long = request.config.getoption("-m") and "long" in request.config.getoption("-m")
    _watching.append(watch_of(other, seen))
    try:
        for command in COMMANDS if is_long else SLICE:
            with at_most(LIMIT * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)), command):
                ended = run_quick(*command, "--study", root, code=None)
            assert ended.returncode in (0, 2, 3, 5, 6, 7, 8), (command, ended.stdout[-300:], ended.stderr[-2000:])
            assert "Traceback" not in ended.stderr, (command, ended.stderr[-2000:])
            assert CANARY not in ended.stdout + ended.stderr, command
            assert not {"\x1b", "\x9b", "\x07"} & set(ended.stdout + ended.stderr), command
    finally:
        _watching.clear()
    assert seen == []
    assert state(other) == before
