"""tshdb check: does everything that the study promises still hold?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import out, out_json, progress, say
from cli.options import JsonOption, StudyOption

if TYPE_CHECKING:
    from pathlib import Path

    from tshdb.checking import Broken

SHOWN = 5
SEEN = 20  # lines of one broken promise


def add_to(app: typer.Typer) -> None:
    app.command()(check)


def check(
    what: Annotated[
        str | None, typer.Argument(metavar="[analysis]", help="The word analysis: the oath of one analysis instead.")
    ] = None,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Of the analysis.")] = None,
    is_fast: Annotated[bool, typer.Option("--fast/--full", help="Without reading all bytes and all rows.")] = False,
    is_repaired: Annotated[
        bool, typer.Option("--repair", help="Mend what can be mended without losing anything.")
    ] = False,
    is_privacy: Annotated[
        bool, typer.Option("--privacy", help="What looks like a person instead: in values, columns, paths and files.")
    ] = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Every promise of the study: objects, rows, digests, provenance, cohorts, withdrawals. Exit code 5 if one is broken.

    With `analysis NAME`: whether an analysis keeps what the engine promises of it, tried on data that is made for it, with the
    parameters of this study, in which nothing is touched. Exit code 3 if a promise is broken.

    With --privacy: names, birth dates, telephones, e-mail, addresses, record numbers and free text, by content and by the names
    of columns; where and how many, and no value in full. Exit code 3 if something looks so.

    Example: tshdb check analysis tsh_ratios
    """
    if what is not None or name is not None:
        _analysis(what, name, is_fast or is_repaired or is_privacy, study, as_json)
        return
    if is_privacy:
        _privacy(study, is_fast or is_repaired, as_json)
        return
    from tshdb.actions import checking
    from tshdb.actions.rereading import read_again
    from tshdb.errors import Exit
    from tshdb.origins import shown
    from tshdb.study import Study

    opened = Study.find(study)
    with progress() as show:
        report = checking.check(opened, full=not is_fast, progress=show)
    if is_repaired:
        with progress() as show:
            report = checking.repair(opened, report, read_again, full=not is_fast, progress=show)
    if as_json:
        out_json(report.facts)
    else:
        for mended in report.mended:
            _show_mended(mended)
        if report.read_again:
            out(f" read again, from where they lie: {shown(map(str, report.read_again))}")
        for broken in report.broken:
            _show(broken)
        for day, n in report.taken_over.items():
            out(f" The second digest of {n:,} results was taken over on {day} from the rows as they stood.")
        if report.waits:
            say(f" Objects were left where they are: {report.waits}.")
        if report.trash["files"]:
            say(
                f" In the trash: {report.trash['files']:,} files, {report.trash['bytes'] / 1e6:,.1f} MB: tshdb gc --empty-trash"
            )
        if report.broken:
            say(f" What it means: tshdb explain {report.broken[0].rule.name}")
        else:
            out(
                " Everything holds."
                if not is_fast
                else " Everything that was looked at holds; without --fast all of it is."
            )
    if not report.is_whole:
        raise typer.Exit(Exit.INTEGRITY)


def _privacy(study: Path | None, has_options: bool, as_json: bool) -> None:
    from tshdb.errors import Exit, UsageError
    from tshdb.privacy import hints
    from tshdb.study import Study

    if has_options:
        raise UsageError("--privacy stands alone", where="tshdb check", repair="Leave --fast and --repair out")
    found = hints(Study.find(study))
    if as_json:
        out_json([hint._asdict() for hint in found])
    else:
        for hint in found:
            by = "by the column's name or its cells" if hint.how == "column" else "by what it says"
            out(f" {hint.where}  {hint.what}: {hint.n:,} x, such as {hint.such_as} ({by})")
        say(
            "Hints, no proofs: look at each."
            if found
            else "Nothing looks like a person; that is no proof that nobody is named."
        )
    if found:
        raise typer.Exit(Exit.PARTIAL)


def _analysis(what: str | None, name: str | None, has_options: bool, study: Path | None, as_json: bool) -> None:
    from tshdb.errors import Exit, UsageError
    from tshdb.oath.swearing import swear
    from tshdb.study import Study

    if what != "analysis" or name is None:
        raise UsageError(f"'{what}'", where="tshdb check", repair="Write: tshdb check, or tshdb check analysis NAME")
    if has_options:
        raise UsageError(
            "--fast, --repair and --privacy are for a study", where="tshdb check analysis", repair="Leave them out"
        )
    opened = Study.find(study)
    with progress() as show:
        sworn = swear(opened, name, show)
    if as_json:
        out_json(sworn.facts)
    else:
        for promise in sworn.promises:
            out(f" {promise.mark:<4}{promise.name:<13}{promise.says}", hanging=" " * 18)
            for each in promise.seen[:SEEN] if promise.holds is False else ():
                out(f"     {each}")
            if promise.holds is False and len(promise.seen) > SEEN:
                out(f"     … {len(promise.seen) - SEEN:,} more")
        ends = "keeps its oath" if sworn.holds else f"breaks {', '.join(sworn.broken)}"
        say(f" {name} (of {sworn.origin}) {ends}. Tried on {sworn.made_of}, in {sworn.seconds:.0f} s")
    if not sworn.holds:
        raise typer.Exit(Exit.PARTIAL)


def _show(broken: Broken) -> None:
    mark = "W" if broken.rule.is_warning else "E"
    out(f" {mark} {broken.rule.name}  {len(broken.problems):,} x: it is not so that {broken.rule.meaning}")
    for problem in broken.problems[:SHOWN]:
        out(f"     {problem.where}: {problem.found}")
    if len(broken.problems) > SHOWN:
        out(f"     … {len(broken.problems) - SHOWN:,} more")
    for repair in dict.fromkeys(p.repair or broken.rule.repair for p in broken.problems[:SHOWN]):
        say(f"     -> {repair}")


def _show_mended(mended: Broken) -> None:
    if not mended.rule.marks:
        out(f" mended {mended.rule.name}: {len(mended.problems):,} x")
        for problem in mended.problems:
            out(f"     {problem.where}")
        return
    names = ", ".join(p.where for p in mended.problems[:SHOWN])
    more = f" and {len(mended.problems) - SHOWN:,} more" if len(mended.problems) > SHOWN else ""
    out(f" marked {mended.rule.name}: {names}{more}")
