"""tshdb check: does everything that the study promises still hold?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import out, out_json, progress, say
from cli.options import JsonOption, StudyOption

if TYPE_CHECKING:
    from tshdb.checking import Broken
    from tshdb.origins import Source

SHOWN = 5


def add_to(app: typer.Typer) -> None:
    app.command()(check)


def check(
    is_fast: Annotated[bool, typer.Option("--fast/--full", help="Without reading all bytes and all rows.")] = False,
    is_repaired: Annotated[
        bool, typer.Option("--repair", help="Mend what can be mended without losing anything.")
    ] = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Every promise of the study: objects, rows, digests, provenance, cohorts, withdrawals. Exit code 5 if one is broken.

    Example: tshdb check --fast
    """
    from analyses import ANALYSES
    from cli.read_again import read_again
    from tshdb.checking import Context, mend
    from tshdb.checking import check as find
    from tshdb.database import reading, writing
    from tshdb.engine.damage import digests_taken_over
    from tshdb.errors import Exit
    from tshdb.lock import study_lock
    from tshdb.origins import Origins, shown
    from tshdb.study import Study

    opened = Study.find(study)

    def look() -> list[Broken]:
        with reading(opened.engine) as connection, progress() as show:
            return find(Context(opened, connection, ANALYSES), full=not is_fast, progress=show)

    broken = look()
    with reading(opened.engine) as connection:
        taken_over = digests_taken_over(connection)
    mended: list[Broken] = []
    was_read: list[Source] = []
    if is_repaired and broken:
        with study_lock(opened.engine, opened.root), writing(opened.engine) as connection:
            mended = mend(Context(opened, connection, ANALYSES), broken)
        with reading(opened.engine) as connection:
            lost = Origins(connection).sources_of_marked()
        was_read = read_again(opened, lost)
        broken = look()
    if as_json:
        out_json(
            {
                "broken": [_facts(b) for b in broken],
                "mended": [_facts(b) for b in mended if not b.rule.marks],
                "marked": [_facts(b) for b in mended if b.rule.marks],
                "read_again": [str(source) for source in was_read],
                "digests_taken_over": taken_over,
                "is_whole": not any(not b.rule.is_warning for b in broken),
            }
        )
    else:
        for one in mended:
            _show_mended(one)
        if was_read:
            out(f" read again, from where they lie: {shown(map(str, was_read))}")
        for one in broken:
            _show(one)
        for day, n in taken_over.items():
            out(f" The second digest of {n:,} results was taken over on {day} from the rows as they stood.")
        if not broken:
            out(
                " Everything holds."
                if not is_fast
                else " Everything that was looked at holds; without --fast all of it is."
            )
    if any(not b.rule.is_warning for b in broken):
        raise typer.Exit(Exit.INTEGRITY)


def _facts(one: Broken) -> dict:
    return {
        "rule": one.rule.name,
        "promise": one.rule.meaning,
        "is_warning": one.rule.is_warning,
        "repair": one.rule.repair,
        "problems": [{"where": p.where, "found": p.found, "repair": p.repair or one.rule.repair} for p in one.problems],
    }


def _show(one: Broken) -> None:
    mark = "W" if one.rule.is_warning else "E"
    out(f" {mark} {one.rule.name}  {len(one.problems):,} x: it is not so that {one.rule.meaning}")
    for problem in one.problems[:SHOWN]:
        out(f"     {problem.where}: {problem.found}")
    if len(one.problems) > SHOWN:
        out(f"     … {len(one.problems) - SHOWN:,} more")
    for repair in dict.fromkeys(p.repair or one.rule.repair for p in one.problems[:SHOWN]):
        say(f"     -> {repair}")


def _show_mended(one: Broken) -> None:
    if not one.rule.marks:
        out(f" mended {one.rule.name}: {len(one.problems):,} x")
        for problem in one.problems:
            out(f"     {problem.where}")
        return
    names = ", ".join(p.where for p in one.problems[:SHOWN])
    more = f" and {len(one.problems) - SHOWN:,} more" if len(one.problems) > SHOWN else ""
    out(f" marked {one.rule.name}: {names}{more}")
