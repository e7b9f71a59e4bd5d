"""tshdb lineage: one number, down to file and line, and forward to everything that rests on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import out, out_exact, out_json, settings, short, table
from cli.noting import note
from cli.options import JsonOption, StudyOption, VariantOption
from cli.variant import opened

if TYPE_CHECKING:
    from tshdb.lineage import Lineage

RESTING_SHOWN = 4
ROWS_SHOWN = 12


def add_to(app: typer.Typer) -> None:
    app.command("lineage")(show)


def show(
    table_name: Annotated[str, typer.Argument(metavar="TABLE", help="A result table, or one that was ingested.")],
    keys: Annotated[list[str], typer.Argument(metavar="KEY…", help="COLUMN=VALUE, or a value that the row has.")],
    crate: Annotated[
        Path | None,
        typer.Option("--rocrate", metavar="DIR", help="Write it as an RO-Crate into this folder; it is made."),
    ] = None,
    is_code: Annotated[bool, typer.Option("--code", help="Also the text of the code as it ran.")] = False,
    variant: VariantOption = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Where a number comes from: inputs, code, parameters, library versions, run, file and line; and what rests on it.

    Of several rows that match, the newest is shown, and how to name the others.

    Example: tshdb lineage cox_terms "Cytotoxic lymphocytes" model=univariable
    """
    from tshdb.database import reading
    from tshdb.lineage import facts_of, lineage

    with opened(study, variant) as here, reading(here.engine) as connection:
        row_lineage = lineage(connection, table_name, keys)
    if crate is not None:
        from tshdb.exports import crate_files, write_crate

        write_crate(crate, crate_files(here.name, row_lineage))
        note(here, crate, "export", "RO-Crate", of_patients=None)
        out(f"{crate}: RO-Crate of {row_lineage.unit.name}")
    elif as_json:
        out_json(facts_of(row_lineage))
    else:
        _print(row_lineage, is_code)


def _print(row_lineage: Lineage, is_code: bool) -> None:
    from tshdb.lineage import tree, where

    names = [n for n in row_lineage.rows[0] if any(r[n] is not None for r in row_lineage.rows)]
    if len(row_lineage.rows) == 1:
        out(f" {row_lineage.table}: " + ", ".join(f"{n} {short(row_lineage.rows[0][n])}" for n in names))
    else:
        table(names, [[short(r[n]) for n in names] for r in row_lineage.rows[:ROWS_SHOWN]])
    unit = row_lineage.unit
    out(f" {unit.name}" + (", superseded or failed" if unit.state != "current" else ""))
    run, spec = row_lineage.runs.get(unit.run_id), row_lineage.specs.get(unit.spec_id)
    if run and spec:
        out(f" computed by run {unit.run_id} ({run['actor']}, {run['started_at']}): {run['command']}")
        out(f" code {spec['code']}, {len(spec['sources'])} statements, Python {spec['python']}")
        out(f" parameters {settings(spec['parameters'])}")
        if spec["seed"] is not None:
            out(f" [study] seed {spec['seed']}")
        out(f" libraries {', '.join(f'{n} {v}' for n, v in sorted(run['libraries'].items()))}")
    for line in where(row_lineage, [unit.unit_id]):
        out(f" ← {line}")
    for line in tree(row_lineage):
        out(f" {line}")
    by_analysis: dict[str, list[str]] = {}
    for node in row_lineage.resting:
        by_analysis.setdefault(node.analysis, []).append(node.key)
    if by_analysis:
        out(" On it rest")
        for analysis, keys in by_analysis.items():
            more = f", … {len(keys) - RESTING_SHOWN:,} more" if len(keys) > RESTING_SHOWN else ""
            out(f"   {len(keys):,} {analysis}: {', '.join(keys[:RESTING_SHOWN])}{more}")
    if row_lineage.n_others:
        more = ", …" if row_lineage.n_others > len(row_lineage.others) else ""
        out(f" Older units with such rows: {', '.join(row_lineage.others)}{more}. Narrow with COLUMN=VALUE")
    if is_code and spec:
        for name, text in spec["sources"].items():
            out()
            out_exact(f"# {name}")
            out_exact(text.rstrip())
