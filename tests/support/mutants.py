"""Faults written into a copy of the program, and the tests that must see them: for tests of the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from tests.support.program import ROOT

PACKAGES = ("tshdb", "analyses", "ingest", "migrations", "cli", "soak", "tests", "pyproject.toml")
ALL = os.environ.get("TSHDB_TEST_MUTANTS") == "all"


class Mutant(NamedTuple):
    """A line of the program, what is written in its place, and the test that must see it."""

    name: str
    file: str
    old: str
    new: str
    tests: str
    is_long: bool = False  # the soak runs these too (make soak PART=mutants)


def run_tests(folder: Path, selection: str, template: Path | None) -> subprocess.CompletedProcess:
    """The named tests alone, on the mutated copy; a study that they begin with is the template's, which is not mutated."""
    file, *options = selection.split()
    no_plugins = [option for name in ("xdist", "cacheprovider", "hypothesispytest") for option in ("-p", f"no:{name}")]
    return subprocess.run(
        [
            sys.executable, "-m", "pytest", "-x", "-q", *no_plugins, f"--basetemp={folder / 'pytest'}",
            f"tests/{file}", *options,
        ],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(folder),
            "TSHDB_TEST_CACHE": str(folder / "cache"),  # no study that a mutant made is kept
            "TSHDB_TEST_KILLS": "3",
            "TSHDB_TEST_EVERY": "1",
            "TSHDB_TEST_LONG": "1",
            "TSHDB_TEST_STOPS_EARLY": "1",
            **({} if template is None else {"TSHDB_TEST_TEMPLATE": str(template)}),
        },
        capture_output=True,
        text=True,
        timeout=600,
    )  # fmt: skip


def misfit(mutant: Mutant) -> str:
    """Why an entry is none any more: its line or its tests are not there. Empty where both are."""
    n = (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.old)
    if n != 1:
        return f"the line stands {n} times in {mutant.file}"
    path, _, test = mutant.tests.split()[0].partition("::")
    text = (ROOT / "tests" / path).read_text(encoding="utf-8")
    return "" if f"def {test.partition('[')[0]}" in text else f"no test {test} in {path}"


def assert_caught(mutant: Mutant, folder: Path, template: Path | None = None) -> None:
    """Assert that the tests named with a mutant fail where its line is written. template: the study that they begin with."""
    assert misfit(mutant) == "", misfit(mutant)
    for name in PACKAGES:
        source = ROOT / name
        if source.is_dir():  # with what is compiled: only the mutated file is not
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("*.tar.xz"))
        else:
            shutil.copy(source, folder / name)
    path = folder / mutant.file
    path.write_text(path.read_text().replace(mutant.old, mutant.new))
    time.sleep(0.1)  # a process that is not older than its files computes nothing, and would fail any test
    completed = run_tests(folder, mutant.tests, template)
    assert completed.returncode == 1, f"the mutant survived:\n{completed.stdout[-2000:]}{completed.stderr[-2000:]}"
    assert "failed" in completed.stdout
