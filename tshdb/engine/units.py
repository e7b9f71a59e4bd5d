"""What stands in the database: units, specs and edges, read in sets and written in short transactions."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from inspect import signature
from types import FunctionType
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, and_, bindparam, delete, insert, select, update

from tshdb.canonical import digest, json_fingerprint, json_text
from tshdb.config import Parameters
from tshdb.database import bulk_insert, next_id, numbers, tuples, upsert
from tshdb.engine.analysis import Analysis, Need
from tshdb.engine.code.files import with_files
from tshdb.engine.code.follow import Code
from tshdb.engine.code.identity import Codes
from tshdb.engine.code.kept import fingerprint_of_kept
from tshdb.engine.outside import files
from tshdb.engine.stored_form import ENGINE_VERSION, declaration_fingerprint
from tshdb.process import library_version
from tshdb.schema import Spec, Unit, UnitInput
from tshdb.vocabulary import UnitState

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
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
    "lesion_verdicts": "study_uid",
    "imported_features": "examination",
}


def now() -> str:
    """The time, UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Identity(NamedTuple):
    """All that a unit's values depend on besides its inputs: fingerprints, the seed (`none` where none is taken), a version."""

    code: str
    params: str
    libraries: str
    table: str
    seed: str
    engine: str


IDENTITY_COLUMNS = (
    Spec.code_fingerprint, Spec.params_fingerprint, Spec.libraries_fingerprint,
    Spec.table_fingerprint, Spec.seed, Spec.engine_version,
)  # fmt: skip
NO_SEED = "none"
NO_LEADS = "{}"  # of a spec that was taken over
FORM = 1  # of the normal form of code; specs keep what is needed to normalise again


class Difference(NamedTuple):
    """In what a spec is not the current one. reason: code or params, as a plan gives it; detail: in words."""

    reason: str
    detail: str


class KeptCode(NamedTuple):
    """What a spec says of its code: fingerprint, the modules it was found in, and the digest of their text."""

    fingerprint: str
    modules: tuple[str, ...]
    text_digest: str


@dataclass(frozen=True)
class CurrentSpec:
    """How an analysis would be computed now.

    params: canonical JSON, all of them.
    counted: without the field that chooses the keys.
    known: the code's fingerprint and where it was found, when its text is as it was when that was kept.
    texts: of a program, name -> text of its files; counted_texts: of those that are its code, beside: of the lock.
    same_as: current fingerprint -> former ones whose results are the same.
    """

    analysis: str
    params: str
    counted: str
    libraries: dict[str, str]
    table: str
    seed: str
    functions: tuple[Callable[..., Any], ...]
    codes: Codes
    known: KeptCode | None
    same_as: Mapping[str, tuple[str, ...]]
    texts: Mapping[str, str]
    counted_texts: Mapping[str, str]
    beside: Mapping[str, str]

    @cached_property
    def code(self) -> Code:
        return with_files(self.codes.of(self.functions), self.counted_texts, self.beside)

    @property
    def is_read(self) -> bool:
        """Whether the code itself was followed."""
        return "code" in vars(self)

    @cached_property
    def identity(self) -> Identity:
        return Identity(
            self.known.fingerprint if self.known else self.code.fingerprint,
            json_fingerprint(self.counted),
            json_fingerprint(self.libraries),
            self.table,
            self.seed,
            str(ENGINE_VERSION),
        )

    @property
    def equal(self) -> Identity:
        """The identity with the first of the codes that are the same, so that a name for all of them stays as it is."""
        former = self.same_as.get(self.identity.code)
        return self.identity._replace(code=former[0]) if former else self.identity

    def is_same_code(self, stored: str) -> bool:
        """Whether code of that fingerprint gives the same results as the current one."""
        return stored == self.identity.code or stored in self.same_as.get(self.identity.code, ())

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules whose text decides what the code is."""
        return self.known.modules if self.known and not self.is_read else self.code.modules

    @property
    def text(self) -> dict[str, str]:
        """The modules in which the code was found, and the digest of their text, as columns of specs."""
        modules = self.code.modules
        found_in = _text_digest(self.codes, self.functions, modules, self.counted_texts)
        return {"modules": json_text(modules), "text_digest": found_in}


def project_packages(analyses: Iterable[Analysis]) -> frozenset[str]:
    """The top-level packages whose code counts: this program's, and those that the analyses come from."""
    return frozenset({"tshdb", "analyses"} | {a.function.__module__.split(".")[0] for a in analyses})


def takes_seed(analysis: Analysis) -> bool:
    """Whether the function is given a seed, or seeds."""
    return not {"seed", "seeds"}.isdisjoint(signature(analysis.function).parameters)


def functions_of(analysis: Analysis) -> tuple[Callable[..., Any], ...]:
    """From where the code of an analysis is followed: its function, those that choose its inputs, parameters with methods."""
    choosers = [need.genes[1] for need in analysis.needs.values() if isinstance(need, Need) and need.genes]
    computing = (FunctionType, property, classmethod, staticmethod, cached_property)
    classes = [
        kind
        for kind in analysis.params.__mro__
        if issubclass(kind, Parameters) and kind is not Parameters
        and any(isinstance(v, computing) and not n.startswith("__") for n, v in vars(kind).items())
    ]  # fmt: skip
    return (analysis.function, *choosers, *classes)


def counted_parameters(analysis: Analysis, parameters) -> str:
    """Canonical JSON of what the function is given: not of the field that chooses which units there are."""
    return json_text(parameters.model_dump(mode="json", exclude={analysis.key_field} - {None}))


