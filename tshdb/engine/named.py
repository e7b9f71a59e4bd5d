"""Inputs that a parameter names: `table.column` of study.toml becomes the need that it stands for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tshdb.engine.needs import KEY_COLUMNS, Input, Named, Need, Relation
from tshdb.engine.units import ENTITY_COLUMN
from tshdb.errors import InvalidInput
from tshdb.near import did_you_mean
from tshdb.schema import Base

if TYPE_CHECKING:
    from tshdb.config import Parameters, Settings
    from tshdb.engine.analysis import Analysis


def with_named(
    analyses: Sequence[Analysis], parameters: Mapping[str, Parameters], settings: Settings
) -> tuple[Analysis, ...]:
    """The analyses, with what their parameters name in the place of `Named`.

    Raises InvalidInput, with the line of study.toml, for a table or a column that there is not.
    """
    if not any(isinstance(need, Named) for a in analyses for need in a.needs.values()):
        return tuple(analyses)
    tables = _tables(analyses)
    resolved = []
    for analysis in analyses:
        needs: dict[str, Input] = {}
        for role, need in analysis.needs.items():
            if isinstance(need, Named):
                text = getattr(parameters[analysis.name], need.parameter)
                table, place = settings.place(analysis.name, need.parameter, analysis.base)
                where = f"{place}: [{table}] {need.parameter}"
                needs[role] = _need(analysis, need, text, tables, where)
            else:
                needs[role] = need
        resolved.append(replace(analysis, needs=needs))
    return tuple(resolved)


def _tables(analyses: Iterable[Analysis]) -> dict[str, tuple[type[Base], str]]:
    """name -> (table, the column of its entity), of all that can be named."""
    by_name: dict[str, tuple[type[Base], str]] = {}
    for model in Base.declared:
        if model.__tablename__ in ENTITY_COLUMN:
            by_name[model.__tablename__] = model, ENTITY_COLUMN[model.__tablename__]
    for analysis in analyses:
        if not analysis.over_cohort:
            by_name[analysis.makes.__tablename__] = analysis.makes, KEY_COLUMNS[analysis.per]
    return by_name


def _need(analysis: Analysis, need: Named, text: str, tables: Mapping[str, tuple[type[Base], str]], where: str) -> Need:
    per = "patient" if analysis.over_cohort else analysis.per
    key = KEY_COLUMNS[per]
    fitting = {name: table for name, (table, entity) in tables.items() if entity == key}
    name, _, column = text.partition(".")
    if name not in fitting:
        wrong = f"'{name}' has no row of a {per}" if name in tables else f"there is no table '{name}'"
        known = f"Write TABLE.COLUMN. Tables of a {per}: {', '.join(sorted(fitting))}"
        raise InvalidInput(f"found '{text}': {wrong}", where=where, repair=did_you_mean(name, fitting, known))
    columns = [c.name for c in fitting[name].__table__.columns if c.name not in ("unit_id", key)]
    if column not in columns:
        known = f"Columns of {name}: {', '.join(columns)}"
        raise InvalidInput(
            f"found '{text}': {name} has no column '{column}'", where=where, repair=did_you_mean(column, columns, known)
        )
    via = Relation(f"same {per.replace('_', ' ')}", per)
    return Need(fitting[name], via, optional=need.optional, column=column)
