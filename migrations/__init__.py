"""The schema's history. `upgrade` brings a database to this program's revision, after a verified backup."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tshdb.database_copies import copy_database

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection, Engine


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


def head() -> str:
    """The newest revision that this program knows."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config()).get_current_head()


def upgrade(
    engine: Engine,
    revision: str = "head",
    handed: dict[str, Any] | None = None,
    then: Callable[[Connection], None] = lambda _: None,
) -> None:
    """Bring the database behind `engine` to `revision`, in one transaction.

    handed: what revisions must know of the study and its analyses (`tshdb.engine.takeover`); an empty database needs none.
    then: what else belongs into that transaction.
    """
    _run(engine, "upgrade", revision, handed or {}, then)


def through_revisions(engine: Engine) -> None:
    """Bring an empty database to the newest revision by all that come before it, one after the other."""
    _run(engine, "upgrade", "heads", {})


class _Tried(Exception):
    """The upgrade was tried, and is to be rolled back."""


def tried(engine: Engine, handed: dict[str, Any], then: Callable[[Connection], None]) -> None:
    """Upgrade in a transaction, look at what came of it (`then`), and roll it all back. PostgreSQL alone can do so."""

    def look(connection: Connection) -> None:
        then(connection)
        raise _Tried

    with suppress(_Tried):
        _run(engine, "upgrade", "head", handed, look)


def copied(path: Path, folder: Path, name: str) -> Path:
    """A verified copy of a SQLite database in a folder. It has its name only when it is whole."""
    return copy_database(path, folder / name)


def downgrade(engine: Engine, revision: str) -> None:
    """Bring the database back to an older revision, in one transaction."""
    _run(engine, "downgrade", revision, {})


def _run(engine: Engine, command: str, revision: str, handed: dict[str, Any], then=lambda connection: None) -> None:
    from migrations import newest
    from tshdb.database import altering
    from tshdb.roles import act_as_owner, renew

    with altering(engine) as connection:
        act_as_owner(connection, "a change of the study's tables")
        if not (revision == "head" and newest.begin(connection)):
            _revise(connection, command, revision, handed)
        renew(connection)
        then(connection)


def _revise(connection: Connection, command: str, revision: str, handed: dict[str, Any]) -> None:
    from alembic import command as commands

    config = _config()
    config.attributes["connection"] = connection
    config.attributes["handed"] = handed
    getattr(commands, command)(config, revision)


def backup_sqlite(path: Path) -> Path:
    """A verified copy of a SQLite database beside it."""
    return copied(path, path.parent, f"{path.stem}.backup-{datetime.now(UTC):%Y%m%dT%H%M%S%f}{path.suffix}")
