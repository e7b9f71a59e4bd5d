"""tshdb variants list | show | diff | drop | adopt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import count, out, out_json, say, short, table
from cli.options import JsonOption, StudyOption

if TYPE_CHECKING:
    from tshdb.variants.compared import TableDifference

app = typer.Typer(
    help="The same data by other settings, beside the study. Made by: tshdb rebuild --variant NAME --set TABLE.SETTING=VALUE",
    no_args_is_help=True, rich_markup_mode=None,
)  # fmt: skip

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The variant.")]
SHOWN = 12


@app.command("list")
def list_variants(study: StudyOption = None, as_json: JsonOption = False) -> None:
    """All variants: what is set, how many units are their own, how many the study's, and whether they are behind it.

    Example: tshdb variants list
    """
    from tshdb.actions import variants
    from tshdb.study import Study

    found = variants.variants(Study.find(study))
    if as_json:
        out_json([v.facts for v in found])
    elif not found:
        say("This study has no variants. To make one: tshdb rebuild --variant median --set cutoff.method=median")
    else:
        headers = ("variant", "set", "own", "shared", "")
        cells = [(v.name, ", ".join(v.says), _number(v.n_own), v.n_shared, v.state) for v in found]
        table(headers, cells, right=(2, 3))


def _number(n_own: dict[str, int]) -> int | None:
    """Units that stand, of a variant that has results."""
    return sum(n for state, n in n_own.items() if state != "retired") if n_own else None


@app.command()
def show(name: NameArgument, study: StudyOption = None, as_json: JsonOption = False) -> None:
    """One variant: what is set, the units that are its own and those that it shares, and whether it is behind the study.

    Example: tshdb variants show median
    """
    from tshdb.actions import variants
    from tshdb.study import Study

    found = variants.variant(Study.find(study), name)
    if as_json:
        out_json(found.facts)
        return
    out(f"{found.name}: {found.state}")
    for setting in found.says:
        out(f"  {setting}")
    if found.behind is not None:
        own = ", ".join(f"{n:,} {state}" for state, n in sorted(found.n_own.items())) or "none"
        out(f"  its own units: {own}; shared with the study: {found.n_shared:,}")
        out(f"  {found.size_bytes:,} bytes, kept {found.made_at}")


@app.command()
def diff(
    name: NameArgument,
    other: Annotated[
        str | None,
        typer.Argument(metavar="[OTHER]", help="Another variant; without it, NAME is compared with the study."),
    ] = None,
    only: Annotated[
        str | None, typer.Option("--table", metavar="TABLE", help="All that differs in this table.")
    ] = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """What differs from the study to a variant, or between two variants: settings, and rows of results.

    Without --table, of each table how many rows differ, and cut-offs, hazard ratios, p values and the like as they are in both.

    Example: tshdb variants diff median
    """
    from tshdb.actions import variants
    from tshdb.errors import NotFound
    from tshdb.near import did_you_mean
    from tshdb.study import Study

    compared = variants.diff(Study.find(study), name, other)
    facts = compared.facts(only)
    if only is not None and not facts["tables"]:
        known = [t.table for t in compared.tables]
        raise NotFound(
            f"nothing differs in a table '{only}'", where="--table",
            repair=did_you_mean(only, known, f"Tables with rows that differ: {', '.join(known) or 'none'}"),
        )  # fmt: skip
    if as_json:
        out_json(facts)
        return
    for note in compared.notes:
        say(note)
    out(f"{compared.before} -> {compared.after}")
    for setting, (before, after) in compared.settings.items():
        out(f"  {setting}: {before} -> {after}")
    if not compared.tables:
        out("  No row of results differs.")
    for each in compared.tables:
        if only in (None, each.table):
            _show_table(each, facts["tables"], is_whole=only is not None)


def _show_table(each: TableDifference, told: list[dict[str, Any]], is_whole: bool) -> None:
    words = {"differ": "differ", "gone": "are gone", "new": "are new"}
    counts = ", ".join(f"{n:,} {words[kind]}" for kind, n in each.counts.items() if n)
    out(f"  {each.table}: of its rows {counts}")
    rows = next(t["rows"] for t in told if t["table"] == each.table)
    for row in rows if is_whole else rows[:SHOWN]:
        kind = " is new" if row["is_new"] else " is gone" if row["is_gone"] else ""
        values = ", ".join(_value(column, v, kind) for column, v in row["values"].items())
        which = f" ({row['row']})" if row["row"] else ""
        out(f"    {row['unit']}{which}{kind}: {values}")
    if not is_whole and len(rows) > SHOWN:
        out(f"    … {count(len(rows) - SHOWN, 'more row')}: --table {each.table}")


def _value(column: str, values: dict[str, Any], kind: str) -> str:
    before, after = ("none" if v is None else short(v) for v in (values["before"], values["after"]))
    if kind:
        return f"{column} {after if kind == ' is new' else before}"
    return f"{column} {before} -> {after}"


@app.command()
def drop(
    name: NameArgument,
    is_sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    study: StudyOption = None,
) -> None:
    """Take a variant away, with its settings and its own results. The study's are not touched.

    Example: tshdb variants drop median
    """
    from cli.console import confirm
    from tshdb.actions import variants
    from tshdb.errors import UsageError
    from tshdb.study import Study

    opened = Study.find(study)
    says = variants.settings_of(opened, name)
    if not (is_sure or confirm(f"{name}: {', '.join(says) or 'nothing is set'}. Take it away, with its results?")):
        raise UsageError("nothing was done", where=f"variants drop {name}", repair="Answer yes, or add --yes")
    n_objects = variants.drop(opened, name)
    out(f"{name} is gone.")
    if n_objects:
        out(f"{count(n_objects, 'object')} that it alone had made: tshdb check --repair takes away what nobody names.")


@app.command()
def adopt(name: NameArgument, study: StudyOption = None, as_json: JsonOption = False) -> None:
    """Write what a variant sets into study.toml, with a line that says so. The study's results follow at its next rebuild.

    Example: tshdb variants adopt median
    """
    from tshdb.actions import variants
    from tshdb.study import Study

    moved = variants.adopt(Study.find(study), name)
    if as_json:
        out_json({setting: {"before": before, "after": after} for setting, (before, after) in moved.items()})
        return
    for setting, (before, after) in moved.items():
        out(f"  {setting}: {before} -> {after}")
    if moved:
        say(
            f"Written to study.toml. Next: tshdb rebuild; then the variant has nothing of its own: tshdb variants drop {name}"
        )
    else:
        say("study.toml says so already.")
