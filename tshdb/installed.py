"""What is installed beside the core: analyses, readers of files, presets. Found by entry points, so that the core imports none.

A package offers them in its pyproject.toml:

    [project.entry-points."tshdb.analyses"]
    mine = "my_package:ANALYSES"

The name on the left is the package's own; what stands on the right is a tuple of records.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from tshdb.errors import InvalidInput

if TYPE_CHECKING:
    from types import ModuleType

    from tshdb.engine.analysis import Analysis
    from tshdb.withdrawal.withdraw import Redact

OURS = "fan2023"  # the entry point of the paper's own, which come first


@cache
def analyses() -> tuple[Analysis, ...]:
    """The analyses' records: the paper's in its order, then others' by the name of their entry point."""
    return _records("tshdb.analyses")


@cache
def migrations() -> ModuleType:
    """The package that makes a database and brings it to this program's revision."""
    return _part("migrations")


@cache
def redact() -> Redact:
    """The function that writes a source file again without a patient."""
    return _part("redact")


def _part(name: str) -> Any:
    """One part of the program that the core does not import."""
    group = "tshdb.parts"
    found = next((point for point in entry_points(group=group) if point.name == name), None)
    if found is None:
        raise _incomplete(f"its {name}", group)
    return found.load()


def _records(group: str) -> tuple[Any, ...]:
    found: list[Any] = []
    for point in sorted(_points(group), key=lambda p: (p.name != OURS, p.name)):
        found += point.load()
    return tuple(found)


def _points(group: str) -> list[EntryPoint]:
    """The entry points of a group, one a name. Raises InvalidInput where none is there, not even ours."""
    points = {point.name: point for point in entry_points(group=group)}
    if OURS not in points:
        raise _incomplete(f"its own {group.removeprefix('tshdb.')}", group)
    return list(points.values())


def _incomplete(what: str, group: str) -> InvalidInput:
    return InvalidInput(
        f"the installation does not offer {what}",
        where=f"entry points of {group}",
        repair="Install the package again: pip install --force-reinstall --no-deps tshdb, or pip install -e .",
    )
