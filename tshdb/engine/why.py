"""Why a unit is due, or what it rests on: down to file and line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Table, func, select

from tshdb.engine.cause_sets import recorded_causes
from tshdb.engine.causes import Causes
from tshdb.engine.explain import chains
from tshdb.engine.plan import AnalysisPlan, Reason
from tshdb.engine.planner import Planner
from tshdb.engine.units import INGEST, NO_SEED, CurrentSpec
from tshdb.engine.world import World, parse_unit
from tshdb.errors import NotFound
from tshdb.guest_tables import guests_of, stored
from tshdb.near import did_you_mean
from tshdb.schema import Attempt, Change, GuestAnalysis, IngestRun, Run, SourceFile, SourceRecord, Spec, Unit, UnitInput
from tshdb.vocabulary import UnitState

INPUTS_SHOWN = 6
DEPTH = 4


def why(connection: Connection, world: World, text: str) -> dict[str, Any]:
    """What is known of the unit `analysis/key`: its state, why it is due, what changed, and its inputs to file and line.

    Raises NotFound for a unit that neither exists nor is due.
    """
    if text.partition("/")[0] in world.absent:
        return _absent(connection, *text.split("/", 1))
    analysis, key = parse_unit(text, world)
    planner = Planner(connection, world)
    plan = planner.plan(analysis)
    unit = connection.execute(
        select(*Unit.__table__.columns).where(Unit.analysis == analysis.name, Unit.key == key)
    ).one_or_none()
    if unit is None and not any(key in keys for keys in (plan.due, plan.blocked, plan.held)):
        meant = did_you_mean(key, plan.desired) or f"{analysis.name} has {len(plan.desired)} units"
        raise NotFound(f"no unit {analysis.name}/{key}", repair=meant)
    answer: dict[str, Any] = {"unit": f"{analysis.name}/{key}", "source": analysis.source, **_standing(plan, key, unit)}
    if key in plan.due or key in plan.gone:
        answer |= _causes(connection, planner, plan, key)
    elif key in plan.flagged:
        through = planner.roots.through_inputs(connection, plan, [key])[key]
        answer |= _in_words(connection, frozenset().union(*(causes for _, causes in through)))
    if unit is not None and unit.state != "retired":
        answer["computed"] = _computed(connection, unit, world.spec(analysis.name))
        answer["rows"] = _rows(connection, stored(connection, analysis.makes.__table__), unit.unit_id)
        answer["inputs"] = _inputs(connection, unit.unit_id, DEPTH, set())
    return answer


def _absent(connection: Connection, analysis: str, key: str = "") -> dict[str, Any]:
    """What is known of a result whose analysis is not here. Raises NotFound for one that there is not."""
    said = connection.execute(select(GuestAnalysis.__table__).where(GuestAnalysis.analysis == analysis)).one()
    unit = connection.execute(
        select(*Unit.__table__.columns).where(
            Unit.analysis == analysis, Unit.key == key, Unit.state != UnitState.RETIRED
        )
    ).one_or_none()
    if unit is None:
        keys = connection.execute(select(Unit.key).where(Unit.analysis == analysis)).scalars().all()
        raise NotFound(f"no unit {analysis}/{key}", repair=did_you_mean(key, keys, f"{analysis} has {len(keys)} units"))
    origin = " ".join(filter(None, (said.origin, said.version)))
    return {
        "unit": f"{analysis}/{key}", "source": said.about, "state": unit.state, "reason": None,
        "detail": f"its analysis is not here (it is of {origin}): the result stands as it was made",
        "computed": _computed(connection, unit, None),
        "rows": _rows(connection, guests_of(connection).get(said.table_name), unit.unit_id),
        "inputs": _inputs(connection, unit.unit_id, DEPTH, set()),
    }  # fmt: skip


def _standing(plan: AnalysisPlan, key: str, unit) -> dict[str, Any]:
    if key in plan.due:
        due = plan.due[key]
        return {"state": "due", "reason": due.reason.value, "detail": due.detail, "is_possible": due.is_possible}
    if key in plan.blocked:
        return {"state": "blocked", "reason": "blocked", "detail": plan.blocked[key]}
    if key in plan.held:
        held = plan.held[key]
        return {"state": "held", "reason": held.reason.value, "detail": held.detail}
    if key in plan.gone:
        return {"state": "due", "reason": Reason.GONE.value, "detail": "its entity is gone; the unit will be retired"}
    if key in plan.flagged:
        n, members = plan.flagged[key]
        return {"state": "current", "reason": "flagged", "detail": f"data of {n} of {members} members corrected"}
    if unit is not None and unit.state == "failed":
        return {"state": "failed", "reason": "failed", "detail": unit.message}
    if key not in plan.desired and unit is not None and unit.state == "current":
        return {"state": "current", "reason": "superseded", "detail": "kept as it was; a newer cohort version stands"}
    return {"state": unit.state if unit is not None else "unknown", "reason": None, "detail": "nothing to do"}


def _causes(connection: Connection, planner: Planner, plan: AnalysisPlan, key: str) -> dict[str, Any]:
    """What began it, each cause with its chain; and of rows of data, a few, with what they were and are."""
    causes = planner.roots.of_due(connection, plan)[key].causes
    return _in_words(connection, causes) | {"chains": chains(connection, planner, plan, key)["chains"]}


def _in_words(connection: Connection, causes: Causes) -> dict[str, Any]:
    """Causes as plain values, with the rows of data among them as they were and are."""
    changes = sorted(c.change_id for c in causes if c.change_id is not None)
    return {
        "causes": [c.facts() for c in sorted(causes, key=lambda c: (c.kind.value, c.subject))],
        "changes": [_change(connection, change_id) for change_id in changes[:INPUTS_SHOWN]],
    }


def _change(connection: Connection, change_id: int) -> dict[str, Any]:
    """One row of data that was ingested otherwise."""
    change = connection.execute(
        select(Change.__table__, IngestRun.started_at)
        .join(IngestRun, IngestRun.ingest_run_id == Change.ingest_run_id)
        .where(Change.change_id == change_id)
    ).one()
    return {
        "row": f"{change.table_name}/{change.row_key}",
        "action": change.action,
        "columns": json.loads(change.changes),
        "now": _place(connection, change.after_file_id, change.after_line),
        "was": _place(connection, change.before_file_id, change.before_line),
        "ingest_run": change.ingest_run_id,
        "loaded_at": change.started_at,
    }


def _place(connection: Connection, file_id: int | None, line: int | None, column: int | None = None) -> str | None:
    if file_id is None:
        return None
    name, sha256 = connection.execute(
        select(SourceFile.name, SourceFile.sha256).where(SourceFile.source_file_id == file_id)
    ).one()
    where = f"{name} line {line}" + (f" column {column}" if column else "")
    return f"{where} (sha256 {sha256[:12]}…)"


def _computed(connection: Connection, unit, current: CurrentSpec | None) -> dict[str, Any] | None:
    if unit.run_id is None:
        return None
    run = connection.execute(select(Run.started_at, Run.actor, Run.libraries).where(Run.run_id == unit.run_id)).one()
    spec = connection.execute(select(*Spec.__table__.columns).where(Spec.spec_id == unit.spec_id)).one()
    attempt = connection.execute(
        select(Attempt.reason, Attempt.detail, Attempt.cause_set)
        .where(Attempt.unit_id == unit.unit_id)
        .order_by(Attempt.attempt_id.desc())
        .limit(1)
    ).one_or_none()
    return {
        "run": unit.run_id,
        "at": unit.updated_at,
        "by": run.actor,
        "because": f"{attempt.reason}: {attempt.detail}" if attempt else None,
        "causes": [c.facts() for c in recorded_causes(connection, attempt.cause_set if attempt else None)],
        "code": spec.code_fingerprint,
        "functions": sorted(json.loads(spec.sources)),
        "parameters": _counted(json.loads(spec.params), current),
        "seed": None if spec.seed == NO_SEED else spec.seed,
        "libraries": json.loads(run.libraries),
        "notes": list(_notes(unit, spec, current)),
        "digest_taken_over": unit.digest_taken_over,
    }


def _counted(parameters: dict[str, Any], current: CurrentSpec | None) -> dict[str, Any]:
    """Without the one that chooses which units there are: it says nothing of how this one was made."""
    if current is None:
        return parameters
    chooses = json.loads(current.params).keys() - json.loads(current.counted).keys()
    return {name: value for name, value in parameters.items() if name not in chooses}


def _notes(unit, spec, current: CurrentSpec | None) -> Iterator[str]:
    """What is to be said of how the unit was made."""
    if spec.taken_over is not None and unit.digest_taken_over is not None:
        yield (
            f"taken over from a program of revision 0009 on {spec.taken_over}: which seed, table and engine made it was not "
            "recorded, and is what study.toml and that program said then"
        )
    if (
        current is not None
        and spec.code_fingerprint != current.identity.code
        and current.is_same_code(spec.code_fingerprint)
    ):
        yield f"its code was written anew since ({current.identity.code[:12]}…), and the analysis says that results are the same"


def _rows(connection: Connection, table: Table | None, unit_id: int) -> list[dict[str, Any]]:
    if table is None:
        return []
    rows = connection.execute(select(table).where(table.c.unit_id == unit_id).limit(INPUTS_SHOWN * 2)).mappings()
    return [{k: v for k, v in row.items() if k != "unit_id" and v is not None} for row in rows]


def _inputs(connection: Connection, unit_id: int, depth: int, above: set[int]) -> list[dict[str, Any]]:
    """The inputs by role, a few of each, each with its own inputs or with its file and line.

    above: units whose inputs were shown already; they are not shown again.
    """
    rows = connection.execute(
        select(
            UnitInput.role,
            UnitInput.seen_fingerprint,
            Unit.unit_id,
            Unit.analysis,
            Unit.key,
            Unit.fingerprint,
            Unit.upstream,
        )
        .join(Unit, Unit.unit_id == UnitInput.input_unit_id)
        .where(UnitInput.unit_id == unit_id)
        .order_by(UnitInput.role, Unit.key)
    ).fetchall()
    by_role: dict[str, list] = {}
    for row in rows:
        by_role.setdefault(row.role, []).append(row)
    roles = []
    for role, members in by_role.items():
        shown = []
        for row in members[: INPUTS_SHOWN if len(members) > 2 else 2]:
            entry: dict[str, Any] = {"unit": f"{row.analysis}/{row.key}"}
            if row.fingerprint != row.seen_fingerprint:
                entry["moved"] = True
            if row.analysis.startswith(INGEST):
                entry["from"] = _records(connection, row.analysis.removeprefix(INGEST), row.key)
            elif row.upstream is not None:  # a fit: its members are its own story
                entry["note"] = f"{_count_inputs(connection, row.unit_id)} inputs: tshdb why {row.analysis}/{row.key}"
            elif depth > 0 and len(members) <= 2 and row.unit_id in above:
                entry["note"] = "its inputs: above"
            elif depth > 0 and len(members) <= 2:
                above.add(row.unit_id)
                entry["inputs"] = _inputs(connection, row.unit_id, depth - 1, above)
            shown.append(entry)
        roles.append({"role": role, "n": len(members), "shown": shown})
    return roles


def _count_inputs(connection: Connection, unit_id: int) -> int:
    return connection.execute(
        select(func.count()).select_from(UnitInput).where(UnitInput.unit_id == unit_id)
    ).scalar_one()


def _records(connection: Connection, table: str, entity: str) -> list[str]:
    """Where the rows of an ingested entity come from."""
    keys = SourceRecord.row_key == entity
    if table == "follow_ups":
        keys = SourceRecord.row_key.startswith(entity + "|", autoescape=True)
    rows = connection.execute(
        select(SourceRecord.source_file_id, SourceRecord.line, SourceRecord.column_number).where(
            SourceRecord.table_name == table, keys
        )
    ).fetchall()
    places = (_place(connection, file_id, line, column) for file_id, line, column in rows)
    return [place for place in places if place is not None]
