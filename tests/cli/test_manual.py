"""The manual is found, from the repository and from a wheel, and what names a page names one that is there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile

from tests.support.program import ROOT
from tshdb.manual import pages

SOURCES = (
    "tshdb", "cli", "ingest", "analyses", "migrations", "docs", "setup.py", "MANIFEST.in", "pyproject.toml", "README.md",
    "LICENSE", "GLOSSARY.md",
)  # fmt: skip


def test_the_manual_is_that_of_the_repository(quick):
    assert set(pages()) == {path.stem for path in (ROOT / "docs").glob("*.md")} | {"GLOSSARY"}
    listed = quick("docs").stdout
    assert all(f" {name} " in listed for name in pages())
    assert quick("docs", "cohorts").stdout.rstrip() == (ROOT / "docs/cohorts.md").read_text(encoding="utf-8").rstrip()
    assert quick("docs", "cohorts", "--path").stdout.strip() == str(ROOT / "docs/cohorts.md")


def test_the_words_are_a_page(quick):
    text = (ROOT / "GLOSSARY.md").read_text(encoding="utf-8").rstrip()
    assert quick("docs", "GLOSSARY").stdout.rstrip() == quick("docs", "glossary").stdout.rstrip() == text
    assert quick("docs", "glossary", "--path").stdout.strip() == str(ROOT / "GLOSSARY.md")


def test_a_page_that_is_not_there(quick):
    assert "no page 'cohort'. Did you mean cohorts? Pages: " in quick("docs", "cohort", code=8).stderr


def test_what_names_a_page_names_one_that_is_there():
    named = {
        (path, name)
        for package in ("tshdb", "cli", "ingest", "analyses")
        for kind in ("*.py", "*.toml", "*.html")
        for path in (ROOT / package).rglob(kind)
        for name in re.findall(r"tshdb docs ([a-z]+)|docs/([a-z_]+)\.md", path.read_text(encoding="utf-8"))
    }
    assert len(named) > 3
    assert {"".join(name) for _, name in named} <= set(pages())


def test_a_wheel_has_the_manual_and_finds_it(tmp_path):
    """Built without a network, by the setuptools that is there."""
    copy = tmp_path / "source"
    copy.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(ROOT / name, copy / name)
    build = "from setuptools import build_meta; print(build_meta.build_wheel('dist'))"
    done = subprocess.run([sys.executable, "-c", build], cwd=copy, capture_output=True, text=True, check=True)
    wheel = copy / "dist" / done.stdout.splitlines()[-1]
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    code = "from tshdb.manual import pages; print(*pages().values(), sep='\\n')"
    environment = {"PYTHONPATH": str(tmp_path / "installed"), "PATH": ""}
    found = subprocess.run(
        [sys.executable, "-P", "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.splitlines() == [str(tmp_path / "installed/tshdb/docs" / f"{name}.md") for name in pages()]
