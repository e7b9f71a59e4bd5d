"""tshdb migrate: another program's database brought to this one, or told what that would do."""

from __future__ import annotations

import tempfile
from pathlib import Path
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
    import migrations
    from analyses import ANALYSES
    from tshdb import database
    from tshdb.engine.takeover import handed_over
    from tshdb.lock import study_lock
    from tshdb.study import Study, refuse_foreign, revision_of

    opened = Study.find(study)
    engine = database.create(opened.database_url)
    with study_lock(engine, opened.root):
        found = revision_of(engine)
        _refuse_newer(found, opened.root)
        if found is None and opened.sqlite_path is not None:
            refuse_foreign(engine, opened.root)
        if dry_run:
            facts = tried(opened, engine, found)
            out_json(facts) if as_json else show(facts)
            return
        if found == database.REVISION:
            say(f"The database is at revision {found} already.")
            return
        if opened.sqlite_path is not None and found is not None:
            say(f"Backup: {migrations.backup_sqlite(opened.sqlite_path)}")
        elif found is not None:
            say("PostgreSQL: the upgrade is one transaction; keep a pg_dump of your own.")
        migrations.upgrade(engine, handed=handed_over(opened, ANALYSES))
    say(f"Migrated from {found or 'an empty database'} to {database.REVISION}.")


def _refuse_newer(found: str | None, root: Path) -> None:
    from tshdb import database
    from tshdb.errors import InvalidInput

    if found is not None and found > database.REVISION:
        raise InvalidInput(
            f"the database has revision {found}, this program knows {database.REVISION}",
            where=str(root),
            repair="Install a newer tshdb; nothing was touched",
        )


def tried(opened, engine, found: str | None) -> dict[str, Any]:
    """What this program would do to the results of a study, which stays as it is."""
    import migrations
    from analyses import ANALYSES
    from tshdb import database
    from tshdb.engine.takeover import handed_over
    from tshdb.engine.upgrades import upgrade_facts
    from tshdb.engine.world import World

    facts: dict[str, Any] = {"revision": found, "revision_now": database.REVISION}

    def look(connection) -> None:
        facts.update(upgrade_facts(connection, World(ANALYSES, opened.settings)))

    if found == database.REVISION:
        with database.reading(engine) as connection:
            look(connection)
        return facts
    handed = handed_over(opened, ANALYSES) if found is not None else {}
    if opened.sqlite_path is None:
        migrations.tried(engine, handed, look)
        return facts
    with tempfile.TemporaryDirectory(prefix="tshdb-dry-run-") as folder:
        path = migrations.copied(opened.sqlite_path, Path(folder), "copy.db")
        copy = database.create(f"sqlite:///{path}")
        try:
            migrations.upgrade(copy, handed=handed)
            with database.reading(copy) as connection:
                look(connection)
        finally:
            copy.dispose()
    return facts


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
    if not facts["analyses"]:
        out("No result would be computed again because of the program.")
    out("Nothing was changed.")
