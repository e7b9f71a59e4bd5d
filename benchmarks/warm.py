"""Runs a command line program in this process with all its imports done beforehand, and says how long it worked.

    python warm.py MODULES.json RESULT.json MODULE:FUNCTION [ARGUMENT …]

The first run (MODULES.json does not exist) records which modules the program loads. A later run imports them before
the clock starts, so that what is measured is neither the interpreter's start nor any import. Needs the standard
library alone, since it also runs under the interpreters of the baselines.
"""

import importlib
import json
import os
import sys
import time


def main() -> None:
    modules, result, entry, *arguments = sys.argv[1:]
    started = time.perf_counter()
    if os.path.exists(modules):
        for name in json.load(open(modules)):
            try:
                importlib.import_module(name)
            except Exception:  # some modules are attributes of others, or exist on other platforms
                continue
    module, function = entry.split(":")
    program = getattr(importlib.import_module(module), function)
    sys.argv = [module, *arguments]
    imported = time.perf_counter()
    status = 0
    try:
        status = program() or 0
    except SystemExit as error:
        status = error.code or 0
    worked = time.perf_counter() - imported
    if not os.path.exists(modules):
        json.dump([name for name in sys.modules if name != "__main__"], open(modules, "w"))
    json.dump({"seconds": worked, "imports": imported - started, "status": status}, open(result, "w"))
    sys.stdout.flush()
    os._exit(0 if status == 0 else 1)


main()
