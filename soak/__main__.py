"""python -m soak [PART]... [--seed N]: run the parts, print figures beside goals; exit code 1 when a goal is missed."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
import time
from pathlib import Path

from soak import PARTS


def main() -> int:
    parser = argparse.ArgumentParser(prog="soak", description="Long trials.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; default all, in turn")
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    if unknown := set(wanted.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    is_met = True
    for part in wanted.parts or PARTS:
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix=f"tshdb-soak-{part}-") as folder:
            os.environ["TSHDB_HOME"] = f"{folder}/account"  # what trials cost tells their user nothing
            for figure in importlib.import_module(f"soak.{part}").run(Path(folder), wanted.seed):
                is_met = is_met and figure.is_met is not False
                mark = {True: "met", False: "MISSED", None: ""}[figure.is_met]
                goal = f"  (goal: {figure.goal})" if figure.goal else ""
                print(f"{part:<8} {figure.what}: {figure.value}{goal}  {mark}".rstrip(), flush=True)
        print(f"{part:<8} seed {wanted.seed}, {time.monotonic() - started:,.0f} s", flush=True)
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
