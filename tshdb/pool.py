"""Pools of worker processes that nobody outlives: a worker ends with its parent, however that went, and a pool that is stopped
ends its workers at once, where the library's own waits for what they compute, which may take hours."""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

from tshdb.errors import InvalidInput, ResourceError
from tshdb.parent import end_with_parent


class _Pool(ProcessPoolExecutor):
    """A pool whose workers hear no Ctrl-C while they start: what it would have them say is not for the user."""

    def submit(self, *task: Any, **named: Any) -> Future:
        with started_quietly():  # workers start with the first task
            return super().submit(*task, **named)


@contextmanager
def started_quietly() -> Iterator[None]:
    """Processes that are started in the block begin with Ctrl-C held back; they unblock it when they answer it themselves, or
    ignore it (`ignore_ctrl_c`). To us it comes when the block ends."""
    with _held(signal.SIGINT):
        yield


@contextmanager
def _held(number: signal.Signals) -> Iterator[None]:
    """A signal is held back in the block, and in processes that are started in it until they unblock it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def ignore_ctrl_c() -> None:
    """Ctrl-C reaches a terminal's whole group: the parent alone answers it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def make_pool(
    workers: int, method: str = "spawn", initializer: Callable[..., None] | None = None, initargs: tuple[Any, ...] = ()
) -> ProcessPoolExecutor:
    """A pool whose workers end with this process. initializer: what each does first, once it is bound to us.

    method: of multiprocessing, but never fork: this process has threads and open databases.
    """
    with _held(
        signal.SIGHUP
    ):  # the library's process that keeps an account of semaphores ends when we have, not before
        resource_tracker.ensure_running()
    context = multiprocessing.get_context(method)
    return _Pool(workers, mp_context=context, initializer=_begin, initargs=(initializer, initargs))


@contextmanager
def pool_of(workers: int, method: str) -> Iterator[ProcessPoolExecutor]:
    """Such a pool for a block; an error or a signal in the block ends the workers. Raises ResourceError where one was killed."""
    pool = make_pool(workers, method)
    try:
        with killed_is_said():
            yield pool
    except BaseException:
        kill(pool)
        raise
    pool.shutdown()


@contextmanager
def killed_is_said() -> Iterator[None]:
    """A worker that died in the block is a ResourceError: a machine that is short of memory ends processes.

    InvalidInput where each worker has run the whole script, which starts workers, and died of it.
    """
    try:
        yield
    except BrokenProcessPool:
        if script := _starts_itself():
            raise InvalidInput(
                "a worker imports the script that starts it, and this one starts workers while it is imported",
                where=script,
                repair='Put what it does below `if __name__ == "__main__":`, or ask for one process (jobs=1)',
            ) from None
        raise ResourceError(
            "a worker process was ended from outside, as a machine does that is short of memory",
            repair="Run again, with fewer workers (--jobs 1) or more memory: what was committed is saved",
        ) from None


def _starts_itself() -> str:
    """The script that this process runs, if all of it is run again by a worker that imports it; "" otherwise."""
    main = sys.modules["__main__"]
    script = getattr(main, "__file__", None)
    if script is None or main.__spec__ is not None:  # a notebook; `python -m`
        return ""
    text = Path(script).read_text(encoding="utf-8", errors="replace") if Path(script).is_file() else "__name__"
    return "" if "__name__" in text else script


def kill(pool: ProcessPoolExecutor) -> None:
    """End a pool's workers whatever they do, and wait until they are gone."""
    for process in list((pool._processes or {}).values()):  # public from Python 3.14 on, as kill_workers
        process.kill()
    pool.shutdown(cancel_futures=True)


def _begin(initializer: Callable[..., None] | None, initargs: tuple[Any, ...]) -> None:
    """A worker's first steps."""
    ignore_ctrl_c()
    end_with_parent()
    if initializer is not None:
        initializer(*initargs)
