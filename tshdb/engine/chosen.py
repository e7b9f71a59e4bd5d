"""Which analyses a plan or a rebuild is about."""

from __future__ import annotations

from collections.abc import Sequence

from tshdb.engine.world import World, names_of
from tshdb.errors import NotFound
from tshdb.near import did_you_mean


def select_analyses(world: World, names: Sequence[str]) -> set[str]:
    """The named analyses with all that they rest on; all analyses when none is named. Raises NotFound."""
    if not names:
        return set(world.by_name)
    chosen: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in world.by_name:
            raise NotFound(f"no analysis '{name}'", repair=did_you_mean(name, world.by_name, names_of(world)))
        if name not in chosen:
            chosen.add(name)
            producers = (world.producer(need) for need in world.by_name[name].needs.values())
            waiting += [p for p in producers if p in world.by_name]
    return chosen
