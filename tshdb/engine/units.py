"""What stands in the database: units, specs and edges, read in sets and written in short transactions."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from types import FunctionType
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from tshdb.canonical import json_fingerprint, json_text
from tshdb.database import bulk_insert, next_id, numbers, tuples, upsert
from tshdb.engine.analysis import Analysis, Need
from tshdb.engine.code import PYTHON, Code, code_of, fingerprint_of_sources, text_digest
from tshdb.process import library_version
from tshdb.schema import Spec, Unit, UnitInput
from tshdb.vocabulary import UnitState

INGEST = "ingest."
COHORT = "cohort"
ENTITY_COLUMN = {
    "patients": "patient_id",
    "follow_ups": "patient_id",
    "clinical_values": "patient_id",
    "samples": "sample_id",
    "expression_profiles": "profile_id",
    "annotations": "annotation_id",
    "imaging_studies": "study_uid",
    "imaging_series": "study_uid",
    "imaging_instances": "study_uid",
    "imaging_decisions": "study_uid",
    "segmentations": "study_uid",
    "qc_verdicts": "study_uid",
    "imported_features": "examination",
}


def now() -> str:
    """The time, UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class CurrentSpec:
    """How an analysis would be computed now. known: the code's fingerprint, when its text is as it was when it was kept."""

    analysis: str
    params: str
    libraries: dict[str, str]
    functions: tuple[FunctionType, ...]
    project: frozenset[str]
    known: str | None

    @cached_property
    def code(self) -> Code:
        return code_of(self.functions, self.project)

    @property
    def is_read(self) -> bool:
        """Whether the code itself was followed."""
        return "code" in vars(self)

    @property
    def fingerprints(self) -> tuple[str, str, str]:
        code = self.known or self.code.fingerprint
        return code, json_fingerprint(self.params), json_fingerprint(self.libraries)

    @property
    def text(self) -> dict[str, str]:
        """The modules in which the code was found, and the digest of their text, as columns of specs."""
        modules = self.code.modules
        return {
            "modules": json_text(modules),
            "text_digest": text_digest(self.functions, modules, self.project),
        }


class KeptCode(NamedTuple):
    """What a spec says of its code: fingerprint, the modules it was found in, and the digest of their text."""

    fingerprint: str
    modules: tuple[str, ...]
    text_digest: str


def project_packages(analyses: Iterable[Analysis]) -> frozenset[str]:
    """The top-level packages whose code counts: this program's, and those that the analyses come from."""
    return frozenset({"tshdb", "analyses"} | {a.function.__module__.split(".")[0] for a in analyses})


def current_spec(analysis: Analysis, parameters, project: frozenset[str], kept: Iterable[KeptCode] = ()) -> CurrentSpec:
    """kept: the code of the analysis's specs, newest first."""
    libraries = {name: library_version(name) for name in analysis.strict_libraries}
    choosers = [need.genes[1] for need in analysis.needs.values() if isinstance(need, Need) and need.genes]
    functions = (analysis.function, *choosers)
    same = (k.fingerprint for k in kept if text_digest(functions, k.modules, project) == k.text_digest)
    params = json_text(parameters.model_dump(mode="json"))
    return CurrentSpec(analysis.name, params, libraries, functions, project, next(same, None))


class Specs:
    """The specs of the database, as fingerprints the running Python would give them."""

    def __init__(self, connection: Connection):
        self._by_id: dict[int, tuple[str, str, str]] = {}
        self.kept: dict[str, list[KeptCode]] = {}
        for row in connection.execute(
            select(
                Spec.spec_id,
                Spec.analysis,
                Spec.code_fingerprint,
                Spec.params_fingerprint,
                Spec.libraries_fingerprint,
                Spec.python_version,
                Spec.modules,
                Spec.text_digest,
            ).order_by(Spec.spec_id.desc())
        ):
            code = row.code_fingerprint
            if row.python_version != PYTHON:
                kept = connection.execute(select(Spec.sources).where(Spec.spec_id == row.spec_id)).scalar_one()
                code = fingerprint_of_sources(json.loads(kept))
            elif row.text_digest is not None:
                found = KeptCode(code, tuple(json.loads(row.modules)), row.text_digest)
                self.kept.setdefault(row.analysis, []).append(found)
            self._by_id[row.spec_id] = (code, row.params_fingerprint, row.libraries_fingerprint)

    def difference(self, spec_id: int | None, current: CurrentSpec) -> str | None:
        """`code` or `params` if the spec is not the current one, else None. New library versions count as code."""
        stored = self._by_id.get(spec_id) if spec_id is not None else None
        if stored is None:
            return "code"
        code, params, libraries = current.fingerprints
        if stored[0] != code or stored[2] != libraries:
            return "code"
        return "params" if stored[1] != params else None


