"""A fresh environment of every Python of this machine, where there is no compiler: the wheel, the demo, tests/unit.

Of the wheel alone, then with everything; without constraints, as users install. Needs the network. Times are wall seconds.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from soak import Figure

ROOT = Path(__file__).parents[1]
COMPILER = re.compile(r"(.*-)?(cc|c\+\+|c89|c99|cpp|gcc|g\+\+|clang|clang\+\+|tcc|nvcc)(-.*)?")


def run(folder: Path, seed: int) -> Iterator[Figure]:
    programs = _programs(folder / "programs")
    compilers = [name for name in ("cc", "gcc", "g++", "clang") if shutil.which(name, path=str(programs))]
    yield Figure("compilers on the PATH", ", ".join(compilers) or "none", "none", not compilers)
    wheel = _wheel(folder / "build", programs)
    pythons = subprocess.run(["sh", "tools/pythons.sh"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for version, _, python in (line.partition("=") for line in reversed(pythons.splitlines())):
        for extra in ("", "[all]"):
            yield from _installed(folder / f"{version}{extra}", version, python, f"{wheel}{extra}", programs)


def _installed(folder: Path, version: str, python: str, wheel: str, programs: Path) -> Iterator[Figure]:
    what = f"{version} {Path(wheel).name.partition('.whl')[2] or 'alone'}"
    environment = _environment(folder, programs)
    subprocess.run([python, "-m", "venv", str(folder)], check=True, env=environment)
    pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    yield _timed(f"{what}, pip install", [*pip, "--report", str(folder / "report.json"), wheel], environment)
    if not (folder / "report.json").is_file():
        return
    built = from_source(json.loads((folder / "report.json").read_text(encoding="utf-8")))
    yield Figure(f"{what}, built from source", ", ".join(built) or "nothing", "nothing", not built)
    study = folder / "study"
    yield _timed(f"{what}, tshdb demo", [str(folder / "bin/tshdb"), "demo", str(study)], environment)
    if wheel.endswith("[all]"):
        tests = [str(folder / "bin/python"), "-m", "pytest", "-q", "-n", "2", "tests/unit"]
        yield _timed(f"{what}, pip install [test]", [*pip, wheel.replace("[all]", "[test]")], environment)
        yield _timed(f"{what}, tests/unit", tests, environment)


def from_source(report: dict) -> list[str]:
    """The packages that pip did not install from a wheel, by its report (version 1)."""
    entries = ((entry["metadata"]["name"], entry["download_info"]["url"]) for entry in report["install"])
    return sorted(name for name, url in entries if not url.endswith(".whl"))


def _timed(what: str, command: list[str], environment: dict[str, str]) -> Figure:
    print(f"  {what}", file=sys.stderr, flush=True)
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    seconds = f"{time.monotonic() - started:,.0f} s"
    if done.returncode:
        last = " | ".join((done.stdout + done.stderr).strip().splitlines()[-6:])
        return Figure(what, f"{seconds}, exit code {done.returncode}: {last}", "exit code 0", False)
    return Figure(what, seconds, "exit code 0", True)


def _environment(folder: Path, programs: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("CC", "CXX", "PYTHONPATH", "VIRTUAL_ENV")}
    return kept | {"PATH": f"{folder / 'bin'}{os.pathsep}{programs}"}


def _programs(folder: Path) -> Path:
    """A folder with this machine's programs but for compilers."""
    folder.mkdir()
    for place in map(Path, ("/usr/local/bin", "/usr/bin", "/bin")):
        for program in sorted(place.iterdir()) if place.is_dir() else []:
            if not COMPILER.fullmatch(program.name) and not (folder / program.name).is_symlink():
                (folder / program.name).symlink_to(program)
    return folder


def _wheel(folder: Path, programs: Path) -> Path:
    """The program's wheel, of a copy of what git knows: nothing that lies about takes part."""
    source, wheels = folder / "source", folder / "wheels"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(wheels), str(source)]
    subprocess.run(command, check=True, env=_environment(folder, programs))
    (wheel,) = wheels.glob("*.whl")
    return wheel
