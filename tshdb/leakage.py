"""Whether a model has learned from the patients that it is to be judged on, directly or through what it rests on.

A model's training set is that of all fits above it: a gene filter that was fitted on everybody makes every model behind
it have seen everybody.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from tshdb.cohorts.states import members_of
from tshdb.cohorts.versions import find_version
from tshdb.database import numbers
from tshdb.engine.analysis import Analysis
from tshdb.engine.graph import edges_above
from tshdb.engine.units import select_ids
from tshdb.errors import NotFound
from tshdb.guest_tables import fits_of
from tshdb.schema import Unit
from tshdb.vocabulary import UnitState


class Overlap(NamedTuple):
    """A fit that has seen members of the cohort. path: from the model to that fit, each with how many units pass it on."""

    fit: str
    n_training: int
    patients: tuple[str, ...]
    path: tuple[str, ...]


class Leakage(NamedTuple):
    """What a model has seen of a cohort: the fits above it with their training sets, and those that overlap."""

    model: str
    cohort: str
    n_members: int
    fits: tuple[str, ...]
    overlaps: tuple[Overlap, ...]

    @property
    def patients(self) -> tuple[str, ...]:
        """The members that any of the fits has seen."""
        return tuple(sorted({p for overlap in self.overlaps for p in overlap.patients}))


def leakage(connection: Connection, analyses: Sequence[Analysis], model: str, cohort: str) -> Leakage:
    """Intersect all that a model version has learned from with a cohort. Raises NotFound."""
    analysis, _, key = model.partition("/")
    unit = connection.execute(
        select(Unit.unit_id).where(Unit.analysis == analysis, Unit.key == key, Unit.state == UnitState.CURRENT)
    ).scalar()
    fit_names = fits_of(connection, analyses)
    if unit is None or analysis not in fit_names:
        raise NotFound(f"no model version '{model}'", repair="Model versions: tshdb model list")
    version = find_version(connection, cohort)
    edges: dict[int, list[int]] = {}
    for edge in edges_above(connection, [unit]):
        edges.setdefault(edge.unit_id, []).append(edge.input_id)
    names = _names(connection, {unit, *(i for inputs in edges.values() for i in inputs)})
    reached = _reached(unit, edges)
    overlaps = []
    fits = []
    for fit in sorted((u for u in reached if names[u][0] in fit_names), key=lambda u: names[u]):
        name, _, number = names[fit][1].partition("@")
        if not number.isdecimal():
            continue  # the identity of a fit without a cohort has learned nothing
        training = members_of(connection, name, int(number))
        fits.append("/".join(names[fit]))
        shared = tuple(sorted(set(training) & set(version.members)))
        if shared:
            overlaps.append(Overlap("/".join(names[fit]), len(training), shared, _path(fit, reached, names)))
    return Leakage(model, version.key, len(version.members), tuple(fits), tuple(overlaps))


def _names(connection: Connection, units: set[int]) -> dict[int, tuple[str, str]]:
    with numbers(connection, "leakage_units", units) as name:
        rows = connection.execute(
            select(Unit.unit_id, Unit.analysis, Unit.key).where(Unit.unit_id.in_(select_ids(name)))
        )
        return {unit: (analysis, key) for unit, analysis, key in rows}


def _reached(start: int, edges: dict[int, list[int]]) -> dict[int, int | None]:
    """Every unit above `start` -> the unit through which it is reached on a shortest way."""
    came_from: dict[int, int | None] = {start: None}
    waiting = deque([start])
    while waiting:
        unit = waiting.popleft()
        for above in edges.get(unit, ()):
            if above not in came_from:
                came_from[above] = unit
                waiting.append(above)
    return came_from


def _path(fit: int, came_from: dict[int, int | None], names: dict[int, tuple[str, str]]) -> tuple[str, ...]:
    """From the model to the fit."""
    path = []
    unit: int | None = fit
    while unit is not None:
        path.append("/".join(names[unit]))
        unit = came_from[unit]
    return tuple(reversed(path))