def spec_id_for(connection: Connection, spec: CurrentSpec) -> int:
    """The row of `spec`, inserted if it is new. Inside `writing`."""
    code, params, libraries = spec.fingerprints
    found = connection.execute(
        select(Spec.spec_id).where(
            Spec.analysis == spec.analysis,
            Spec.code_fingerprint == code,
            Spec.params_fingerprint == params,
            Spec.libraries_fingerprint == libraries,
        )
    ).scalar()
    if found is not None:
        return found
    spec_id = next_id(connection, Spec.spec_id)
    connection.execute(
        insert(Spec).values(
            spec_id=spec_id,
            analysis=spec.analysis,
            code_fingerprint=code,
            params_fingerprint=params,
            libraries_fingerprint=libraries,
            sources=json_text(spec.code.sources),
            **spec.text,
            params=spec.params,
            python_version=f"{sys.version_info.major}.{sys.version_info.minor}",
            created_at=now(),
        )
    )
    return spec_id


def keep_text(connection: Connection, spec: CurrentSpec) -> None:
    """Note in the row of a spec, if there is one, in which text its code was found now. Inside `writing`."""
    code, params, libraries = spec.fingerprints
    connection.execute(
        update(Spec)
        .where(
            Spec.analysis == spec.analysis,
            Spec.code_fingerprint == code,
            Spec.params_fingerprint == params,
            Spec.libraries_fingerprint == libraries,
        )
        .values(**spec.text)
    )


def set_fingerprints(connection: Connection, analysis: str, fingerprints: dict[str, str]) -> None:
    """Make the units (analysis, key) current with these fingerprints: what ingest and cohorts say has changed."""
    known = dict(connection.execute(select(Unit.key, Unit.unit_id).where(Unit.analysis == analysis)).fetchall())
    fresh, moved, time = [], [], now()
    unit_id = next_id(connection, Unit.unit_id)
    for key, fingerprint in fingerprints.items():
        if key in known:
            moved.append({"b_id": known[key], "b_fingerprint": fingerprint, "b_time": time})
        else:
            fresh.append(
                {
                    "unit_id": unit_id,
                    "analysis": analysis,
                    "key": key,
                    "state": UnitState.CURRENT,
                    "fingerprint": fingerprint,
                    "updated_at": time,
                }
            )
            unit_id += 1
    bulk_insert(connection, Unit.__table__, fresh)
    if moved:
        connection.execute(
            update(Unit.__table__)
            .where(Unit.__table__.c.unit_id == bindparam("b_id"))
            .values(
                fingerprint=bindparam("b_fingerprint"),
                state=UnitState.CURRENT,
                updated_at=bindparam("b_time"),
                damage=None,
            ),
            moved,
        )


def retire(connection: Connection, unit_ids: Iterable[int], payload=None) -> None:
    """Retire units: their payload and their input edges go; edges of consumers stay, with what those saw."""
    with numbers(connection, "retired_units", unit_ids) as name:
        gone = f"(SELECT id FROM {name})"
        if payload is not None:
            connection.exec_driver_sql(f"DELETE FROM {payload.__tablename__} WHERE unit_id IN {gone}")
        connection.exec_driver_sql(f"DELETE FROM unit_inputs WHERE unit_id IN {gone}")
        connection.exec_driver_sql(
            "UPDATE units SET state = 'retired', fingerprint = NULL, rows_digest = NULL, digest_taken_over = NULL, "
            f"damage = NULL, message = NULL WHERE unit_id IN {gone}"
        )


def replace_edges(connection: Connection, edges: dict[int, list[tuple[str, int, str]]]) -> None:
    """unit -> its edges (role, input unit, seen fingerprint), in place of those it had; edges that stay are not touched."""
    with numbers(connection, "edge_owners", edges) as name:
        stood = tuples(
            connection,
            "SELECT unit_id, role, input_unit_id, seen_fingerprint FROM unit_inputs "
            f"WHERE unit_id IN (SELECT id FROM {name})",
        )
    before = {(unit, role, input_unit): seen for unit, role, input_unit, seen in stood}
    wanted = {(unit, role, input_unit): seen for unit, inputs in edges.items() for role, input_unit, seen in inputs}
    table = UnitInput.__table__
    gone = [{"b_unit": u, "b_role": r, "b_input": i} for u, r, i in before.keys() - wanted.keys()]
    if gone:
        connection.execute(
            delete(table).where(
                table.c.unit_id == bindparam("b_unit"),
                table.c.role == bindparam("b_role"),
                table.c.input_unit_id == bindparam("b_input"),
            ),
            gone,
        )
    names = ("unit_id", "role", "input_unit_id")
    moved = [
        dict(zip(names, edge, strict=True)) | {"seen_fingerprint": seen}
        for edge, seen in wanted.items()
        if before.get(edge) != seen
    ]
    upsert(connection, table, moved, names)


def select_ids(name: str):
    """A subquery of the temporary table that `numbers` made."""
    from sqlalchemy import column, table

    return select(table(name, column("id")).c.id)
