"""python -m soak [PART]... [--seed N] [--minutes M]: run the parts, two at a time, and print figures beside goals.

Without a PART all of them, in an hour; a PART that is named goes on to its end, unless --minutes says otherwise. Exit code 1
when a goal is missed.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from soak import PARTS, Figure
from tests.support.in_time import MOMENT

HOUR = 60.0  # minutes
LANES = 2  # parts at a time


def main() -> int:
    parser = argparse.ArgumentParser(prog="soak", description="Long trials.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; default all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--minutes", type=float, help="for all parts together; default 60 for all parts, none for those named"
    )
    wanted = parser.parse_args()
    if unknown := set(wanted.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if len(wanted.parts) == 1:
        return _one(wanted.parts[0], wanted.seed, wanted.minutes)
    minutes = wanted.minutes or (None if wanted.parts else HOUR)
    return _all(wanted.parts or list(PARTS), wanted.seed, minutes)


def _one(part: str, seed: int, minutes: float | None) -> int:
    """Here, with a folder and an account of its own."""
    started = time.monotonic()
    if minutes is not None:
        os.environ[MOMENT] = str(started + 60 * minutes)
    is_met = True
    with tempfile.TemporaryDirectory(prefix=f"tshdb-soak-{part}-") as folder:
        os.environ["TSHDB_HOME"] = f"{folder}/account"  # what trials cost tells their user nothing
        try:
            for figure in importlib.import_module(f"soak.{part}").run(Path(folder), seed):
                is_met = is_met and figure.is_met is not False
                print(_line(part, figure), flush=True)
        except Exception:  # a part that breaks is told, and is not met
            is_met = False
            print(_line(part, Figure("broken", traceback.format_exc(limit=-4).strip(), is_met=False)), flush=True)
    print(f"{part:<8} seed {seed}, {time.monotonic() - started:,.0f} s", flush=True)
    return 0 if is_met else 1


def _line(part: str, figure: Figure) -> str:
    mark = {True: "met", False: "MISSED", None: ""}[figure.is_met]
    goal = f"  (goal: {figure.goal})" if figure.goal else ""
    return f"{part:<8} {figure.what}: {figure.value}{goal}  {mark}".rstrip()


def _all(parts: list[str], seed: int, minutes: float | None) -> int:
    """Each in a process of its own, two at a time, the longest first. What a part leaves of its time is the others'."""
    started = time.monotonic()
    end = None if minutes is None else started + 60 * minutes
    due = sorted(parts, key=lambda part: -PARTS[part])
    until: dict[str, float] = {}  # of those that run
    lock, missed = Lock(), []

    def share(part: str) -> list[str]:
        if end is None:
            return []
        now = time.monotonic()
        taken = sum(max(0.0, moment - now) for moment in until.values())
        weight = PARTS[part] / sum(PARTS[each] for each in [part, *due])
        seconds = max(30.0, min(end - now, weight * (LANES * (end - now) - taken)))
        until[part] = now + seconds
        return ["--minutes", str(seconds / 60)]

    def lane(_: int) -> None:
        while True:
            with lock:
                if not due:
                    return
                part = due.pop(0)
                words = share(part)
            command = [sys.executable, "-m", "soak", part, "--seed", str(seed), *words]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
            with lock:
                until.pop(part, None)
                print(done.stdout, end="", flush=True)
                if done.returncode:
                    missed.append(part)

    with ThreadPoolExecutor(LANES) as pool:
        list(pool.map(lane, range(LANES)))
    said = f"missed: {', '.join(sorted(missed))}" if missed else "every goal met"
    print(f"{len(parts)} parts, seed {seed}, {(time.monotonic() - started) / 60:.0f} minutes; {said}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
