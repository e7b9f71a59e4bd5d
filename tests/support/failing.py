"""The library that has calls fail (failing_calls.c), and the program that tries commands under it (failing_server.py)."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.support import kept
from tests.support.in_time import handed_on
from tests.support.program import ROOT

SOURCE = Path(__file__).with_name("failing_calls.c")


def library() -> Path:
    """The compiled library, made once; a test that needs it is skipped where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("calls of the system are made to fail by a library that needs Linux and a C compiler")
    made = kept.home() / f"failing-calls-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]}.so"
    if not made.is_file():
        made.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=made.parent) as folder:
            written = Path(folder) / "made.so"
            flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-U_FORTIFY_SOURCE"]
            subprocess.run([compiler, *flags, "-o", written, SOURCE, "-ldl"], check=True)
            os.replace(written, made)
    return made


def serve(folder: Path, trials: list[dict], timeout: float = 3600, share: float = 1.0) -> list[dict]:
    """Run trials (see failing_server.py) in a program that has the library; gives an answer for each, in their order, as far as
    there is time. share: of what is left of it (in_time.py)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trials.json").write_text(json.dumps(trials))
    environment = os.environ | handed_on(share) | {"LD_PRELOAD": str(library()), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.support.failing_server", str(folder)]
    completed = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout)
    assert completed.returncode == 0, completed.stdout[-2000:] + completed.stderr[-4000:]
    return [json.loads(line) for line in (folder / "answers.jsonl").read_text().splitlines()]
