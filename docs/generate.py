"""Write docs/schema.md and docs/cli.md from the code: `make docs`. A test compares them with what this would write.

python docs/generate.py [FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path

import typer.main
from sqlalchemy import Enum

from cli.main import app
from tshdb.schema import Base
from tshdb.sqltypes import described

HERE = Path(__file__).parent
SUBJECTS = (
    "clinical",
    "expression",
    "imaging",
    "imaging_results",
    "radiomics",
    "signature",
    "cohort",
    "provenance",
    "engine",
    "results",
    "withdrawal",
)


def schema() -> str:
    """Every table: what one row is, its columns, their types and meanings."""
    lines = [
        "# The tables",
        "",
        "Written by `make docs` from `tshdb/schema/`. Times are UTC text; every list is by key.",
        "",
    ]
    models = {m.class_.__tablename__: m.class_ for m in Base.registry.mappers}
    for subject in SUBJECTS:
        lines += [f"## {subject}", ""]
        for name in Base.metadata.tables:
            if models[name].__module__ == f"tshdb.schema.{subject}":
                lines += _table(name, models[name])
    return "\n".join(lines).rstrip() + "\n"


def _table(name: str, model: type) -> list[str]:
    lines = [f"### {name}", "", " ".join(model.__doc__.split()), "", "| column | type | |", "|---|---|---|"]
    for column in model.__table__.columns:
        kind = column.type.__class__.__name__.lower()
        notes = [column.doc or ""]
        if isinstance(column.type, Enum):
            kind, notes = "text", [*notes, "one of " + ", ".join(column.type.enums)]
        notes += [f"-> `{key.target_fullname}`" for key in column.foreign_keys]
        key = " (key)" if column.primary_key else "" if column.nullable else ", never empty"
        lines.append(f"| `{column.name}` | {kind}{key} | {'; '.join(filter(None, notes))} |")
    return [*lines, ""]


def commands() -> str:
    """Every command: its help, arguments and options."""
    lines = ["# The commands", "", "Written by `make docs` from `cli/`. Exit codes: README.md.", ""]
    for path, command in _walk(typer.main.get_command(app), "tshdb"):
        lines += [f"## {path}", "", (command.help or "").strip(), ""]
        for parameter in command.params:
            names = ", ".join(f"`{o}`" for o in (*parameter.opts, *parameter.secondary_opts))
            if parameter.param_type_name == "argument":
                names = f"`{parameter.metavar or parameter.name.upper()}`"
            if "`--help`" not in names:
                lines.append(f"- {names}: {getattr(parameter, 'help', '') or ''}".rstrip(": "))
        if lines[-1]:
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _walk(command, path: str):
    if hasattr(command, "commands"):
        for name, child in command.commands.items():
            yield from _walk(child, f"{path} {name}")
    else:
        yield path, command


def main(folder: Path) -> None:
    (folder / "schema.md").write_text(schema(), encoding="utf-8")
    (HERE.parent / "tshdb" / "schema" / "columns.txt").write_text(described(), encoding="utf-8")
    (folder / "cli.md").write_text(commands(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
