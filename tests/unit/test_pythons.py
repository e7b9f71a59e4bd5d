"""The Pythons that the program is for: one list in four places, and what finds them on a machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from soak.wheels import COMPILER, from_source
from tests.support.program import ROOT
from tools.constraints import lines, wanted

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
VERSIONS = [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if c.startswith("Programming Language")]
HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


def pinned(version: str) -> dict[str, str]:
    text = (ROOT / f"constraints-{version}.txt").read_text(encoding="utf-8")
    return {
        re.sub(r"[-_.]+", "-", n).lower(): v
        for n, _, v in (line.partition("==") for line in text.splitlines() if "==" in line)
    }


def found(path: str, home: Path) -> dict[str, str]:
    """What tools/pythons.sh finds with this PATH and home."""
    environment = {"PATH": path, "HOME": str(home)}
    script = str(ROOT / "tools/pythons.sh")
    done = subprocess.run(["/bin/sh", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


def test_they_are_the_same_everywhere():
    assert VERSIONS == ["3.11", "3.12", "3.13"]
    allowed = SpecifierSet(PROJECT["requires-python"])
    assert [v for v in ("3.10", *VERSIONS, "3.14") if v in allowed] == VERSIONS
    assert sorted(p.stem.removeprefix("constraints-") for p in ROOT.glob("constraints*.txt")) == VERSIONS
    script = (ROOT / "tools/pythons.sh").read_text(encoding="utf-8")
    assert re.search(r"for version in (.*);", script)[1].split() == VERSIONS[::-1]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_constraints_fit_the_requirements(version):
    extras = PROJECT["optional-dependencies"]
    versions = pinned(version)
    texts = [*PROJECT["dependencies"], *(text for name, texts in extras.items() if name != "all" for text in texts)]
    for requirement in map(Requirement, texts):
        if requirement.marker is None or requirement.marker.evaluate({"python_version": version}):
            assert versions[requirement.name.lower()] in requirement.specifier, requirement
    assert ("pyradiomics" in versions) == (version == "3.11")


def test_all_is_every_extra_of_the_program_that_has_wheels():
    extras = PROJECT["optional-dependencies"]
    (everything,) = map(Requirement, extras["all"])
    of_work = {"all", "pyradiomics", "test", "notebook", "docs", "dev"}
    assert everything.name == "tshdb" and everything.extras == extras.keys() - of_work


def test_only_a_python_of_that_version_is_found(tmp_path):
    """Passed over: a shim that fails, another version of that name, one without the modules that an environment needs."""
    path, home = tmp_path / "bin", tmp_path / "home"
    real = home / f".pyenv/versions/{HERE}.99/bin"
    for folder in (path, real):
        folder.mkdir(parents=True)
    others = [v for v in VERSIONS if v != HERE]
    without_pip = f'PYTHONPATH="{tmp_path}" exec {sys.executable} "$@"'
    write(path / f"python{others[0]}", f'exec {sys.executable} "$@"')
    (tmp_path / "ensurepip.py").write_text("raise ImportError('it is in a package of its own')")
    for failing in (without_pip, "exit 127"):
        write(path / f"python{HERE}", failing)
        assert found(str(path), home) == {}
    (real / f"python{HERE}").symlink_to(sys.executable)
    assert list(found(str(path), home)) == [HERE]
    assert os.path.samefile(found(str(path), home)[HERE], sys.executable)


def write(path: Path, command: str) -> None:
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)


def test_a_constraints_file_has_names_and_versions_of_what_pip_would_install():
    entries = [("PyYAML", "6.0"), ("attrs", "26.1.0"), ("tshdb", "0.1.0")]
    report = {"install": [{"metadata": {"name": n, "version": v}} for n, v in entries]}
    assert lines(report) == ["attrs==26.1.0", "PyYAML==6.0"]
    assert lines(report, "beside==1") == ["attrs==26.1.0", "beside==1", "PyYAML==6.0"]


def test_constraints_that_are_there_are_kept_on_request():
    assert "--constraint" not in wanted("r.json", None, False)
    asked = wanted("r.json", "constraints-3.11.txt", True)
    assert asked[asked.index("--constraint") + 1] == "constraints-3.11.txt" and {*wanted("r.json", None, True)} < {
        *asked
    }
    assert [word for word in asked if word.endswith("]")] == [f"{ROOT}[all,test,dev,notebook,docs]"]


@pytest.mark.parametrize("version", VERSIONS)
def test_nobody_wrote_a_constraints_file_by_hand(version):
    """Its form is the tool's."""
    _, *written = (ROOT / f"constraints-{version}.txt").read_text(encoding="utf-8").splitlines()
    assert written == sorted(written, key=str.lower) and all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in written)


def test_what_has_no_wheel_was_built():
    urls = {
        "numpy": "https://host/numpy-2.5.5-cp313-cp313-manylinux_2_28_x86_64.whl",
        "docopt": "https://host/docopt-0.6.2.tar.gz",
    }
    urls |= {"tshdb": "file:///tmp/tshdb-0.1.0-py3-none-any.whl", "radiomics": "file:///tmp/radiomics"}
    report = {"install": [{"metadata": {"name": n}, "download_info": {"url": url}} for n, url in urls.items()]}
    assert from_source(report) == ["docopt", "radiomics"]


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("cc", True), ("gcc-12", True), ("x86_64-linux-gnu-gcc-12", True), ("c++", True), ("clang-14", True), ("c99-gcc", True),
        ("gcc-ar", True), ("sh", False), ("ld", False), ("python3.13", False), ("bcc", False), ("ccache", False),
    ],
)  # fmt: skip
def test_compilers_are_known_by_their_names(name, is_one):
    assert (COMPILER.fullmatch(name) is not None) == is_one
