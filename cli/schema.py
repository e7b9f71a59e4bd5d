"""tshdb schema: what the tables and their columns mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import out, out_json, table
from cli.options import JsonOption, StudyOption
from tshdb.words import CLOSED, FORMS

if TYPE_CHECKING:
    from tshdb.words import Vocabulary

EXPRESSION = {
    "profile_id": "the profile", "sample_id": "its sample", "gene": "the gene, as the study stores it",
    "value": "as in its source; expression_profiles says unit and scale", "is_selected": "whether analyses use the profile",
}  # fmt: skip


WITH_FEATURES = ("radiomic_features", "lesion_features", "map_features")
WITH_WORDS = {"patients": CLOSED, "follow_ups": ("time_origin",), "imported_features": ("time_point",)}


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

    known = {entry["table"]: entry for entry in [*described(_vocabulary(study)), *_of_guests(study)]}
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
            _show_words(entry)
            _show_features(entry)
        else:
            out(f' Its columns: tshdb sql "DESCRIBE {name}"')


def _of_guests(study: Path | None) -> list[dict[str, Any]]:
    """The tables that analyses of others have declared in this study; none outside of a study."""
    from tshdb.actions.guesting import tables
    from tshdb.study import Study

    opened = Study.here(study)
    return tables(opened) if opened is not None else []


def _vocabulary(study: Path | None) -> Vocabulary:
    """The words of the study that is meant, else those that every study has."""
    from tshdb.study import Study
    from tshdb.words import Vocabulary

    opened = Study.here(study)
    return opened.settings.vocabulary if opened is not None else Vocabulary()


def _show_words(entry: dict[str, Any]) -> None:
    """What sources may write in the table's columns, and what the study keeps."""
    cells = [
        (column["name"], word, ", ".join(synonyms))
        for column in entry["columns"]
        for word, synonyms in column.get("words", {}).items()
    ]
    if cells:
        out(
            " Words of sources (study.toml adds others: [vocabulary.COLUMN]); what is in none is a finding, and missing."
        )
        table(("column", "is kept", "is read as it"), cells)


def _show_features(entry: dict[str, Any]) -> None:
    """The features that a table has, and their IBSI identifiers."""
    if features := entry.get("features"):
        out(" Its features (region.map. goes before; shape: region.), with IBSI's identifiers:")
        table(("feature", "IBSI"), list(features.items()))


def described(vocabulary: Vocabulary | None = None) -> list[dict[str, Any]]:
    """Every table, view and `expression`: what one row is, and its columns. vocabulary: give the words of columns too."""
    from sqlalchemy import Enum

    from tshdb.images.feature_names import NAMES
    from tshdb.images.ibsi import IDS
    from tshdb.schema import Base
    from tshdb.sqltypes import table_columns
    from tshdb.views import VIEWS

    types = table_columns()
    tables = []
    for model in sorted(Base.declared, key=lambda m: m.__tablename__):
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
            if vocabulary is not None and (words := _words_of(vocabulary, model.__tablename__, column.name)):
                columns[-1]["words"] = words
        one_row = " ".join(model.__doc__.split()).removeprefix("One row is ")
        tables.append({"table": model.__tablename__, "one_row": one_row, "class": model.__name__, "columns": columns})
        if model.__tablename__ in WITH_FEATURES:
            tables[-1]["features"] = {
                f"{c}.{name}": IDS[c].get(name, "") for c, names in NAMES.items() for name in names
            }
    tables += [{"table": v.name, "one_row": v.one_row, "columns": []} for v in VIEWS.values()]
    columns = [{"name": n, "type": "", "is_key": False, "meaning": m} for n, m in EXPRESSION.items()]
    return [*tables, {"table": "expression", "one_row": "the value of one gene in one profile", "columns": columns}]


def _words_of(vocabulary: Vocabulary, table_name: str, column: str) -> dict[str, list[str]]:
    """word -> what is read as it, of a column whose words are listed; stages are read by their form."""
    if column not in WITH_WORDS.get(table_name, ()):
        return {}
    return (
        {vocabulary.expected(column): ["by their form: pT2, 2, IIA"]}
        if column in FORMS
        else vocabulary.synonyms(column)
    )
