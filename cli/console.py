"""What the terminal gets: data on stdout, talk on stderr, tables that line up, and no control character from data.

On a terminal nothing is wider than it; COLUMNS says another width, and also one for a pipe or a file, where nothing wraps
otherwise.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from tshdb.shown_addresses import without_secrets
from tshdb.text.controls import clean, in_one_line
from tshdb.text.facts import facts_text
from tshdb.text.tabular import laid_out
from tshdb.text.widths import fill

NARROWEST = 20  # columns; below it a line goes over


def columns(stream: TextIO) -> int | None:
    """How wide a line to this stream may be: COLUMNS, or as wide as its terminal is; None for a pipe or a file."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and int(asked):
        return max(int(asked), NARROWEST)
    if not stream.isatty():
        return None
    try:
        width = os.get_terminal_size(stream.fileno()).columns
    except OSError:
        return None
    return max(width, NARROWEST) if width else None


def out(text: object = "", hanging: str | None = None) -> None:
    """A line of data. hanging: what its wrapped lines begin with, if not some spaces more (tshdb.text.widths.fill)."""
    _write(sys.stdout, text, hanging)


def say(text: object = "", hanging: str | None = None) -> None:
    """A line of talk, in which no address has a password."""
    _write(sys.stderr, without_secrets(str(text)), hanging)


def _write(stream: TextIO, text: object, hanging: str | None) -> None:
    cleaned, width = clean(text), columns(stream)
    stream.write((cleaned if width is None else "\n".join(fill(cleaned, width, hanging))) + "\n")


def count(n: int, thing: str) -> str:
    """`1 file`, `2 files`."""
    return f"{n:,} {thing}" if n == 1 else f"{n:,} {thing}s"


def confirm(question: str) -> bool:
    """Ask on stderr for yes or no; no where nobody answers."""
    sys.stderr.write(f"{clean(question)} [y/N] ")
    sys.stderr.flush()
    answer = sys.stdin.readline().strip().lower() if sys.stdin is not None else ""
    if sys.stdin is None or not sys.stdin.isatty():
        sys.stderr.write("\n")
    return answer in ("y", "yes")


def out_exact(text: object) -> None:
    """A path or a line of code, alone and never wrapped: it is there to be copied."""
    sys.stdout.write(clean(text) + "\n")


def out_text(data: bytes) -> None:
    """The text of a file, as the file would hold it."""
    text = data.decode("utf-8")
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def out_json(value: Any) -> None:
    """The same facts for a machine."""
    sys.stdout.write(facts_text(value) + "\n")


def table(
    headers: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[int] = (), indent: str = " "
) -> None:
    """Aligned columns; `right` names those that are numbers. None is shown as a dot.

    What does not fit the terminal wraps in its column, or each row becomes a block (tshdb.text.tabular). A line break in a value
    is a sign (tshdb.text.controls): a row is one line, or one block.
    """
    cleaned = [[None if v is None else in_one_line(v) for v in row] for row in rows]
    for line in laid_out(list(map(in_one_line, headers)), cleaned, right, indent, columns(sys.stdout)):
        sys.stdout.write(line + "\n")


def short(value: object) -> object:
    """A cell of a table: floats with six digits; everything else as it is, members of an enumeration by their value."""
    return f"{value:.6g}" if isinstance(value, float) else getattr(value, "value", value)


def settings(values: dict[str, Any]) -> str:
    """Parameters in one line, as they are written in study.toml."""
    return ", ".join(f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in values.items()) or "none"


def counted(n: int, noun: str) -> str:
    """A number of things: 1 result, 2 results."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


class _Silent:
    def __call__(self, name: str, done: int, total: int, what: str = "units") -> None:
        pass


def _that_fit(name: Any, bar: Any, count: Any, more: Any, remaining: Any) -> tuple[Any, ...]:
    """The parts of a line of progress that the terminal has room for; the count is always one."""
    width = columns(sys.stderr) or 80
    if width >= 80:
        return name, bar, count, more, remaining
    return (name, count, remaining) if width >= 60 else (name, count)


@contextmanager
def byte_progress(n_bytes: int, n_files: int, what: str = "files") -> Iterator[Any]:
    """Two callables, (bytes arrived) and (one of `what` done), that draw one bar on a terminal and nothing elsewhere."""
    if not sys.stderr.isatty():
        yield (lambda size: None), (lambda: None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.table import Column

    name = TextColumn(" {task.description:<20}", table_column=Column())
    parts = _that_fit(name, BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*parts, console=Console(stderr=True)) as bars:
        task = bars.add_task(f"0 of {n_files:,} {what}", total=n_bytes)
        counted = 0

        def done() -> None:
            nonlocal counted
            counted += 1
            bars.update(task, description=f"{counted:,} of {n_files:,} {what}")

        yield (lambda size: bars.advance(task, size)), done


@contextmanager
def progress() -> Iterator[Any]:
    """A callable (name, done, total, of what) that draws bars on a terminal and nothing elsewhere."""
    if not sys.stderr.isatty():
        yield _Silent()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Column

    name, what_of = TextColumn(" {task.description:<20}", table_column=Column()), TextColumn("{task.fields[what]}")
    parts = _that_fit(name, BarColumn(), MofNCompleteColumn(), what_of, TimeRemainingColumn())
    with Progress(*parts, console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def show(name: str, done: int, total: int, what: str = "units") -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total, what=what)
            bars.update(tasks[name], completed=done, total=total, what=what)

        yield show
