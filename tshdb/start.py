"""The door of the program: that its packages are its own is seen before any of them is imported; then the command line runs.

The command line is found by its name, as analyses and readers are: the core imports none of them.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from importlib import import_module

from tshdb.errors import Exit, TshdbError
from tshdb.neighbours import refuse_foreign
from tshdb.used_later import import_when_used


def keep_streams() -> None:
    """A closed stream leads nowhere: else the next file that is opened, such as the database, would take its number, and what is
    written to the stream."""
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))


def main() -> None:
    """Run the command line. What a user can mend is one line and an exit code."""
    keep_streams()
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
