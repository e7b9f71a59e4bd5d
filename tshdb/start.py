"""The door of the program: that its packages are its own is seen before any of them is imported; then the command line runs.

The command line is found by its name, as analyses and readers are: the core imports none of them.
"""

from __future__ import annotations

import atexit
import gc
import sys
from importlib import import_module

from tshdb.errors import Exit, TshdbError
from tshdb.neighbours import refuse_foreign

SOMETIMES_USED = ("numpy",)  # by modules that most commands import, and few run


def main() -> None:
    """Run the command line. What a user can mend is one line and an exit code."""
    gc.set_threshold(200_000, 20, 20)  # what is imported lives until the end, and is most of what a command makes
    atexit.register(
        gc.freeze
    )  # at the end the kernel takes it all back; going through it once more costs a tenth of a second
    try:
        refuse_foreign()
        import_module("tshdb.system")
        for package in SOMETIMES_USED:
            import_module("tshdb.used_later").import_when_used(package)
    except TshdbError as error:
        sys.stderr.write(f"tshdb: {error}\n")
        sys.exit(error.exit_code)
    except ImportError as error:
        sys.stderr.write(f"tshdb: {error}\n")
        sys.exit(Exit.RESOURCE)
    import_module("cli.main").main()
