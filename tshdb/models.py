"""Model versions: what every fit made of which cohort version, by which code and parameters, and what differs between two.

A model version is the unit of a fit over one frozen cohort version: its rows are the model, so nothing is pickled. Two
versions compare if they were made by the same code with the same parameters (`comparability`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, func, select

from tshdb.attribution import facts
from tshdb.canonical import digest
from tshdb.cohorts.states import members_of
from tshdb.corrections import corrections, counted
from tshdb.database import numbers, tuples
from tshdb.engine.analysis import Analysis, Kind
from tshdb.engine.cause_sets import causes_of_sets
from tshdb.engine.causes import UNRECORDED, causes_in_words
from tshdb.engine.code.differences import definitions_changed
from tshdb.engine.outside.files import names_of
from tshdb.engine.units import NO_SEED, select_ids
from tshdb.errors import NotFound
from tshdb.guest_tables import fits_of, tables_made
from tshdb.near import did_you_mean
from tshdb.next_step import NoRows
from tshdb.schema import Attempt, CohortVersion, GuestAnalysis, Run, Spec, Unit
from tshdb.vocabulary import UnitState


def list_models(connection: Connection, analyses: Sequence[Analysis]) -> list[dict[str, Any]]:
    """One entry a model version, in the order of the analyses, the newest cohort version last."""
    by_name = {a.name: a for a in analyses if a.kind is Kind.FIT}
    absent = sorted(fits_of(connection, analyses) - by_name.keys())
    corrected = corrections(partial(tuples, connection))
    models = []
    for fit in (*by_name, *absent):
        identity = by_name[fit].identity if fit in by_name else None
        query = (
            select(
                Unit.unit_id, Unit.key, Unit.state, Unit.fingerprint, Unit.updated_at, Unit.message, Spec.code_fingerprint,
                Spec.params_fingerprint, Spec.params, Run.run_id, Run.libraries,
            )
            .outerjoin(Spec, Spec.spec_id == Unit.spec_id)
            .outerjoin(Run, Run.run_id == Unit.run_id)
            .where(Unit.analysis == fit, Unit.state != UnitState.RETIRED)
        )  # fmt: skip
        rows = [r for r in connection.execute(query).mappings() if r["key"] != identity]
        for row in sorted(rows, key=lambda r: _version(r["key"])):
            cohort, version = _version(row["key"])
            n = connection.execute(
                select(CohortVersion.n_members).where(CohortVersion.cohort == cohort, CohortVersion.version == version)
            ).scalar()
            models.append(
                {
                    "model": f"{fit}/{row['key']}",
                    "state": row["state"].value,
                    "message": row["message"],
                    "n_members": n,
                    "made_at": row["updated_at"],
                    "run": row["run_id"],
                    "fingerprint": row["fingerprint"],
                    "comparability": _comparability(row),
                    "is_flagged": (fit, row["key"]) in corrected,
                    "n_corrections": counted(corrected.get((fit, row["key"]), frozenset())),
                    "unit_id": row["unit_id"],
                }
            )
    _add_causes(connection, models)
    return models


def _add_causes(connection: Connection, models: Sequence[dict[str, Any]]) -> None:
    """What began each model version, as it was recorded when it was made: causes, and in words."""
    unit_ids = {model.pop("unit_id"): model for model in models}
    newest = select(func.max(Attempt.attempt_id)).group_by(Attempt.unit_id).scalar_subquery()
    with numbers(connection, "listed_models", unit_ids) as name:
        query = select(Attempt.unit_id, Attempt.cause_set).where(Attempt.unit_id.in_(select_ids(name)))
        newest_ones = query.where(Attempt.attempt_id.in_(newest))
        sets = {unit_id: number for unit_id, number in connection.execute(newest_ones)}
    recorded = causes_of_sets(connection, {number for number in sets.values() if number is not None})
    for unit_id, model in unit_ids.items():
        number = sets.get(unit_id)
        causes = frozenset({UNRECORDED}) if number is None else recorded.get(number, frozenset({UNRECORDED}))
        model |= {"causes": facts(causes), "began": causes_in_words(causes)}


def _version(key: str) -> tuple[str, int]:
    cohort, _, version = key.partition("@")
    return cohort, int(version) if version.isdecimal() else 0


def _comparability(row) -> str | None:
    if row["code_fingerprint"] is None:
        return None
    return digest(row["code_fingerprint"].encode(), row["params_fingerprint"].encode())[:16]


def show_model(connection: Connection, analyses: Sequence[Analysis], name: str) -> dict[str, Any]:
    """Everything about one model version (`analysis/cohort@version`). Raises NotFound, and NoRows where there is no model yet."""
    models = list_models(connection, analyses)
    entry = next((m for m in models if m["model"] == name), None)
    if entry is None:
        nothing = f"no model version '{name}'"
        if not models:
            raise NoRows(nothing, analyses=tuple(a.name for a in analyses if a.kind is Kind.FIT))
        listed = f"Model versions: {', '.join(m['model'] for m in models[:6])}"
        raise NotFound(nothing, repair=did_you_mean(name, [m["model"] for m in models], listed))
    fit, _, key = name.partition("/")
    analysis = next((a for a in analyses if a.name == fit), None)
    unit = connection.execute(select(Unit).where(Unit.analysis == fit, Unit.key == key).with_only_columns(
        Unit.unit_id, Unit.spec_id, Unit.run_id)).one()  # fmt: skip
    table = tables_made(connection, analyses)[fit]
    rows = connection.execute(select(table).where(table.c.unit_id == unit.unit_id)).mappings()
    spec = connection.execute(
        select(Spec.code_fingerprint, Spec.params, Spec.sources, Spec.seed).where(Spec.spec_id == unit.spec_id)
    ).one_or_none()
    libraries = connection.execute(select(Run.libraries).where(Run.run_id == unit.run_id)).scalar()
    because = connection.execute(
        select(Attempt.reason, Attempt.detail)
        .where(Attempt.unit_id == unit.unit_id)
        .order_by(Attempt.attempt_id.desc())
    ).first()
    used = json.loads(libraries) if libraries else {}
    cohort, version = _version(key)
    return entry | {
        "source": analysis.source if analysis is not None else _described(connection, fit),
        "parameters": json.loads(spec.params) if spec else None,
        "seed": spec.seed if spec and spec.seed != NO_SEED else None,
        "code": spec.code_fingerprint if spec else None,
        "functions": sorted(json.loads(spec.sources)) if spec else [],
        "libraries": used if analysis is None else {n: used[n] for n in _libraries(analysis) if n in used},
        "because": f"{because.reason}: {because.detail}" if because else None,
        "training_set": list(members_of(connection, cohort, version)),
        "rows": [{k: v for k, v in row.items() if k != "unit_id"} for row in rows],
    }


def _libraries(analysis: Analysis) -> tuple[str, ...]:
    return (*analysis.libraries, *analysis.strict_libraries, *names_of(analysis))


def _described(connection: Connection, fit: str) -> str:
    """What the database says of a fit that is not here."""
    row = connection.execute(
        select(GuestAnalysis.about, GuestAnalysis.origin).where(GuestAnalysis.analysis == fit)
    ).one()
    return f"{row.about} (of {row.origin}, which is not here)"


def _definitions(connection: Connection, first: str, second: str) -> list[dict[str, Any]]:
    """The definitions that differ between the codes of two model versions, with their texts."""
    sides = []
    for name in (first, second):
        analysis, _, key = name.partition("/")
        of_unit = select(Unit.spec_id).where(Unit.analysis == analysis, Unit.key == key).scalar_subquery()
        row = connection.execute(select(Spec.sources, Spec.leads).where(Spec.spec_id == of_unit)).one()
        sides += [json.loads(row.sources), json.loads(row.leads)]
    return [change._asdict() for change in definitions_changed(*sides)]


def diff_models(connection: Connection, analyses: Sequence[Analysis], first: str, second: str) -> dict[str, Any]:
    """What differs between two versions of one fit. Raises NotFound for one that does not exist."""
    a, b = (show_model(connection, analyses, name) for name in (first, second))
    if first.partition("/")[0] != second.partition("/")[0]:
        raise NotFound("versions of two different models", repair="Name two versions of one analysis")
    before, after = set(a["training_set"]), set(b["training_set"])
    parameters = {
        name: [(a["parameters"] or {}).get(name), (b["parameters"] or {}).get(name)]
        for name in sorted({*(a["parameters"] or {}), *(b["parameters"] or {})})
        if (a["parameters"] or {}).get(name) != (b["parameters"] or {}).get(name)
    }
    return {
        "first": first,
        "second": second,
        "same_content": a["fingerprint"] == b["fingerprint"],
        "comparable": a["comparability"] == b["comparability"],
        "code_changed": a["code"] != b["code"],
        "definitions": _definitions(connection, first, second) if a["code"] != b["code"] else [],
        "parameters": parameters,
        "members_came": sorted(after - before),
        "members_left": sorted(before - after),
        "rows_before": a["rows"],
        "rows_after": b["rows"],
    }
