"""The door of the program: that its packages are its own is seen before any of them is imported; then the command line runs.

The command line is found by its name, as analyses and readers are: the core imports none of them.
"""

from __future__ import annotations

import atexit
import gc
import io
import os
import signal
import sys
from importlib import import_module

from tshdb.errors import Exit, TshdbError
from tshdb.everyday import OUTPUT
from tshdb.neighbours import refuse_foreign
from tshdb.used_later import import_when_used


def keep_streams() -> None:
    """A closed stream leads nowhere: else the next file that is opened, such as the database, would take its number, and what is
    written to the stream."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))


class _Talk(io.FileIO):
    """The stream of what is said beside the data: what nobody can take is dropped, and no command ends by it."""

    def write(self, data) -> int:
        try:
            return super().write(data) or 0
        except OSError:
            return len(data)


class _Output(io.FileIO):
    """The stream of data: what the system says of it bears its name."""

    def write(self, data) -> int:
        try:
            return super().write(data) or 0
        except OSError as error:
            error.filename = OUTPUT
            raise


def output_on(number: int) -> io.TextIOWrapper:
    """A stream of text to a file descriptor, as Python has made it for stdout."""
    raw, before = _Output(number, "w", closefd=False), sys.stdout
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=before.encoding,
        errors=before.errors,
        line_buffering=bool(before.line_buffering),
    )


def talk_on(number: int) -> io.TextIOWrapper:
    """A stream of text to a file descriptor that never fails."""
    raw = _Talk(number, "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=sys.stderr.encoding,
        errors="backslashreplace",
        line_buffering=True,
        write_through=True,
    )


def main() -> None:
    """Run the command line. What a user can mend is one line and an exit code."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(
            signal.SIGINT, signal.SIG_DFL
        )  # until the command line answers it, there is nothing to put in order
    keep_streams()
    sys.stdout, sys.stderr = output_on(1), talk_on(2)
    gc.set_threshold(200_000, 20, 20)  # what is imported lives until the end, and is most of what a command makes
    atexit.register(
        gc.freeze
    )  # the kernel takes it all back at the end: not gone through once more, for a tenth of a second
    try:
        refuse_foreign()
        import_module("tshdb.system")
        import_when_used("numpy")  # which most commands import with an analysis, and few run
    except TshdbError as error:
        sys.stderr.write(f"tshdb: {error}\n")
        sys.exit(error.exit_code)
    except ImportError as error:
        sys.stderr.write(f"tshdb: {error}\n")
        sys.exit(Exit.RESOURCE)
    import_module("cli.main").main()
