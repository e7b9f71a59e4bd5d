"""Whether what a run wrote outlasts a loss of power: the order of its calls of the system, as failing_calls.c wrote them down.

Of an object: written, its bytes to the disk (fsync), given its name (rename), the name to the disk (fsync of the folder), and
only then the commit of a row that may name it (fsync of the database's journal).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

OBJECT = re.compile(r"objects/[0-9a-f]{2}/[0-9a-f]{64}\.\w+$")


def judged(lines: Sequence[str], root: Path) -> tuple[int, list[str]]:
    """How many objects were given their name, and what was wrong with any. root: of the study."""
    calls = [line.split("\t") for line in lines]
    commits = [i for i, (call, *paths) in enumerate(calls) if call == "fsync" and paths[0].endswith("study.db-wal")]
    found, n = [], 0
    for i, (call, *paths) in enumerate(calls):
        if call not in ("rename", "link") or not OBJECT.search(paths[1]):
            continue
        n += 1
        source, target = paths
        name = Path(target).name[:12]
        of_file = [c for c, *p in calls[:i] if p[0] == source]
        if "write" not in of_file or of_file[-1] != "fsync":
            found.append(f"object {name} got its name before its bytes were on the disk ({of_file[-3:]})")
        commit = next((c for c in commits if c > i), len(calls))
        synced = {p[0] for c, *p in calls[i + 1 : commit] if c == "fsync"}
        wanted = {str(Path(target).parent)}
        if ["mkdir", str(Path(target).parent)] in calls[:i]:
            wanted.add(str(root / "objects"))
        if missing := wanted - synced:
            found.append(f"object {name}: the folder {sorted(missing)} was not on the disk before the next commit")
        if commit == len(calls):
            found.append(f"object {name}: nothing was committed after it")
    return n, found
