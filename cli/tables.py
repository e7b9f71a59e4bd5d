"""tshdb table: the paper's tables, from the study's results, beside the paper's values."""

from __future__ import annotations

import csv
from importlib import resources
from typing import Annotated, Any

import typer

from cli.console import out, out_json, table
from cli.options import JsonOption, StudyOption

PAPER_N = 112


def add_to(app: typer.Typer) -> None:
    app.command("table")(print_table)


def print_table(
    number: Annotated[str, typer.Argument(help="Which table of the paper: 2.")],
    cohort: Annotated[str | None, typer.Option(help="cohort@version (default: the newest).")] = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """A table of the paper, beside the paper's values.

    Example: tshdb table 2 --cohort tumor_stroma_development@1
    """
    from tshdb.errors import UsageError
    from tshdb.study import Study

    if number != "2":
        raise UsageError(f"table {number} is not among the results yet", where="tshdb table", repair="Known: 2")
    rows = table_2(Study.find(study), cohort)
    if as_json:
        out_json(rows)
    else:
        show_table_2(rows)


def paper_table_2() -> dict[str, dict[str, float]]:
    """The paper's Table 2: population -> column -> value as printed."""
    text = resources.files("cli").joinpath("data/fan2023/table2.csv").read_text(encoding="utf-8")
    return {row.pop("term"): {k: float(v) for k, v in row.items()} for row in csv.DictReader(text.splitlines())}


def table_2(study, cohort: str | None) -> list[dict[str, Any]]:
    """The univariable Cox terms of one cohort version, each with the paper's row. Raises NotFound without any."""
    from sqlalchemy import select

    from tshdb.database import reading
    from tshdb.errors import NotFound
    from tshdb.schema import CoxTerm

    with reading(study.engine) as connection:
        rows = (
            connection.execute(
                select(*CoxTerm.__table__.columns)
                .where(CoxTerm.model == "univariable")
                .order_by(CoxTerm.unit_id.desc())
            )
            .mappings()
            .fetchall()
        )
    found = [dict(r) for r in rows if r["cohort"] == (cohort or rows[0]["cohort"])]
    if not found:
        raise NotFound("no univariable Cox terms" + (f" of {cohort}" if cohort else ""), repair="Run: tshdb rebuild")
    paper = paper_table_2()
    return [row | {"paper": paper.get(row["term"])} for row in sorted(found, key=lambda r: r["position"])]


def show_table_2(rows: list[dict[str, Any]]) -> None:
    """Side by side, with what differs said."""
    first = rows[0]
    out(
        f" Univariable Cox of (A_tumor - A_stroma) / A_stroma, {first['endpoint'].value}, {first['cohort']}, "
        f"n = {first['n']}, {first['n_events']} events, {first['transform']} of {first['unit'].value.upper()}"
    )
    cells = []
    for row in rows:
        paper = row["paper"]
        cells.append(
            (
                row["term"],
                _ratio(row) if row["reason"] is None else row["reason"],
                _p(row["p_value"]),
                _p(row["p_adjusted"]),
                _ratio(paper) if paper else None,
                _p(paper["p_value"]) if paper else None,
                _p(paper["p_adjusted"]) if paper else None,
            )
        )
    headers = ("population", "HR (95 % CI)", "p", "BH", f"paper (n = {PAPER_N})", "p", "BH")
    table(headers, cells, right=(2, 3, 5, 6))
    compared = [r for r in rows if r["paper"] and r["coefficient"] is not None]
    same = sum((r["coefficient"] < 0) == (r["paper"]["beta"] < 0) for r in compared)
    out(
        f" {same} of {len(compared)} directions agree with the paper. The size of a hazard ratio depends on the expression"
    )
    out(" unit, and these patients, values and follow-up are not exactly the paper's: docs/paper.md#table-2")


def _ratio(row: dict[str, Any]) -> str:
    return f"{row['hazard_ratio']:.2f} ({row['ci_lower']:.2f}–{row['ci_upper']:.2f})"


def _p(value: float | None) -> str | None:
    if value is None:
        return None
    return f"{value:.2g}" if value < 0.001 else f"{value:.4f}"
