"""What a long life and a rough end leave: 500 rebuilds in one process, 60 signals to a rebuild with workers, and every command
with an output, a home, a folder of temporary files or a folder of its own that fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from soak import Figure
from tests.support.in_time import handed_on, in_time, tried

ROOT = Path(__file__).resolve().parents[1]
CYCLES, WARM, SIGNALS = 500, 20, 60


def run(folder: Path, seed: int) -> Iterator[Figure]:
    from tests.support import signalled, templates, tiny
    from tshdb.study import Study

    templates.core(folder / "template")
    yield from _streams(folder, seed)
    template = Study(folder / "template")
    ends = list(in_time(signalled.rounds(template, folder, SIGNALS, seed), 0.5))
    wrong = [each for end in ends for each in end]
    yield Figure(
        f"{tried(len(ends), SIGNALS)} signals to a rebuild with workers, of which something was wrong after",
        str(len(wrong)),
        "0",
        not wrong,
    )
    for each in wrong[:20]:
        yield Figure("wrong", each)
    yield _cycles(tiny.copy_study(template, folder / "cycles"), folder / "temporary")


def _streams(folder: Path, seed: int) -> Iterator[Figure]:
    command = [
        sys.executable,
        "-m",
        "tests.support.streams_server",
        str(folder / "streams"),
        str(folder / "template"),
        "1",
        "0",
    ]
    until = handed_on(1 / 3) | {"TSHDB_TEST_SEED": str(seed)}
    done = subprocess.run(command, cwd=ROOT, env=os.environ | until, stdout=subprocess.PIPE, text=True, check=True)
    answer = json.loads(done.stdout.splitlines()[-1])
    wrong = answer["wrong"]
    n = tried(answer["n"], answer["of"])
    what = f"{answer['commands']} commands, {n} runs under ten kinds of trouble, of which something was wrong"
    yield Figure(what, str(len(wrong)), "0", not wrong)
    for each in wrong[:20]:
        yield Figure("wrong", each)


def _cycles(study, temporary: Path) -> Figure:
    from tests.support.cycles import cycles, growth

    temporary.mkdir()
    before, tempfile.tempdir = tempfile.tempdir, str(temporary)
    try:
        n = int(os.environ.get("TSHDB_CYCLES", CYCLES))
        seen = list(in_time(cycles(study, temporary, n)))
    finally:
        tempfile.tempdir = before
    if len(seen) < 3:
        return Figure("ingests and rebuilds in one process", f"{len(seen)}: too few to say what grows")
    grown = growth(seen, min(WARM, len(seen) - 2))
    said = f"{grown or 'nothing'}; memory {seen[0].memory >> 20} -> {seen[-1].memory >> 20} MiB, {seen[-1].files} files"
    return Figure(
        f"what has grown after {tried(len(seen), n)} ingests and rebuilds in one process", said, "nothing", not grown
    )
