"""Payloads and expression values of input units, as frames for an analysis."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Boolean, Connection, select

from tshdb.cohorts.states import members_of
from tshdb.database import numbers, tuples
from tshdb.engine.analysis import Analysis, Made, Model, Need, Reference, Trained
from tshdb.engine.units import ENTITY_COLUMN, select_ids
from tshdb.expression_store import ExpressionMatrix, read_matrix
from tshdb.objects import ObjectStore
from tshdb.schema import Base, ExpressionProfile, Unit

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Inputs:
    """What a batch is computed from: role -> frame or matrix. Keyed roles can be restricted to fewer keys."""

    key_column: str
    values: Mapping[str, Any]
    keyed: frozenset[str]

    def of(self, keys: Sequence[str]) -> Inputs:
        """The inputs of some of the keys; what all keys share stays as it is."""
        wanted = set(keys)
        values = dict(self.values)
        for role in self.keyed:
            value = values[role]
            if isinstance(value, ExpressionMatrix):
                values[role] = value.of_profiles([p for p in value.profiles.index if p in wanted])
            else:
                values[role] = value[value[self.key_column].isin(wanted)].reset_index(drop=True)
        return Inputs(self.key_column, values, self.keyed)


def load(
    connection: Connection,
    objects: ObjectStore,
    analysis: Analysis,
    pairs: Mapping[str, Sequence[tuple[str, int]]],
    references: Mapping[str, tuple[str, list[dict]]],
    members: Sequence[str] = (),
    at: Callable[[str], Path] = Path,
) -> Inputs:
    """The inputs of a batch.

    pairs: role -> (key, input unit) for every keyed or shared input.
    references: role -> (key, rows).
    members: the patients of the cohort, for analyses over one.
    at: gives the file of a stored path (`tshdb.kept_paths`).
    """
    import pandas as pd

    values: dict[str, Any] = {}
    keyed: set[str] = set()
    for role, need in analysis.needs.items():
        if isinstance(need, Reference | Made):
            values[role] = pd.DataFrame(references[role][1])
        elif isinstance(need, Model):
            values[role] = _with_paths(_model(connection, need, pairs[role]), need.table, objects, at)
        elif isinstance(need, Trained):
            values[role] = _trained(connection, pairs[role])
    for role, need in analysis.needs.items():
        if not isinstance(need, Need):
            continue
        if need.values:
            genes = None if need.genes is None else need.genes[1](values[need.genes[0]])
            values[role] = _matrix(connection, objects, pairs[role], genes)
        else:
            rows = _with_paths(_rows(connection, analysis, need.table, pairs[role]), need.table, objects, at)
            values[role] = rows if need.column is None else _one_column(rows, analysis.key_column, need)
        if not analysis.over_cohort:
            keyed.add(role)
    if analysis.over_cohort:
        values["members"] = pd.DataFrame({"patient_id": list(members)})
    return Inputs(analysis.key_column, values, frozenset(keyed))


def _rows(
    connection: Connection, analysis: Analysis, table: type[Base], pairs: Sequence[tuple[str, int]]
) -> pd.DataFrame:
    """Rows of the input units, with the key of the unit they are for, sorted by key and primary key."""
    import pandas as pd

    columns = table.__table__.columns
    with numbers(connection, "input_units", sorted({unit for _, unit in pairs})) as name:
        if "unit_id" in columns:
            query = select(table.__table__).where(columns["unit_id"].in_(select_ids(name)))
        else:
            entity = columns[ENTITY_COLUMN[table.__tablename__]]
            query = (
                select(Unit.unit_id, table.__table__)
                .join(Unit, (Unit.key == entity) & (Unit.analysis == f"ingest.{table.__tablename__}"))
                .where(Unit.unit_id.in_(select_ids(name)))
            )
        frame = _frame(connection, query, columns)
    key = analysis.key_column
    if not analysis.over_cohort and key not in columns:
        frame = frame.merge(pd.DataFrame(pairs, columns=[key, "unit_id"]), on="unit_id")
    order = [c.name for c in table.__table__.primary_key if c.name != "unit_id" and c.name != key]
    order = [c for c in (key, "patient_id", "profile_id", *order) if c in frame.columns]
    frame = frame.drop(columns="unit_id").sort_values(list(dict.fromkeys(order)), ignore_index=True)
    for column in columns:
        if column.name in frame and str(column.type) in ("DOUBLE", "FLOAT"):
            frame[column.name] = frame[column.name].astype(float)
    return frame


def _one_column(frame: pd.DataFrame, key: str, need: Need) -> pd.DataFrame:
    """The keys of the rows, and the column that was named as `value`."""
    names = dict.fromkeys((key, "patient_id", *(c.name for c in need.table.__table__.primary_key)))
    keys = [name for name in names if name in frame and name != need.column]
    return frame[keys].assign(value=frame[need.column])


def _with_paths(
    frame: pd.DataFrame, table: type[Base], objects: ObjectStore, at: Callable[[str], Path]
) -> pd.DataFrame:
    """With whole paths of files, and of every object that a row names by a column `<name>_id` as `<name>_path`, verified."""
    for column in table.__table__.columns:
        if column.info.get("file"):
            frame[column.name] = [str(at(path)) for path in frame[column.name]]
        if suffix := column.info.get("object"):
            name = column.name.removesuffix("_id") + "_path"
            frame[name] = [
                str(objects.verified(digest, suffix)) if isinstance(digest, str) else None
                for digest in frame[column.name]
            ]
    return frame


def _frame(connection: Connection, query, columns) -> pd.DataFrame:
    """The rows as the driver gives them, which is quicker than SQLAlchemy's; text stays text, booleans are made so."""
    import pandas as pd

    text = query.compile(connection, compile_kwargs={"literal_binds": True})
    names = [c.name for c in query.selected_columns]
    frame = pd.DataFrame(tuples(connection, str(text)), columns=names)
    for column in columns:
        if isinstance(column.type, Boolean) and column.name in frame:
            plain = [None if v is None or v != v else bool(v) for v in frame[column.name]]
            frame[column.name] = pd.Series(plain, index=frame.index, dtype=object)
    return frame


