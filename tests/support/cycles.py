"""Ingest and rebuild again and again in one process: what it holds of the system must not grow."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.support import tiny
from tshdb.study import Study

PAGE = os.sysconf("SC_PAGE_SIZE")


class Held(NamedTuple):
    """What the process has now: open files, threads, children, files of its own in the temporary folder, bytes of memory."""

    files: int
    threads: int
    children: int
    temporary: int
    memory: int


def held(temporary: Path) -> Held:
    """Counted after garbage was collected."""
    gc.collect()
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * PAGE
    n_files = len(os.listdir("/proc/self/fd")) - 1
    return Held(n_files, threading.active_count(), len(children), sum(1 for _ in temporary.rglob("*")), resident)


def cycles(study: Study, temporary: Path, n: int) -> Iterator[Held]:
    """n times: a value comes, is ingested, and what follows from it is computed, by a study that is opened anew each time."""
    archive = tiny.TinyArchive.make(10)
    for i in range(n):
        opened = Study(study.root)
        archive.set_value("TCGA-TN-0001", "tumor", "GNLY", 10.0 + i)
        tiny.ingest(opened, archive, images=False)
        tiny.rebuild(opened, tiny.CORE)
        opened.engine.dispose()
        yield held(temporary)


def growth(seen: list[Held], warm: int) -> dict[str, int]:
    """What has become more after the first `warm` cycles, which fill caches: of memory what is beyond a tenth and 16 MiB."""
    first, last = seen[warm], seen[-1]
    grown = {name: getattr(last, name) - getattr(first, name) for name in ("files", "threads", "children", "temporary")}
    grown["memory"] = max(0, last.memory - int(first.memory * 1.1) - (16 << 20))
    return {name: n for name, n in grown.items() if n > 0}
