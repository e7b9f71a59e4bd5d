"""A call of the system fails, at each call in turn: of ingest, rebuild, report, backup, withdrawal, a table and a bundle; also by
chance, by disks of every size, by memory that ends, and by a clock that jumps. What is in the way is said in one line, no promise
of the study is broken, and the same command goes on to the same tables, objects and files.

The program that does it is that of the tests (tests/support/failing_server.py); it needs a C compiler. TSHDB_FAULTS: how many
trials of single calls, 320 without it; they are drawn from all calls by the seed.
"""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from soak import Figure
from tests.support.failing import serve
from tests.support.in_time import tried

CALLS = {  # command -> calls that a run makes and that can fail so, as counted in an undisturbed one
    "ingest": {"ENOSPC": 107, "EIO": 601, "EACCES": 27, "EMFILE": 21},
    "images": {"ENOSPC": 138, "EIO": 808, "EACCES": 45, "EMFILE": 39},
    "rebuild": {"ENOSPC": 391, "EIO": 448, "EACCES": 14, "EMFILE": 12},
    "report": {"ENOSPC": 81, "EIO": 4317, "EACCES": 55, "EMFILE": 52},
    "backup": {"ENOSPC": 560, "EIO": 2384, "EACCES": 235, "EMFILE": 140},
    "withdraw": {"ENOSPC": 2386, "EIO": 3629, "EACCES": 130, "EMFILE": 97},
    "table": {"ENOSPC": 57, "EIO": 107, "EACCES": 7, "EMFILE": 5},
    "bundle": {"ENOSPC": 721, "EIO": 2501, "EACCES": 422, "EMFILE": 306},
}
SLOW = {"report"}  # seconds a run: one trial of eight others'
SIZES, STEPS, CHANCES = 20, 15, 20
DAY = 86_400  # seconds


def run(folder: Path, seed: int) -> Iterator[Figure]:
    luck = random.Random(f"faults/{seed}")
    found = kinds(luck, int(os.environ.get("TSHDB_FAULTS", "320")))
    for i, (name, trials) in enumerate(found.items()):
        answers = serve(folder / name.replace(" ", "-"), trials, share=1 / (len(found) - i))
        wrong = [f"{a['trial']}: {c} ({a.get('call')} {a.get('path')})" for a in answers for c in a["complaints"]]
        ended = Counter(a["code"] for a in answers)
        codes = ", ".join(f"{n} with {code}" for code, n in sorted(ended.items()))
        yield Figure(
            f"{name}: {tried(len(answers), len(trials))} runs (ended {codes}), of which something was wrong",
            str(len(wrong)),
            "0",
            not wrong,
        )
        for each in wrong[:20]:
            yield Figure("wrong", each)


def kinds(luck: random.Random, n: int) -> dict[str, list[dict]]:
    """All trials, by what fails."""
    quick = [command for command in CALLS if command not in SLOW]
    calls = []
    for i in range(n):
        command = luck.choice(sorted(SLOW)) if i % 40 == 39 else quick[i % len(quick)]
        error = luck.choice(list(CALLS[command]))
        at = luck.randint(1, CALLS[command][error])
        calls.append({"command": command, "how": "call", "errno": error, "at": at, "is_lasting": luck.random() < 0.5})
    found = {
        "a call": calls,
        "calls by chance": [
            {"command": quick[i % len(quick)], "how": "chance", "errno": ("ENOSPC", "EIO")[i % 2], "p": 0.02,
             "seed": luck.randrange(10**6)}
            for i in range(CHANCES)
        ],
        "a file that may not grow": [
            {"command": quick[i % len(quick)], "how": "size", "bytes": 20_000 * (i + 1)} for i in range(SIZES)
        ],
        "memory": [
            {"command": quick[i % len(quick)], "how": "memory", "bytes": (4 << i // 2) << 20} for i in range(STEPS)
        ],
        "a clock that jumps": [
            {"command": "rebuild", "how": "clock", "at": luck.randint(1, 300), "seconds": sign * DAY} for sign in (1, -1) * 3
        ],
        "the order of writing": [{"command": c, "how": "log"} for c in ("ingest", "images", "rebuild")],
    }  # fmt: skip
    if os.geteuid() == 0 and shutil.which("mount"):
        found["a full disk"] = [
            {"command": quick[i % len(quick)], "how": "room", "bytes": (i + 1) ** 2 << 16} for i in range(SIZES)
        ]
    return found
