"""What a move of the database has begun, so that the next one can begin anew where it was killed.

Between the commit in the target and the new line in study.toml the target is full, and no study's. The move has noted in the
study's folder which database that is, a token that the target bears, and the digest of what it holds. A target that bears the
token and holds exactly that has been used by nobody, and may be emptied; any other is refused as not empty.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import MetaData, Table, inspect
from sqlalchemy.schema import DropTable

from tshdb import database, guest_tables
from tshdb.carried import dumped, whole_digest
from tshdb.files import complete
from tshdb.schema import TableVersion
from tshdb.shown_addresses import without_secrets

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

FILE = ".tshdb.move"


class Begun:
    """A move of the study in `root` to `url`."""

    def __init__(self, root: Path, url: str):
        self.path, self.url = root / FILE, without_secrets(url)

    def note(self, connection: Connection, held: str) -> None:
        """Mark the target, and write down what it holds. Inside of the transaction that fills it."""
        token = secrets.randbits(31)
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(f"PRAGMA user_version = {token}")
        else:
            connection.exec_driver_sql(f"COMMENT ON TABLE alembic_version IS 'tshdb move {token}'")
        with complete(self.path) as written:
            written.write_text(json.dumps({"database": self.url, "token": token, "digest": held}), encoding="utf-8")

    def clear(self, engine: Engine) -> None:
        """Empty the target, if it is the one that a killed move has filled and nobody has touched."""
        if not self._is_ours(engine):
            return
        with database.altering(engine) as connection:
            tables = guest_tables.tables_of(connection)
            for name in [*(table.name for table in reversed(tables)), "alembic_version"]:
                connection.execute(DropTable(Table(name, MetaData())))

    def _is_ours(self, engine: Engine) -> bool:
        try:
            noted = json.loads(self.path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return False
        if not isinstance(noted, dict) or noted.get("database") != self.url:
            return False
        with database.reading(engine) as connection:
            if not inspect(connection).has_table("alembic_version") or _token(connection) != noted.get("token"):
                return False
            tables = [t for t in guest_tables.tables_of(connection) if t.name != TableVersion.__tablename__]
            return whole_digest({t.name: dumped(connection, t) for t in tables}) == noted.get("digest")

    def forget(self) -> None:
        """The study uses the target now."""
        self.path.unlink(missing_ok=True)


def _token(connection: Connection) -> int | None:
    """The token of the move that filled a database."""
    if connection.dialect.name == "sqlite":
        return connection.exec_driver_sql("PRAGMA user_version").scalar()
    said = connection.exec_driver_sql("SELECT obj_description('alembic_version'::regclass)").scalar() or ""
    last = said.rpartition(" ")[2]
    return int(last) if last.isdecimal() else None
