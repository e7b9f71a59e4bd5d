"""Inputs that a parameter names: `table.column` of study.toml becomes the need that it stands for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Text, cast, func, select

from tshdb.engine.columns import FIELDS, PATIENTS, Column, plain
from tshdb.engine.needs import KEY_COLUMNS, Chosen, Input, Named, Need, Relation
from tshdb.engine.units import ENTITY_COLUMN
from tshdb.errors import InvalidInput
from tshdb.near import did_you_mean
from tshdb.schema import Base, ClinicalValue

if TYPE_CHECKING:
    from tshdb.config import Parameters, Settings
    from tshdb.engine.analysis import Analysis
    from tshdb.engine.world import World

MOST_SHOWN = 20  # values or fields that a message still names


def with_named(
    analyses: Sequence[Analysis], parameters: Mapping[str, Parameters], settings: Settings
) -> tuple[Analysis, ...]:
    """The analyses, with what their parameters name in the place of `Named` and `Chosen`.

    Raises InvalidInput, with the line of study.toml, for a table or a column that there is not.
    """
    if not any(isinstance(need, Named | Chosen) for a in analyses for need in a.needs.values()):
        return tuple(analyses)
    tables = _tables(analyses)
    resolved = []
    for analysis in analyses:
        needs: dict[str, Input] = {}
        for role, need in analysis.needs.items():
            if isinstance(need, Named | Chosen):
                params, text = parameters[analysis.name], getattr(parameters[analysis.name], need.parameter)
                where = _where(settings, analysis, need.parameter)
                if isinstance(need, Chosen) and text in need.words:
                    needs[role] = need.words[text] or need
                else:
                    needs[role] = _need(analysis, need, text, tables, where)
                if isinstance(need, Chosen):
                    _refuse_classes(analysis, need, params, settings)
            else:
                needs[role] = need
        resolved.append(analysis if needs == analysis.needs else replace(analysis, needs=needs))
    return tuple(resolved)


def refuse_what_nobody_has(connection: Connection, analyses: Iterable[Analysis], world: World) -> None:
    """Raises InvalidInput for a field of the clinical files, or a value of a column, that no patient of the study has.

    analyses: as they are declared. Where the column has no value at all yet, nothing is refused.
    """
    for analysis in analyses:
        for need in analysis.needs.values():
            if not isinstance(need, Chosen) or analysis.name in world.stood_down:
                continue
            params, settings = world.parameters[analysis.name], world.settings
            text = getattr(params, need.parameter)
            parameters: tuple[str, ...]
            if text in need.words:
                if text not in need.named:
                    continue
                parameter, column = need.named[text]
                named, parameters = Column((need.words[text] or need).table.__tablename__, column), (parameter,)
            else:
                named, parameters = Column.of(text), need.classes
            found = _values_of(connection, analysis, named, world)
            if not found and named.field is not None:
                _refuse_field(connection, named.field, _where(settings, analysis, need.parameter))
            there = {plain(value) for value in found}
            for parameter in parameters if found else ():
                said = getattr(params, parameter)
                for value in (said,) if isinstance(said, str) else said:
                    if plain(value) not in there:
                        known = [f"{v} ({n})" for v, n in sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))]
                        raise InvalidInput(
                            f"found '{value}': no patient has this value of {named}",
                            where=_where(settings, analysis, parameter),
                            repair=did_you_mean(value, list(found), f"Values, with patients: {_some(known)}"),
                        )


def _where(settings: Settings, analysis: Analysis, parameter: str) -> str:
    name = analysis.base if analysis.base and parameter in analysis.params.FOLLOWS else analysis.name
    table, place = settings.place(name, parameter, analysis.base)
    return f"{place}: [{table}] {parameter}"


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


def _need(
    analysis: Analysis, need: Named | Chosen, text: str, tables: Mapping[str, tuple[type[Base], str]], where: str
) -> Need:
    per = "patient" if analysis.over_cohort else analysis.per
    key = KEY_COLUMNS[per]
    fitting = {name: table for name, (table, entity) in tables.items() if entity == key}
    words = list(need.words) if isinstance(need, Chosen) else []
    if words and PATIENTS in fitting and "." not in text:
        name, column = PATIENTS, text
    else:
        name, _, column = text.partition(".")
    if name not in fitting:
        wrong = f"'{name}' has no row of a {per}" if name in tables else f"there is no table '{name}'"
        known = f"Write {', '.join([*words, 'TABLE.COLUMN'])}. Tables of a {per}: {', '.join(sorted(fitting))}"
        raise InvalidInput(f"found '{text}': {wrong}", where=where, repair=did_you_mean(name, fitting, known))
    via = Relation(f"same {per.replace('_', ' ')}", per)
    if words and name == FIELDS and column:
        return Need(fitting[name], via, optional=need.optional)
    columns = [c.name for c in fitting[name].__table__.columns if c.name not in ("unit_id", key)]
    if column not in columns:
        first = f"Write {', '.join(words)}, or a column. " if words else ""
        known = f"{first}Columns of {name}: {', '.join(columns)}"
        raise InvalidInput(
            f"found '{text}': {name} has no column '{column}'",
            where=where,
            repair=did_you_mean(column, [*words, *columns], known),
        )
    return Need(fitting[name], via, optional=need.optional, column=None if words else column)


def _refuse_classes(analysis: Analysis, need: Chosen, params: Parameters, settings: Settings) -> None:
    """Raises InvalidInput where a column has no values to be told apart by, a word has some, or a value stands in two lists."""
    is_column = getattr(params, need.parameter) not in need.words
    text = getattr(params, need.parameter)
    seen: dict[str, str] = {}
    for parameter in need.classes:
        where = _where(settings, analysis, parameter)
        values = getattr(params, parameter)
        if values and not is_column:
            raise InvalidInput(
                f"found {list(values)}, but {need.parameter} = '{text}' has no values to choose from", where=where,
                repair=f"Take it out, or let {need.parameter} name a column",
            )  # fmt: skip
        if not values and is_column and parameter == need.classes[0]:
            raise InvalidInput(
                f"found nothing, but {need.parameter} = '{text}' is a column", where=where,
                repair=f'Name the values of the class that is foretold, such as {parameter} = ["positive"]',
            )  # fmt: skip
        for value in values:
            if plain(value) in seen:
                raise InvalidInput(
                    f"found '{value}', which {seen[plain(value)]} names as well",
                    where=where,
                    repair="Take it out of one",
                )
            seen[plain(value)] = parameter


def _values_of(connection: Connection, analysis: Analysis, named: Column, world: World) -> dict[str, int]:
    """value -> rows that have it, as text."""
    (table,) = {
        need.table.__table__
        for need in world.by_name[analysis.name].needs.values()
        if isinstance(need, Need) and need.table.__tablename__ == named.table
    }
    value = table.c[named.column]
    query = select(cast(value, Text), func.count()).where(value.is_not(None)).group_by(cast(value, Text))
    if named.field is not None:
        query = query.where(table.c.field == named.field)
    return {str(text): int(n) for text, n in connection.execute(query)}


def _refuse_field(connection: Connection, field: str, where: str) -> None:
    """Raises InvalidInput for a field that no clinical file has, unless there are none at all."""
    table = ClinicalValue.__table__
    fields = sorted(connection.execute(select(table.c.field).distinct()).scalars())
    if fields and field not in fields:
        raise InvalidInput(
            f"found '{FIELDS}.{field}': no clinical file has a field '{field}'", where=where,
            repair=did_you_mean(field, fields, f"Fields: {_some(fields)}"),
        )  # fmt: skip


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST_SHOWN]) + (f" and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else "")
