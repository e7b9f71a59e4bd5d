"""The demo and a patient with images by the oldest libraries that are allowed, by today's on every Python that is here, and by
the newest: numbers differ by a billionth at most, all else is the same."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from packaging.requirements import Requirement

from soak import Figure
from soak.processors import IMAGES, studies, told
from tests.support.in_time import in_time, tried
from tests.support.program import ROOT

EXTRAS = ("imaging", "signature")


def run(folder: Path, seed: int) -> Iterator[Figure]:
    files = folder / "files"
    simulate = [
        sys.executable,
        "-m",
        "tshdb",
        "simulate",
        str(files),
        "--cohorts",
        IMAGES,
        "--voxel-mm",
        "4",
        "--visits",
        "1",
    ]
    subprocess.run([*simulate, "--seed", str(seed)], cwd=ROOT, check=True, capture_output=True)
    environments, n = list(_environments(folder)), 0
    first, here = None, None
    for name, python, constraints in in_time(environments):
        n += 1
        place = folder / re.sub(r"\W+", "-", name)
        program, versions = _installed(place, python, constraints)
        there = studies(place / "studies", files, partial(_run, program, place))
        yield Figure(f"{name}: libraries", versions)
        if here is None:
            first, here = name, there
        else:
            yield from told(f"{name} beside {first}", here, there)
    yield Figure("sets of libraries", tried(n, len(environments)))


def _environments(folder: Path) -> Iterator[tuple[str, str, Path | None]]:
    """(name, python, constraints or None)."""
    listed = subprocess.run(["sh", "tools/pythons.sh"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    pythons = [line.split("=", 1) for line in sorted(listed.splitlines(), key=_version)]
    for version, python in pythons[:1]:
        yield f"{version}, today's", python, ROOT / f"constraints-{version}.txt"
        oldest = folder / "oldest.txt"
        oldest.write_text("\n".join(_lowest()) + "\n")
        yield f"{version}, the oldest", python, oldest
    for version, python in pythons[1:]:
        yield f"{version}, today's", python, ROOT / f"constraints-{version}.txt"
    for version, python in pythons[-1:]:
        yield f"{version}, the newest", python, None


def _version(line: str) -> tuple[int, ...]:
    return tuple(map(int, line.partition("=")[0].split(".")))


def _lowest() -> Iterator[str]:
    """Every library that is named, held to the first version that is allowed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [*project["dependencies"], *(each for extra in EXTRAS for each in project["optional-dependencies"][extra])]
    for requirement in map(Requirement, named):
        for specifier in requirement.specifier:
            if specifier.operator == ">=":
                yield f"{requirement.name}=={specifier.version}.*,>={specifier.version}"


def _installed(folder: Path, python: str, constraints: Path | None) -> tuple[Path, str]:
    """A new environment with the program, of wheels alone; its Python, and the versions of what computes."""
    subprocess.run([python, "-m", "venv", str(folder / "venv")], check=True)
    program = folder / "venv/bin/python"
    pip = [str(program), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"]
    subprocess.run([*pip, "--upgrade", "setuptools"], check=True)
    held = ["-c", str(constraints)] if constraints else []
    done = subprocess.run(
        [*pip, "--no-build-isolation", *held, f"{ROOT}[{','.join(EXTRAS)}]"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-1500:])
    names = ("numpy", "scipy", "pandas", "scikit-learn", "lifelines", "SimpleITK", "numba")
    asked = f"from importlib.metadata import version; print(', '.join(f'{{n}} {{version(n)}}' for n in {names}))"
    said = subprocess.run([str(program), "-c", asked], capture_output=True, text=True, check=True).stdout
    return program, said.strip()


def _run(program: Path, folder: Path, *words: object) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    command = [str(program.with_name("tshdb")), *map(str, words)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        raise RuntimeError(f"{' '.join(command[1:])}: {done.returncode}: {done.stderr[-1500:]}")
