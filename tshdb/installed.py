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
    from tshdb.engine.analysis import Analysis

OURS = "fan2023"  # the entry point of the paper's own, which come first


@cache
def analyses() -> tuple[Analysis, ...]:
    """The analyses' records: the paper's in its order, then others' by the name of their entry point."""
    return _records("tshdb.analyses")


def _records(group: str) -> tuple[Any, ...]:
    found: list[Any] = []
    for point in sorted(_points(group), key=lambda p: (p.name != OURS, p.name)):
        found += point.load()
    return tuple(found)


def _points(group: str) -> list[EntryPoint]:
    """The entry points of a group, one a name. Raises InvalidInput where none is there, not even ours."""
    points = {point.name: point for point in entry_points(group=group)}
    if OURS not in points:
        raise InvalidInput(
            f"the installation does not offer its own {group.removeprefix('tshdb.')}",
            where=f"entry points of {group}",
            repair="Install the package again: pip install --force-reinstall --no-deps tshdb, or pip install -e .",
        )
    return list(points.values())
