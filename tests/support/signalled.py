"""The real command line with workers is sent signals at random moments: how it ends, what it says, what is left."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select

from tests.support import tiny
from tests.support.program import ROOT
from tshdb.database import reading
from tshdb.lock import study_lock
from tshdb.process import is_alive
from tshdb.schema import Run
from tshdb.study import Study
from tshdb.vocabulary import RunState

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
COMMAND = [sys.executable, "-m", "tshdb", "rebuild", "univariable_cox", "cutoff", "survival_groups", "--jobs", "2"]
ENDS = 60.0  # seconds


def began(root: Path) -> subprocess.Popen:
    """A rebuild with two workers, in a group of its own as a terminal has it."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        COMMAND,
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for_run(study: Study, process: subprocess.Popen) -> None:
    """Until the rebuild has noted that it runs: from then on every signal is answered."""
    until = time.monotonic() + ENDS
    while process.poll() is None and time.monotonic() < until:
        with reading(study.engine) as connection:
            if connection.execute(select(Run.run_id).where(Run.state == RunState.RUNNING)).first():
                return
        time.sleep(0.02)


def trial(study: Study, number: signal.Signals, delay: float, is_twice: bool) -> list[str]:
    """Send the signal to the group so long after the run began, and once more at once. Gives what was wrong."""
    process = began(study.root)
    wait_for_run(study, process)
    time.sleep(delay)
    for _ in range(1 + is_twice):
        if process.poll() is None:
            os.killpg(process.pid, number)
        time.sleep(0.01)
    _, said = process.communicate(timeout=ENDS)
    return [*_of_end(process.returncode, said, number), *_of_group(process.pid), *_of_study(study)]


def _of_end(code: int, said: str, number: signal.Signals) -> list[str]:
    found = []
    if code not in (CODES[number], 0):  # 0: it was done before
        found.append(f"it ends with {code}, not {CODES[number]}")
    if code == CODES[number] and "Run the same command to go on" not in said:
        found.append(f"it does not say how to go on: {said[-300:]}")
    if "Traceback" in said or "Exception ignored" in said:
        found.append(f"it is not quiet: {said[-600:]}")
    return found


def _of_group(group: int) -> list[str]:
    """Whether a process of its group is left."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return []
        time.sleep(0.05)
    os.killpg(group, signal.SIGKILL)
    return ["a process of it was left"]


def _of_study(study: Study) -> list[str]:
    found = []
    with reading(study.engine) as connection:
        for row in connection.execute(select(Run.process).where(Run.state == RunState.RUNNING)):
            if is_alive(row.process):
                found.append("its run is called alive")
    with study_lock(study.engine, study.root, wait_seconds=1):
        pass
    return found


def rounds(template: Study, folder: Path, n: int, seed: int) -> Iterator[list[str]]:
    """n trials with random signals and moments, each gone on with; what was wrong with each."""
    luck = random.Random(seed)
    archive = tiny.TinyArchive.make(10)
    archive.set_value("TCGA-TN-0001", "tumor", "GNLY", 77.25)
    wanted: dict = {}
    for i in range(n):
        study = tiny.copy_study(template, folder / f"signal-{i}")
        tiny.ingest(study, archive, images=False)
        number = luck.choice(list(CODES))
        delay, is_twice = luck.uniform(0, 6), luck.random() < 0.3
        wrong = trial(study, number, delay, is_twice)
        tiny.rebuild(study, tiny.CORE)
        came_to = tiny.dump(study)
        wanted = wanted or came_to
        if came_to != wanted:
            wrong.append("other tables after it went on")
        study.engine.dispose()
        yield [f"{number.name} after {delay:.2f} s{', twice' * is_twice}: {each}" for each in wrong]
