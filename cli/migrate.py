"""tshdb migrate: another program's database brought to this one, or told what that would do."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.console import counted, out, out_json, say
from cli.options import JsonOption, StudyOption


def add_to(app: typer.Typer) -> None:
    app.command()(migrate)


def migrate(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing: say what this program would compute again, and why.")
    ] = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring the database to this program's revision, after a verified backup.

    With --dry-run it is tried on a copy (PostgreSQL: in a transaction that is rolled back).

    Example: tshdb migrate --dry-run
    """
    from tshdb.actions import migrating
    from tshdb.study import Study

    opened = Study.find(study)
    if dry_run:
        facts = migrating.try_migration(opened)
        out_json(facts) if as_json else show(facts)
        return
    if opened.sqlite_path is None:
        say("PostgreSQL: the upgrade is one transaction; keep a pg_dump of your own.")
    done = migrating.migrate(opened)
    if not done.was_altered:
        say(f"The database is at revision {done.now} already.")
        return
    if done.backup is not None:
        say(f"Backup: {done.backup}")
    say(f"Migrated from {done.before or 'an empty database'} to {done.now}.")
    for line in cohorts_in_words([cohort.facts() for cohort in done.cohorts]):
        say(line)


def cohorts_in_words(cohorts: list[dict[str, Any]]) -> list[str]:
    """Whose members differ, a line each, under what is common to them."""
    lines = []
    for cohort in cohorts:
        moved = [
            f"{counted(len(patients), 'patient')} {what} (such as {patients[0]})"
            for what, patients in (("more", cohort["came"]), ("fewer", cohort["left"]))
            if patients
        ]
        said = f"it has no answer now: {cohort['problem']}" if cohort["problem"] else ", ".join(moved)
        frozen = "; its versions keep their members" if cohort["mode"] == "frozen" else ""
        lines.append(f"  {cohort['cohort']} ({cohort['mode']}): {said}{frozen}")
    if not lines:
        return []
    return [
        "A cohort's SQL is that of tshdb sql now, on every database: names in double quotes are columns, LIKE tells capital "
        "from small letters, / divides fully, a text beside a number must be one. By it these cohorts differ:",
        *lines,
        "Look at their SQL: tshdb cohort show NAME",
    ]


def show(facts: dict[str, Any]) -> None:
    """The answer for a person."""
    before = (
        f"by tshdb {', '.join(facts['computed_by'])}" if facts["computed_by"] else "by a program that was not recorded"
    )
    if facts["revision"] == facts["revision_now"]:
        out(f"The database is at revision {facts['revision']} already.")
    else:
        out(f"The database would go from revision {facts['revision'] or 'none'} to {facts['revision_now']}.")
    out(f"Results were computed {before}; this is tshdb {facts['program']}.")
    for analysis in facts["analyses"]:
        name, due, of = analysis["analysis"], analysis["due"], analysis["of"]
        out(f"{name} is computed otherwise: {due:,} of its {counted(of, 'result')} would be made again")
        for cause in analysis["causes"]:
            out(f"  {cause['says']}")
    for name, n in facts["follow"].items():
        out(f"{name}: {counted(n, 'result')} may follow")
    for name, n in facts["otherwise"].items():
        out(f"{name}: {counted(n, 'result')} due for other reasons: tshdb plan, once it is migrated")
    for line in cohorts_in_words(facts["cohorts"]):
        out(line)
    if not facts["analyses"]:
        out("No result would be computed again because of the program.")
    out("Nothing was changed.")
