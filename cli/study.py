"""tshdb init, status, migrate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.console import out, out_json, say, table
from cli.options import JsonOption, StudyOption


def add_to(app: typer.Typer) -> None:
    app.command()(init)
    app.command()(status)


def init(
    folder: Annotated[Path, typer.Argument(help="The study folder to make.")],
    database: Annotated[
        str, typer.Option(help="Database URL: sqlite:///FILE or postgresql://…")
    ] = "sqlite:///study.db",
    preset: Annotated[
        str,
        typer.Option(
            metavar="NAME|FILE",
            help="Choices of parameters and cohorts to begin with: of this program (fan2023) or of an installed package; none: a "
            "study without the paper; or a study.toml that somebody hands on.",
        ),
    ] = "fan2023",
    roles: Annotated[
        bool, typer.Option("--roles", help="PostgreSQL: make the roles of a team, owner, writer and reader.")
    ] = False,
) -> None:
    """Make a study: study.toml, cohorts/, objects/ and an empty database.

    Example: tshdb init brca
    """
    from tshdb.actions.making import make_study
    from tshdb.guests.listing import analyses_here
    from tshdb.roles import made_of

    study = make_study(folder, database, preset, roles)
    n = len(list((study.root / "cohorts").glob("*.sql")))
    place = "study.db" if study.sqlite_path else "PostgreSQL"
    cohorts = f", {n} cohort files in cohorts/" if n else ""
    say(f"Study {study.name}: {place}, objects/{cohorts}, of preset {preset}.")
    if roles:
        for line in made_of(study.engine).in_words():
            say(line)
    for name in analyses_here(study)[1] if (study.root / "analyses").is_dir() else ():
        say(f"analyses/{name} came with it and does not run yet. Read it, then: tshdb trust")
    say(f"Next: cd {folder} && tshdb ingest FOLDER --collection NAME --guess   (or: tshdb ingest --help)")
    say("Then: tshdb plan                     what would be computed, and for how long")
    say("      tshdb rebuild && tshdb report   compute it, and see it on one page")
    if study.settings.study.analyses == ():
        say("It computes nothing yet. An analysis of yours: tshdb new analysis NAME; the manual: tshdb docs extending")


def status(study: StudyOption = None, as_json: JsonOption = False) -> None:
    """What the study holds: counts, cohorts, units by state, who is newly eligible.

    Example: tshdb status --json
    """
    from tshdb.corrections import in_words
    from tshdb.next_step import NOTHING_YET, without_analyses
    from tshdb.status import status as read_status
    from tshdb.study import Study, find_root

    facts = read_status(find_root(study))
    if as_json:
        out_json(facts)
        return
    counts = facts["counts"]
    out(
        f"Study {facts['study']}: {counts['patients']:,} patients, {counts['samples']:,} samples, "
        f"{counts['profiles']:,} profiles, {counts['examinations']:,} examinations, "
        f"{counts['follow_ups']:,} outcomes, {counts['conflicts']} conflicts"
        + (f", {counts['undecided']:,} values undecided (tshdb check)" if counts["undecided"] else "")
    )
    if facts["cohorts"]:
        rows = [
            (
                f"{c['cohort']}@{c['version']}" if c["mode"] == "frozen" else c["cohort"],
                c["mode"],
                c["n_members"],
                c["problem"] or _moves(c),
            )
            for c in facts["cohorts"]
        ]
        table(("cohort", "", "members", ""), rows, right=(2,))
    if facts["units"]:
        names = ("current", "failed", "blocked")
        rows = [(a, *(states.get(n, None) for n in names)) for a, states in facts["units"].items()]
        table(("analysis", *names), rows, right=(1, 2, 3))
    for damaged in facts["damaged"]:
        out(f"{damaged['n']:,} units of {damaged['analysis']} are {damaged['damage']}: tshdb check says what helps")
    for fit in facts["flagged_fits"]:
        rows = f": {', '.join(fit['rows'])}" if fit["rows"] else ""
        out(f"{fit['unit']}: {in_words(fit['corrections'])}{rows}.")
        out("It is not refitted silently: tshdb cohort freeze, or tshdb rebuild --refit")
    out(_disk(facts["disk"]))
    for held in facts["computing"]:
        out(f"Run {held['run_id']} on {held['host']} {_how_alive(held)} {held['n']:,} units of {held['analysis']}")
    if facts["trash"]["files"]:
        out(
            f"In the trash: {facts['trash']['files']:,} files, {_size(facts['trash']['bytes'])}: tshdb gc --empty-trash"
        )
    if facts["last_ingest"]:
        out(f"Last ingest {facts['last_ingest']['started_at']}: {facts['last_ingest']['command']}")
    if facts["last_rebuild"]:
        because = f", because of {b}" if (b := facts["last_rebuild"]["because"]) else ""
        out(f"Last rebuild {facts['last_rebuild']['started_at']}: run {facts['last_rebuild']['run_id']}, "
            f"{facts['last_rebuild']['state']}{because}")  # fmt: skip
    step = without_analyses(Study.find(study))
    if not counts["patients"]:
        out(NOTHING_YET)
    if counts["patients"] or step:
        out(step or "What is due: tshdb plan")


def _how_alive(held: dict) -> str:
    if held["is_alive"] is None:
        left = held["lease_seconds_left"]
        return "computes" if left > 0 else "has given no sign of life for minutes, and leaves to the next rebuild"
    return "computes" if held["is_alive"] else "has ended, and leaves to the next rebuild"


def _disk(disk: dict) -> str:
    """What the study takes on disk: the largest kinds of objects first."""
    from tshdb.disk import OTHERS

    kinds = sorted(disk["objects"].items(), key=lambda pair: -pair[1]["bytes"])
    words = [
        f"{kind} {_size(sizes['bytes'])}" + (" (of guests, or replaced: tshdb check)" if kind == OTHERS else "")
        for kind, sizes in kinds
    ]
    objects = sum(sizes["bytes"] for _, sizes in kinds)
    database = "" if disk["database"] is None else f"database {_size(disk['database'])}, "
    return f"On disk: {database}objects {_size(objects)}" + (f": {', '.join(words)}" if words else "")


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:,.1f} MB" if n_bytes < 100e6 else f"{n_bytes / 1e6:,.0f} MB"


def _moves(cohort: dict) -> str:
    moves = []
    if cohort["newly_eligible"]:
        moves.append(f"{cohort['newly_eligible']} newly eligible")
    if cohort["no_longer_eligible"]:
        moves.append(f"{cohort['no_longer_eligible']} no longer eligible")
    return ", ".join(moves)
