"""python -m benchmarks [startup|planning|correction|ingest_matrix …]: measure, print a table, write results/."""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.common import Measured

SUBJECTS = (
    "startup",
    "planning",
    "correction",
    "ingest_matrix",
    "star_files",
    "maxstat",
    "cohort_selection",
    "dicom_headers",
    "enhanced",
    "image_chain",
    "radiomics",
    "signature",
)
LONG = ("planted_truth", "estimates", "arrival", "like_paper", "reports", "exports")  # by name alone: many minutes each
RESULTS = Path(__file__).with_name("results")


def main(names: list[str]) -> int:
    unknown = set(names) - set(SUBJECTS + LONG)
    if unknown:
        sys.exit(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(SUBJECTS + LONG)}")
    console = Console(width=150) if not sys.stdout.isatty() else Console()
    measured: list[Measured] = []
    for name in names or SUBJECTS:
        with tempfile.TemporaryDirectory(prefix=f"tshdb-{name}-") as scratch, console.status(f"measuring {name}"):
            os.environ["TSHDB_HOME"] = f"{scratch}/account"  # what is measured here tells its user nothing
            for line in importlib.import_module(f"benchmarks.{name}").measure(Path(scratch)):
                measured.append(line)
                console.print(f"{line.what}: {line.value:.3g} {line.unit}", highlight=False)
    console.print(_table(measured))
    RESULTS.mkdir(exist_ok=True)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    report = {
        "at": stamp,
        "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
        "measured": [asdict(m) | {"ratio": m.ratio} for m in measured],
    }
    (RESULTS / f"{stamp}.json").write_text(json.dumps(report, indent=1) + "\n")
    return 1 if any(m.is_met is False for m in measured) else 0


def _table(measured: list[Measured]) -> Table:
    table = Table("what", "ours", "baseline", "baseline's", "ratio", "goal", "met")
    for m in measured:
        theirs = "" if m.baseline_value is None else f"{m.baseline_value:.3g} {m.unit}"
        ratio = "" if m.ratio is None else f"{m.ratio:.2g} x"
        met = {True: "yes", False: "no", None: ""}[m.is_met]
        table.add_row(m.what, f"{m.value:.3g} {m.unit}", m.baseline or "", theirs, ratio, m.goal or "", met)
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
