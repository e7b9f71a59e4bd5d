"""A child process that ends with its parent, however that ended: what it computes nobody would take.

A pipe tells it, whose other end the parent alone holds: the system closes that when the parent is gone, killed ones too.
Pools of workers (`tshdb.pool`), forked children (`tshdb.forked`) and processes of multiprocessing are bound by it. A command of
another language, which cannot watch anything, is ended by its keeper (`tshdb.engine.outside.keeper`) when that pipe closes.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from functools import cache

from tshdb import system


def end_with(handle: int) -> None:
    """From now on this process ends (exit code 1) as soon as nobody can write into the pipe of this descriptor any more."""
    threading.Thread(target=_wait, args=(handle,), name="end with the parent", daemon=True).start()


@cache
def end_with_parent() -> None:
    """The same for a process that multiprocessing has started, once. In any other nothing happens."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        end_with(parent.sentinel)


def _wait(handle: int) -> None:
    system.wait_for_end(handle)
    os._exit(1)