def current_spec(
    analysis: Analysis, parameters, codes: Codes, study_seed: int, kept: Iterable[KeptCode] = ()
) -> CurrentSpec:
    """kept: the code of the analysis's specs, newest first."""
    functions, texts = functions_of(analysis), files.texts_of(analysis)
    counted = files.counted(analysis, texts)
    same = (k for k in kept if _text_digest(codes, functions, k.modules, counted) == k.text_digest)
    return CurrentSpec(
        analysis=analysis.name,
        params=json_text(parameters.model_dump(mode="json")),
        counted=counted_parameters(analysis, parameters),
        libraries=versions_of(analysis, texts),
        table=declaration_fingerprint(analysis.makes),
        seed=str(study_seed) if takes_seed(analysis) else NO_SEED,
        functions=functions,
        codes=codes,
        known=next(same, None),
        same_as=analysis.same_as,
        texts=texts,
        counted_texts=counted,
        beside=files.beside(analysis, texts),
    )


def versions_of(analysis: Analysis, texts: Mapping[str, str] | None = None) -> dict[str, str]:
    """name -> version of what results depend on: strict libraries, and of a program its interpreter and its lock.

    texts: of its files, if they were read.
    """
    strict = {name: library_version(name) for name in analysis.strict_libraries}
    return strict | files.versions_of(analysis, texts)


def _text_digest(
    codes: Codes, functions: Iterable[Callable[..., Any]], modules: Iterable[str], counted: Mapping[str, str]
) -> str:
    """A digest of all text on which the code depends: of modules, and of a program's files."""
    of_modules = codes.text_digest(functions, modules)
    return digest(of_modules.encode(), json_text(counted).encode()) if counted else of_modules


class Specs:
    """The specs of the database, by the normal form of this program."""

    def __init__(self, connection: Connection):
        self._by_id: dict[int, Identity] = {}
        self.kept: dict[str, list[KeptCode]] = {}
        columns = (Spec.spec_id, Spec.analysis, *IDENTITY_COLUMNS, Spec.form, Spec.modules, Spec.text_digest)
        for row in connection.execute(select(*columns).order_by(Spec.spec_id.desc())):
            identity = Identity(*row[2:8])
            if row.form != FORM:
                kept = select(Spec.sources, Spec.leads).where(Spec.spec_id == row.spec_id)
                sources, leads = map(json.loads, connection.execute(kept).one())
                identity = identity._replace(code=fingerprint_of_kept(sources, leads))
            elif row.text_digest is not None:
                code = KeptCode(identity.code, tuple(json.loads(row.modules)), row.text_digest)
                self.kept.setdefault(row.analysis, []).append(code)
            self._by_id[row.spec_id] = identity

    def difference(self, spec_id: int | None, current: CurrentSpec) -> Difference | None:
        """In what the spec is not the current one; None if in nothing. New library versions count as code."""
        stored = self._by_id.get(spec_id) if spec_id is not None else None
        if stored is None:
            return Difference("code", "its code is not known")
        now = current.identity
        if not current.is_same_code(stored.code):
            return Difference("code", "its code changed")
        if stored.libraries != now.libraries:
            return Difference("code", "the version of a library changed")
        if stored.table != now.table:
            return Difference("code", "the declaration of its table changed")
        if stored.engine != now.engine:
            return Difference("code", f"the engine's version changed: {stored.engine} -> {now.engine}")
        if stored.params != now.params:
            return Difference("params", "its parameters changed")
        if stored.seed != now.seed:
            return Difference("params", f"[study] seed changed: {stored.seed} -> {now.seed}")
        return None


def _where(spec: CurrentSpec):
    same = [column == value for column, value in zip(IDENTITY_COLUMNS, spec.identity, strict=True)]
    return and_(Spec.analysis == spec.analysis, *same)


def spec_id_for(connection: Connection, spec: CurrentSpec) -> int:
    """The row of `spec`, inserted if it is new. Inside `writing`."""
    row = connection.execute(select(Spec.spec_id, Spec.leads).where(_where(spec))).one_or_none()
    if row is not None and row.leads != NO_LEADS:
        return row.spec_id
    sources, leads = json_text(spec.code.sources), json_text(spec.code.leads)
    code = {"sources": sources, "leads": leads, "kept_digest": kept_digest(sources, leads), "python_version": PYTHON}
    if row is not None:  # taken over from a program that kept its code in another way: from now on as it runs here
        connection.execute(update(Spec).where(_where(spec)).values(**code, **spec.text))
        return row.spec_id
    spec_id = next_id(connection, Spec.spec_id)
    connection.execute(
        insert(Spec).values(
            spec_id=spec_id,
            analysis=spec.analysis,
            **{column.key: value for column, value in zip(IDENTITY_COLUMNS, spec.identity, strict=True)},
            **code,
            form=FORM,
            **spec.text,
            params=spec.counted,
            created_at=now(),
        )
    )
    return spec_id


def kept_digest(sources: str, leads: str) -> str:
    """The digest of the code that a spec keeps, as it stands there."""
    return digest(sources.encode(), leads.encode())


def keep_text(connection: Connection, spec: CurrentSpec) -> None:
    """Note in the row of a spec, if there is one, in which text its code was found now. Inside `writing`."""
    connection.execute(update(Spec).where(_where(spec)).values(**spec.text))


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


def retire(connection: Connection, unit_ids: Iterable[int], payload: Table | None = None) -> None:
    """Retire units: their payload and their input edges go; edges of consumers stay, with what those saw."""
    with numbers(connection, "retired_units", unit_ids) as name:
        gone = f"(SELECT id FROM {name})"
        if payload is not None:
            connection.exec_driver_sql(f"DELETE FROM {payload.name} WHERE unit_id IN {gone}")
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
    """A subquery of what `numbers` made."""
    from sqlalchemy import literal_column, text

    return select(literal_column("id")).select_from(text(name))
