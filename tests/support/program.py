"""Where the checkout is, and the program as a function: light, so that a test that needs no study waits for nothing."""

from __future__ import annotations

import contextlib
import io
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
SHARED = ROOT.parent / "shared" / "data"


def run_quick(
    *arguments: object, cwd: Path | None = None, code: int | None = 0, **environment: str
) -> subprocess.CompletedProcess:
    """Run the program in this process: where it is not its start that is tested. code: how it has to end; None: anyhow."""
    from cli.main import main

    out, err = io.StringIO(), io.StringIO()
    handlers = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    ended = 0
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        if cwd is not None:
            patch.chdir(cwd)
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["tshdb", *map(str, arguments)])
        try:
            main()
        except SystemExit as stopped:
            ended = int(stopped.code or 0)
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
    if code is not None:
        assert ended == code, out.getvalue() + err.getvalue()
    return subprocess.CompletedProcess(arguments, ended, out.getvalue(), err.getvalue())
