"""Named points at which a test can stop the program as a crash would: `fp("ingest.after_objects")`.

A point does nothing unless TSHDB_FAILPOINT is set, either to `name` or to `#k` for the k-th point that is passed in the
whole run; then the process ends at once with status 137, as after SIGKILL: no handler, no `finally`, no flush.
"""

import os

_passed = 0


def fp(name: str) -> None:
    """Pass the point `name`; die here if the environment asks for it."""
    wanted = os.environ.get("TSHDB_FAILPOINT")
    if wanted is None:
        return
    global _passed
    _passed += 1
    if wanted == name or wanted == f"#{_passed}":
        os._exit(137)
