"""Computing units in a process of its own; one that dies is named with the unit that it died of, and another one goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tshdb.verification.stored import StoredUnit

BEGIN = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from tshdb.verification.child import main; main()"


def computed(root: Path, units: Sequence[StoredUnit]) -> Iterator[tuple[StoredUnit, dict[str, Any]]]:
    """Each unit with what the process answers, as `child` gives it."""
    waiting = deque(units)
    while waiting:
        paths = json.dumps([str(Path(p).resolve()) if p else os.getcwd() for p in sys.path])
        process = subprocess.Popen(
            [sys.executable, "-c", BEGIN, paths], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, encoding="utf-8",
        )  # fmt: skip
        try:
            yield from _answers(process, root, waiting)
        finally:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()


def _answers(
    process: subprocess.Popen, root: Path, waiting: deque[StoredUnit]
) -> Iterator[tuple[StoredUnit, dict[str, Any]]]:
    """What one process answers, until it ends."""
    asked = {"root": str(root.resolve()), "units": [(u.analysis.name, u.key, u.unit_id) for u in waiting]}
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    try:
        process.stdin.write(json.dumps(asked))
        process.stdin.close()
    except BrokenPipeError:
        pass
    for line in process.stdout:
        answer = json.loads(line)
        yield waiting.popleft(), answer
    code = process.wait()
    if waiting:
        last = process.stderr.read().strip().splitlines()[-1:]
        yield waiting.popleft(), {"failed": f"the process that computed it ended with {code}: {''.join(last)}"}
