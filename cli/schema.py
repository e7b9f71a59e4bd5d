"""tshdb schema: what the tables and their columns mean."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.console import out, out_json, table
from cli.options import JsonOption, StudyOption

EXPRESSION = {
    "profile_id": "the profile", "sample_id": "its sample", "gene": "the gene, as the study stores it",
    "value": "as in its source; expression_profiles says unit and scale", "is_selected": "whether analyses use the profile",
}  # fmt: skip


def add_to(app: typer.Typer) -> None:
    app.command()(schema)


def schema(
    name: Annotated[
        str | None, typer.Argument(metavar="TABLE", help="A table or view; without one, all of them.")
    ] = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """What one row of a table is, its columns, their types, meanings and units. In a study, its guests' tables too.

    Example: tshdb schema tsh_ratios
    """
    from tshdb.errors import NotFound
    from tshdb.near import did_you_mean

    known = {entry["table"]: entry for entry in [*described(), *_of_guests(study)]}
    if name is None:
        if as_json:
            out_json(list(known.values()))
        else:
            table(("table", "one row is"), [(t, e["one_row"]) for t, e in known.items()])
    elif name not in known:
        raise NotFound(f"no table '{name}'", repair=did_you_mean(name, known, "All of them: tshdb schema"))
    elif as_json:
        out_json(known[name])
    else:
        entry = known[name]
        python = f" In Python: tshdb.schema.{entry['class']}" if "class" in entry else ""
        out(f" {name}: one row is {entry['one_row']}{python}")
        if entry["columns"]:
            cells = [(c["name"], c["type"], "key" if c["is_key"] else "", c["meaning"]) for c in entry["columns"]]
            table(("column", "type", "", ""), cells)
        else:
            out(f' Its columns: tshdb sql "DESCRIBE {name}"')


def _of_guests(study: Path | None) -> list[dict[str, Any]]:
    """The tables that analyses of others have declared in this study; none outside of a study."""
    from tshdb.actions.guesting import tables
    from tshdb.study import Study

    opened = Study.here(study)
    return tables(opened) if opened is not None else []


def described() -> list[dict[str, Any]]:
    """Every table, view and `expression`: what one row is, and its columns."""
    from sqlalchemy import Enum

    from tshdb.schema import Base
    from tshdb.schema.base import is_ours
    from tshdb.sqltypes import table_columns
    from tshdb.views import VIEWS

    types = table_columns()
    tables = []
    for mapper in sorted(Base.registry.mappers, key=lambda m: m.class_.__tablename__):
        model = mapper.class_
        if not is_ours(model.__table__):
            continue
        columns = []
        for column in model.__table__.columns:
            meaning = column.doc or ""
            if isinstance(column.type, Enum):
                meaning = "; ".join(filter(None, [meaning, f"one of {', '.join(column.type.enums)}"]))
            columns.append(
                {
                    "name": column.name,
                    "type": types[model.__tablename__][column.name],
                    "is_key": column.primary_key,
                    "meaning": meaning,
                }
            )
        one_row = " ".join(model.__doc__.split()).removeprefix("One row is ")
        tables.append({"table": model.__tablename__, "one_row": one_row, "class": model.__name__, "columns": columns})
    tables += [{"table": v.name, "one_row": v.one_row, "columns": []} for v in VIEWS.values()]
    columns = [{"name": n, "type": "", "is_key": False, "meaning": m} for n, m in EXPRESSION.items()]
    return [*tables, {"table": "expression", "one_row": "the value of one gene in one profile", "columns": columns}]
