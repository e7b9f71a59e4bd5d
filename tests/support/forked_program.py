"""Commands in processes that are forked from this one: quick, and a signal, a traceback or an endless wait is seen."""

from __future__ import annotations

import json
import os
import select
import signal
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TypeVar

import pytest

from tests.support.program import run_quick

Task = TypeVar("Task")
SAID = 20_000  # characters that are kept of what a command said
BATCH = 25  # tasks of one child
DOCUMENTED = (0, 2, 3, 4, 5, 6, 7, 8)  # exit codes; 1 is what nobody expected


class Ended(NamedTuple):
    """How a command ended. code: None where a signal, the clock or a traceback ended it; trouble: which of these."""

    code: int | None
    said: str
    trouble: str = ""


def run_here(*arguments: object, cwd: Path) -> Ended:
    """Run the program in this process."""
    try:
        done = run_quick(*arguments, cwd=cwd, code=None)
    except BaseException:
        return Ended(None, "", traceback.format_exc()[-3_000:])
    return Ended(done.returncode, (done.stdout + done.stderr)[-SAID:])


def run_forked(*arguments: object, cwd: Path, seconds: float = 60.0) -> Ended:
    """Run the program in a child. seconds: after which it is held to hang."""
    (answer,) = in_children([0], lambda _: list(run_here(*arguments, cwd=cwd)), seconds)
    return Ended(*answer) if isinstance(answer, list) else Ended(None, "", answer)


def in_children(tasks: Iterable[Task], do: Callable[[Task], Any], seconds: float = 60.0) -> Iterator[Any]:
    """What `do` gives for each task (something that JSON has), in a child process that goes from one to the next.

    Where a signal ends the child, or a task takes longer than so many seconds, a text says so in the place of the task's answer,
    and another child goes on.
    """
    left = list(tasks)
    while left:
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            _work(left[:BATCH], do, writer)
        os.close(writer)
        n, trouble = 0, ""
        for n, (answer, trouble) in enumerate(_heard(pid, reader, min(BATCH, len(left)), seconds), 1):  # noqa: B007
            yield trouble or answer
        left = left[n:]


def _work(tasks: list[Task], do: Callable[[Task], Any], writer: int) -> NoReturn:
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what libraries of C say of damaged files
        with os.fdopen(writer, "wb", buffering=0) as pipe:
            for task in tasks:
                pipe.write(json.dumps(do(task)).encode() + b"\n")
    finally:
        os._exit(0)


def _heard(pid: int, reader: int, n: int, seconds: float) -> Iterator[tuple[Any, str]]:
    """(answer, no trouble) of each task that the child ends; of one that ends the child (None, what happened), and no more."""
    heard, answered, is_late = b"", 0, False
    try:
        with os.fdopen(reader, "rb", buffering=0) as pipe:
            while answered < n:
                if not select.select([pipe], [], [], seconds)[0]:
                    is_late = True
                    break
                if not (block := pipe.read(1 << 16)):
                    break
                *lines, heard = (heard + block).split(b"\n")
                for line in lines:
                    answered += 1
                    yield json.loads(line), ""
    finally:  # nobody works on in a folder that is another's by now
        if is_late or 0 < answered < n:
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    if answered < n:
        by = f"ended by signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else "ended without an answer"
        yield None, f"did not end within {seconds:.0f} s" if is_late else by


@contextmanager
def built_once() -> Iterator[None]:
    """Within it the command line is built once a command, of which trials run thousands; it is the same command line."""
    from typer import main as typer_main

    import cli.main

    build, ask, kept, asked = typer_main.get_command, cli.main.only_asked, {}, {}

    def of(app):
        if id(app) not in kept:
            kept[id(app)] = (app, build(app))
        return kept[id(app)][1]

    def asked_for(app, words):
        if words[0] not in asked:
            asked[words[0]] = ask(app, words)
        return asked[words[0]]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer_main, "get_command", of)
        patch.setattr(cli.main, "only_asked", asked_for)
        yield
