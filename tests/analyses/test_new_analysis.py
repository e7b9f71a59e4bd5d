"""`make new-analysis`: what a newcomer gets works as it is, and is entered everywhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

SOURCES = ("tshdb", "analyses", "ingest", "migrations", "cli", "tests", "soak", "docs", "tools", "pyproject.toml")
YOURS = {
    "analyses/expression/mean_ratio.py",
    "tshdb/schema/mean_ratio.py",
    "tests/analyses/test_mean_ratio.py",
}  # and the migration
ENTERED = {"analyses/__init__.py", "tshdb/schema/__init__.py", "tshdb/database.py"}
GENERATED = {
    "docs/llms.txt",
    "docs/parameters.md",
    "docs/schema.md",
    "migrations/newest_sqlite.sql",
    "tshdb/schema/columns.txt",
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(ROOT / name, folder / name)
    return folder


def run(copy: Path, *command: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=copy, env=environment, capture_output=True, text=True, timeout=300, check=False
    )  # fmt: skip


def texts(copy: Path) -> dict[str, bytes]:
    files = (
        p for p in copy.rglob("*") if p.is_file() and not any(part.startswith((".", "__py")) for part in p.parts[-3:])
    )
    return {str(p.relative_to(copy)): p.read_bytes() for p in files}


@pytest.mark.parametrize(
    ("name", "subject", "said"),
    [
        ("Mean-Ratio", "expression", "NAME=Mean-Ratio: write small letters"),
        ("tsh_ratios", "expression", "NAME=tsh_ratios: there is an analysis or a table of that name"),
        ("mean_ratio", "expresion", "SUBJECT=expresion: the folders of analyses are expression, imaging"),
    ],
)
def test_a_name_that_cannot_be_is_refused_and_nothing_is_written(copy, name, subject, said):
    before = texts(copy)
    refused = run(copy, "tools.new_analysis", name, subject)
    assert refused.returncode == 1 and said in refused.stderr and "Traceback" not in refused.stderr
    assert texts(copy) == before


def test_a_new_analysis_works_and_is_entered(copy):
    before = texts(copy)
    revision = max(p.stem[:4] for p in (copy / "migrations/versions").glob("[0-9]*.py"))
    made = run(copy, "tools.new_analysis", "mean_ratio", "expression")
    assert made.returncode == 0, made.stderr
    after = texts(copy)
    migration = f"migrations/versions/{int(revision) + 1:04d}_mean_ratio.py"
    assert after.keys() - before.keys() == {*YOURS, migration}
    assert {path for path in before if before[path] != after[path]} == ENTERED | GENERATED
    tested = run(copy, "pytest", "-q", "-p", "no:cacheprovider", "tests/analyses/test_mean_ratio.py")
    assert tested.returncode == 0, tested.stdout
    assert run(copy, "ruff", "check", "--no-cache", ".").returncode == 0
    assert run(copy, "ruff", "format", "--no-cache", "--check", ".").returncode == 0