def _model(connection: Connection, need: Model, pairs: Sequence[tuple[str, int]]) -> pd.DataFrame:
    """The rows of the one model that all keys share; its key stands in attrs["key"]."""
    import pandas as pd

    unit_id = pairs[0][1]
    table = need.table.__table__
    result = connection.execute(select(table).where(table.c.unit_id == unit_id))
    frame = pd.DataFrame(result.fetchall(), columns=list(result.keys())).drop(columns="unit_id")
    frame.attrs["key"] = connection.execute(select(Unit.key).where(Unit.unit_id == unit_id)).scalar_one()
    return frame


def _trained(connection: Connection, pairs: Sequence[tuple[str, int]]) -> pd.DataFrame:
    """(patient_id, cohort) of the cohort versions whose units these are."""
    import pandas as pd

    rows = []
    with numbers(connection, "input_units", sorted({unit for _, unit in pairs})) as name:
        for key in connection.execute(select(Unit.key).where(Unit.unit_id.in_(select_ids(name)))).scalars().all():
            cohort, _, version = key.partition("@")
            rows += [(patient, key) for patient in members_of(connection, cohort, int(version))]
    return pd.DataFrame(sorted(rows), columns=["patient_id", "cohort"])


def _matrix(connection, objects, pairs: Sequence[tuple[str, int]], genes) -> ExpressionMatrix:
    import pandas as pd

    with numbers(connection, "input_units", sorted({unit for _, unit in pairs})) as name:
        profiles = ExpressionProfile.__table__
        result = connection.execute(
            select(profiles)
            .join(Unit, (Unit.key == profiles.c.profile_id) & (Unit.analysis == "ingest.expression_profiles"))
            .where(Unit.unit_id.in_(select_ids(name)))
            .order_by(profiles.c.profile_id)
        )
        frame = pd.DataFrame(result.fetchall(), columns=list(result.keys()))
    frame = frame.sort_values("profile_id").set_index("profile_id")
    return read_matrix(objects, frame, genes)
