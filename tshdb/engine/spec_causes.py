"""In what a stored spec is not the current one, a cause each: definitions, libraries, table, engine, parameters, seed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import combinations

from sqlalchemy import Connection, func, select

from tshdb.canonical import json_fingerprint, json_text
from tshdb.engine.analysis import Analysis
from tshdb.engine.causes import UNRECORDED, Cause
from tshdb.engine.code.differences import NOT_KEPT, definitions_changed
from tshdb.engine.code.kept import fingerprint_of_kept
from tshdb.engine.units import FORM, NO_SEED, CurrentSpec, kept_digest
from tshdb.engine.world import World
from tshdb.schema import Run, Spec, Unit
from tshdb.vocabulary import CauseKind

OTHERS = 2  # so many libraries more or fewer may an analysis have named, for their versions to be found
SOME_LIBRARY = "those that are no longer named"


def spec_causes(
    connection: Connection, spec_id: int, current: CurrentSpec, analysis: Analysis, world: World
) -> tuple[Cause, ...]:
    """All in which the spec differs from the current one; none where it does not; `not recorded` for a spec that is not there."""
    row = connection.execute(select(*Spec.__table__.columns).where(Spec.spec_id == spec_id)).one_or_none()
    if row is None:
        return (UNRECORDED,)
    return tuple(_differences(connection, row, current, analysis, world))


def _differences(
    connection: Connection, row, current: CurrentSpec, analysis: Analysis, world: World
) -> Iterator[Cause]:
    now = current.identity
    is_same_code = current.is_same_code(_code(row))
    if not is_same_code:
        yield from _definitions(row, current)
    if row.libraries_fingerprint != now.libraries:
        yield from _libraries(_versions(connection, row, current.libraries), current.libraries)
    if row.table_fingerprint != now.table:
        yield Cause(CauseKind.TABLE, analysis.makes.__tablename__)
    if row.engine_version != now.engine:
        yield Cause(CauseKind.ENGINE, "the engine's version", row.engine_version, now.engine)
    if row.params_fingerprint != now.params:
        yield from _parameters(json.loads(row.params), json.loads(current.params), analysis, world)
    # an analysis that begins or ceases to take a seed has other code; nobody changed the seed
    if row.seed != now.seed and (is_same_code or NO_SEED not in (row.seed, now.seed)):
        yield Cause(CauseKind.SEED, "[study] seed", row.seed, now.seed, world.settings.place("study", "seed")[1])


def _code(row) -> str:
    """The fingerprint of a spec's code, by the normal form of this program."""
    if row.form == FORM:
        return row.code_fingerprint
    return fingerprint_of_kept(json.loads(row.sources), json.loads(row.leads))


def _definitions(row, current: CurrentSpec) -> Iterator[Cause]:
    if kept_digest(row.sources, row.leads) != row.kept_digest:  # another hand wrote it: it tells nothing
        yield Cause(CauseKind.CODE, NOT_KEPT, "", "")
        return
    sources, leads = json.loads(row.sources), json.loads(row.leads)
    for change in definitions_changed(sources, leads, current.code.sources, current.code.leads):
        yield Cause(CauseKind.CODE, *change)


def _parameters(before: Mapping, after: Mapping, analysis: Analysis, world: World) -> Iterator[Cause]:
    """before, after: all parameters. The one that chooses the keys does not count, unless it counted before."""
    fields = (before.keys() | after.keys()) - ({analysis.key_field} - before.keys())  # specs of today keep it no more
    differing = [f for f in sorted(fields) if _json(before, f) != _json(after, f)]
    counted = [f for f in differing if f != analysis.key_field]
    for field in counted or differing:
        table, place = world.settings.place(analysis.name, field, analysis.base)
        yield Cause(CauseKind.PARAMETER, f"[{table}] {field}", _json(before, field), _json(after, field), place)


def _json(values: Mapping, field: str) -> str | None:
    return json_text(values[field]) if field in values else None


def _libraries(before: Mapping[str, str] | None, after: Mapping[str, str]) -> Iterator[Cause]:
    """before: None where nobody knows; then any library may be the one."""
    if before is None:
        named = sorted(after)
        if len(named) == 1:
            yield Cause(CauseKind.LIBRARY, named[0], None, after[named[0]])
        else:
            yield Cause(CauseKind.LIBRARY, f"one of {', '.join(named) or SOME_LIBRARY}")
        return
    for library in sorted(before.keys() | after.keys()):
        if before.get(library) != after.get(library):
            yield Cause(CauseKind.LIBRARY, library, before.get(library), after.get(library))


def _versions(connection: Connection, row, named: Mapping[str, str]) -> dict[str, str] | None:
    """The versions behind a spec's digest, from the newest run that computed by it: of the libraries that are named now, or a few
    more or fewer. None where there is no such run, or it does not fit."""
    of_spec = select(func.max(Unit.run_id)).where(Unit.analysis == row.analysis, Unit.spec_id == row.spec_id)
    libraries = connection.execute(select(Run.libraries).where(Run.run_id == of_spec.scalar_subquery())).scalar()
    recorded: dict[str, str] = json.loads(libraries) if libraries else {}
    for n in range(OTHERS + 1):
        for turned in combinations(sorted(recorded), n):
            names = named.keys() ^ set(turned)
            if names <= recorded.keys():
                versions = {name: recorded[name] for name in names}
                if json_fingerprint(versions) == row.libraries_fingerprint:
                    return versions
    return None
