"""python3.12 tools/constraints.py [FILE]: what this Python would install of tshdb with everything, of wheels alone.

Needs nothing but the Python that runs it. pip resolves without installing; versions and names are all that is written. With a
constraints file that is there its versions stay: what nothing requires any more is gone, and what is new has come, so that nobody
writes into such a file by hand.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
WITH = "all,test,dev,notebook,docs"
PYRADIOMICS = (
    "pyradiomics==3.0.1"  # docs/decisions/0004-installing-pyradiomics.md: it has no wheel, nor has docopt, beneath it
)
BESIDE_IT = ("wheel", "pykwalify", "PyWavelets", "six", "--no-binary=docopt")


def lines(report: Mapping, *more: str) -> list[str]:
    """The lines of a constraints file, of pip's report (its --report, version 1), and what is not in it."""
    found = (entry["metadata"] for entry in report["install"])
    return sorted(
        [*(f"{one['name']}=={one['version']}" for one in found if one["name"] != "tshdb"), *more], key=str.lower
    )


def wanted(report: str, kept: str | None, is_judge: bool) -> list[str]:
    """What pip is asked for. report: the file that it writes; kept: a constraints file whose versions stay."""
    keeping = [] if kept is None else ["--constraint", kept]
    of_all = ["--only-binary=:all:", "--report", report, *keeping, "setuptools>=77", f"{ROOT}[{WITH}]"]
    return [*of_all, *(BESIDE_IT if is_judge else ())]


def main(kept: str | None = None) -> None:
    is_judge = sys.version_info < (3, 12)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", f"{folder}/pip"], check=True)
        pip = [
            f"{folder}/pip/bin/python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--dry-run",
        ]
        subprocess.run([*pip, *wanted(f"{folder}/report.json", kept, is_judge)], check=True)
        report = json.loads(Path(folder, "report.json").read_text(encoding="utf-8"))
    print(
        f"# Versions that work together on Python {sys.version_info[0]}.{sys.version_info[1]}: make constraints. No addresses."
    )
    print("\n".join(lines(report, *([PYRADIOMICS] if is_judge else []))))


if __name__ == "__main__":
    main(*sys.argv[1:])
