"""Bring another program's database to this one's revision, or say what that would do."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

from tshdb import database, installed
from tshdb.cohorts.former import REVISION as BEFORE
from tshdb.cohorts.former import Differing, differing
from tshdb.engine.takeover import handed_over, upstream_now
from tshdb.engine.upgrades import upgrade_facts
from tshdb.errors import InvalidInput
from tshdb.files import temporary_folder
from tshdb.guests.listing import analyses_here, world_in
from tshdb.library_sizes import library_sizes
from tshdb.loading.again import dates_of_sources, reconcile_again
from tshdb.lock import study_lock
from tshdb.roles import require_owner
from tshdb.study import refuse_foreign, revision_of

DATED = "0016"  # the first by which sources' dates decide, and not their names

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from tshdb.study import Study


class Migrated(NamedTuple):
    """before: the revision that was found, None for an empty database; backup: of a SQLite database that was altered.

    cohorts: those whose definitions give others now, by the SQL of `tshdb sql`.
    """

    before: str | None
    now: str
    backup: Path | None
    cohorts: tuple[Differing, ...] = ()

    @property
    def was_altered(self) -> bool:
        return self.before != self.now


def migrate(study: Study) -> Migrated:
    """Bring the database to this program's revision, after a verified backup of a SQLite file.

    PostgreSQL: one transaction, and no backup. Raises InvalidInput for a newer database, or another program's.
    """
    engine = database.create(study.database_url)
    require_owner(engine, "tshdb migrate")
    with study_lock(engine, study.root):
        revision = _checked_revision(study, engine)
        if revision == database.REVISION:
            return Migrated(revision, revision, None)
        has_file = study.sqlite_path is not None and revision is not None
        backup = installed.migrations().backup_sqlite(study.sqlite_path) if has_file else None
        installed.migrations().upgrade(engine, handed=_handed(study, engine, revision))
        with database.writing(engine) as connection:
            _reconcile_again(study, connection, revision)
        engine.update_execution_options(tshdb_home=study)
        with database.reading(engine) as connection:
            cohorts = _differing(connection, revision)
    return Migrated(revision, database.REVISION, backup, tuple(cohorts))


def try_migration(study: Study) -> dict[str, Any]:
    """What this program would do to the results of a study, which stays as it is: by a copy, or a transaction rolled back."""
    engine = database.create(study.database_url)
    require_owner(engine, "tshdb migrate --dry-run")
    with study_lock(engine, study.root):
        revision = _checked_revision(study, engine)
        return {"revision": revision, "revision_now": database.REVISION, **_tried(study, engine, revision)}


def _checked_revision(study: Study, engine: Engine) -> str | None:
    revision = revision_of(engine)
    if revision is not None and revision > database.REVISION:
        raise InvalidInput(
            f"the database has revision {revision}, this program knows {database.REVISION}",
            where=str(study.root),
            repair="Install a newer tshdb; nothing was touched",
        )
    if revision is None and study.sqlite_path is not None:
        refuse_foreign(engine, study.root)
    database.refuse_code(engine, study.root)
    return revision


def _handed(study: Study, engine: Engine, revision: str | None) -> dict[str, Any]:
    """What revisions must know of the study: its analyses (0011, 0014), library sizes of counts (0014), dates (0016)."""
    if revision is None or revision >= DATED:
        return {}
    handed: dict[str, Any] = {"dates": dates_of_sources(engine)}
    if revision >= "0014":
        return handed
    analyses = analyses_here(study)[0]
    handed |= handed_over(study, analyses) if revision < "0011" else {}
    return handed | {"library_sizes": library_sizes(study), "upstream": upstream_now(study, analyses)}


def _reconcile_again(study: Study, connection: Connection, revision: str | None) -> None:
    """Rows of a study in which a source's name decided."""
    if revision is not None and revision < DATED:
        reconcile_again(connection, study.objects, "tshdb migrate")


def _differing(connection: Connection, revision: str | None) -> list[Differing]:
    """The cohorts whose members differ from those that the database gave them, of a study older than that."""
    return differing(connection) if revision is not None and revision < BEFORE else []


def _tried(study: Study, engine: Engine, revision: str | None) -> dict[str, Any]:
    with temporary_folder("tshdb-dry-run-") as folder:
        # what cohorts give is kept there, not in the study
        engine.update_execution_options(tshdb_home=SimpleNamespace(root=folder, objects=study.objects))
        return _tried_in(folder, study, engine, revision)


def _tried_in(folder: Path, study: Study, engine: Engine, revision: str | None) -> dict[str, Any]:
    facts: dict[str, Any] = {}

    def look(connection: Connection) -> None:
        facts.update(upgrade_facts(connection, world_in(study, connection)))
        facts["cohorts"] = [cohort.facts() for cohort in _differing(connection, revision)]

    if revision == database.REVISION:
        with database.reading(engine) as connection:
            look(connection)
        return facts
    migrations = installed.migrations()
    handed = _handed(study, engine, revision)
    if study.sqlite_path is None:

        def look_at_postgresql(connection: Connection) -> None:
            _reconcile_again(study, connection, revision)
            look(connection)

        migrations.tried(engine, handed, look_at_postgresql)
        return facts
    path = migrations.copied(study.sqlite_path, folder, "copy.db")
    copy = database.create(f"sqlite:///{path}").execution_options(**engine.get_execution_options())
    try:
        migrations.upgrade(copy, handed=handed)
        with database.writing(copy) as connection:
            _reconcile_again(study, connection, revision)
        with database.reading(copy) as connection:
            look(connection)
    finally:
        copy.dispose()
    return facts
