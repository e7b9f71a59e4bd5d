"""A line of the doctor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, NamedTuple


class State(StrEnum):
    """ok; warning: it works, and may not always; problem: something does not work."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Line(NamedTuple):
    """What was looked at, how it is, what was found, and what helps."""

    what: str
    state: State
    found: str
    repair: str = ""

    @property
    def facts(self) -> dict[str, Any]:
        """Plain values, as `tshdb doctor --json` prints them."""
        return {"what": self.what, "state": self.state.value, "found": self.found, "repair": self.repair}


Probe = Callable[[], Iterator[Line]]


def ok(what: str, found: str) -> Line:
    return Line(what, State.OK, found)


def warning(what: str, found: str, repair: str) -> Line:
    return Line(what, State.WARNING, found, repair)


def problem(what: str, found: str, repair: str) -> Line:
    return Line(what, State.PROBLEM, found, repair)


def looked_at(what: str, probe: Probe) -> list[Line]:
    """The lines of a probe; of one that fails, that it does, and at what."""
    lines: list[Line] = []
    try:
        for line in probe():
            lines.append(line)
    except Exception as error:  # whatever is broken: the other lines are to be said all the same
        lines.append(problem(what, f"cannot be looked at: {type(error).__name__}: {error}", "See what it says"))
    return lines
