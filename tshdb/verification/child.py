"""The process that computes units anew, from what is stored: its inputs, parameters and seed. It writes to nothing of the study.

Asked on its standard input, one JSON; answers on the descriptor that it had as standard output, one JSON a line and unit.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from tshdb.cohorts.states import latest_version, members_of
from tshdb.database import reading
from tshdb.engine.analysis import Analysis
from tshdb.engine.compute import Task, compute, locate
from tshdb.engine.identity import ground_of
from tshdb.engine.inputs import load
from tshdb.engine.units import NO_SEED
from tshdb.engine.work import Work
from tshdb.engine.world import World
from tshdb.errors import TshdbError
from tshdb.failpoints import fp
from tshdb.files import temporary_folder
from tshdb.guests.listing import listing_of
from tshdb.schema import Spec, Unit, UnitInput
from tshdb.study import Study
from tshdb.vocabulary import CohortMode


def main() -> None:
    """Compute what is asked for, unit by unit."""
    asked = json.load(sys.stdin)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what an analysis prints is no answer
    study = Study(asked["root"])
    world = listing_of(study).world(study.settings)
    with temporary_folder("tshdb-verify-") as folder:
        for name, key, unit_id in asked["units"]:
            answer = _answer(study, world, world.by_name[name], key, unit_id, folder)
            answers.write(json.dumps({"unit": unit_id, **answer}) + "\n")
            answers.flush()


def _answer(study: Study, world: World, analysis: Analysis, key: str, unit_id: int, objects: Path) -> dict[str, Any]:
    """Its rows and their fingerprint; or why there are none."""
    try:
        task = _task(study, world, analysis, key, unit_id, objects)
    except TshdbError as error:
        return {"unreadable": f"{error.where}: {error.message}" if error.where else error.message}
    except (ValueError, KeyError) as error:  # parameters, or columns, that this program does not know
        return {"unreadable": f"what is stored does not fit this program: {type(error).__name__}: {error}"}
    (outcome,) = compute(task)
    fp("verify.unit_computed")
    if outcome.loaded != task.loaded:
        return {"failed": outcome.why_foreign}
    if outcome.message is not None:
        return {"failed": outcome.message}
    return {"rows": outcome.rows, "fingerprint": outcome.fingerprint}


def _task(study: Study, world: World, analysis: Analysis, key: str, unit_id: int, objects: Path) -> Task:
    spec = world.spec(analysis.name)
    with reading(study.engine) as connection:
        stored = connection.execute(
            select(Spec.params, Spec.seed).join(Unit, Unit.spec_id == Spec.spec_id).where(Unit.unit_id == unit_id)
        ).one()
        edges = select(UnitInput.role, UnitInput.input_unit_id).where(UnitInput.unit_id == unit_id)
        pairs: dict[str, list[tuple[str, int]]] = {role: [] for role in analysis.needs}
        for role, input_id in connection.execute(edges.order_by(UnitInput.role, UnitInput.input_unit_id)):
            pairs.setdefault(role, []).append((key, input_id))
        tables = world.references(analysis)
        references = {role: (table.key, table.rows) for role, table in tables.items()}
        members = _members(connection, key) if analysis.over_cohort else ()
        inputs = load(connection, study.objects, analysis, pairs, references, members, world.paths.at)
    versions = {library: spec.libraries[library] for library in analysis.strict_libraries}
    ground = ground_of(analysis, spec.modules, versions)
    if ground.problem:
        raise TshdbError(ground.problem)
    return Task(
        locate(analysis), (key,), inputs, _params(spec.params, stored.params),
        study.settings.study.seed if stored.seed == NO_SEED else int(stored.seed), objects, Work(), ground.modules,
        ground.libraries, ground.digest, (), tuple(sorted(spec.texts.items())), ground.interpreter,
    )  # fmt: skip


def _params(now: str, stored: str) -> str:
    """The parameters that a unit was made by; of those that choose units alone, as they are now."""
    values: Mapping[str, Any] = json.loads(now) | json.loads(stored)
    return json.dumps(values)


def _members(connection: Connection, key: str) -> tuple[str, ...]:
    name, _, version = key.partition("@")
    if version:
        return members_of(connection, name, int(version))
    latest = latest_version(connection, name, CohortMode.LIVE)
    return members_of(connection, name, latest.version) if latest is not None else ()
