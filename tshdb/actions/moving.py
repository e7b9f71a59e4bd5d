"""Carry a study's database to another one: SQLite to PostgreSQL, back, or to another file.

All rows go in one transaction of the target, proved equal (`tshdb.actions.carrying`).
Then study.toml names the new database, in one step: whatever happens before, the study
uses the former one. Objects stay where they are. The former database stays, and is named.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import inspect, select

from tshdb import database, multiverse_places, variant_places
from tshdb.actions.carrying import carry_all, refuse_unknown
from tshdb.actions.making import Beginning, with_own
from tshdb.actions.move_begun import Begun
from tshdb.carried import Dumped, whole_digest
from tshdb.errors import Busy, InvalidInput
from tshdb.failpoints import fp
from tshdb.files import complete
from tshdb.lock import study_lock
from tshdb.places import mark_database_folder, refuse_database_outside
from tshdb.process import is_alive, machine
from tshdb.roles import Made, make_roles, require_owner
from tshdb.schema import Lease, Run
from tshdb.shown_addresses import without_secrets
from tshdb.study import Study, absolute_url
from tshdb.vocabulary import RunState

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine


class Moved(NamedTuple):
    """before, now: the databases, without passwords; tables: name -> what was carried, the same on both sides.

    left: variants and multiverses with results; they are of SQLite alone, and stay where they are.
    roles: that were made.
    """

    before: str
    now: str
    tables: dict[str, Dumped]
    left: list[str]
    roles: Made | None

    @property
    def facts(self) -> dict[str, Any]:
        """Plain values, as `tshdb move --json` prints them."""
        tables = [{"table": name, **held._asdict()} for name, held in self.tables.items()]
        return {"before": self.before, "database": self.now, "tables": tables, "left": self.left} | (
            self.roles.facts if self.roles else {}
        )


def move(study: Study, url: str, has_roles: bool = False) -> Moved:
    """Carry the database to `url` and let study.toml name it. Gives what was carried. has_roles: make the roles of a team there.

    Raises InvalidInput for a target that is not empty, or that cannot be a study's; Busy while a rebuild runs; IntegrityError
    where what arrived is not what was sent, and then nothing has changed.
    """
    url = url.replace("\\", "/")
    mark_database_folder(url, study.root)
    refuse_database_outside(url, "--to", study.root)
    whole = absolute_url(study.root, url)
    source = study.engine
    _refuse_same(study, whole)
    require_owner(source, "tshdb move")
    settings = study.settings
    text = with_own(Beginning(settings.path, settings.text, {}), study.name, url)
    # nobody ingests, nobody writes meanwhile; what is read is one state
    with study_lock(source, study.root), database.writing(source) as held:
        _refuse_running(held)
        begun = Begun(study.root, whole)
        target = _opened(whole, begun)
        try:
            roles = make_roles(target) if has_roles else None
            with database.reading(source) as connection:
                refuse_unknown(connection)
                tables = carry_all(connection, target, lambda there, held: begun.note(there, whole_digest(held)))
        finally:
            target.dispose()
        fp("move.carried")
        _write(settings.path, text)
        fp("move.named")
        begun.forget()
    left = [f"variants/{name}" for name in variant_places.names_of(study.root)]
    left += [f"multiverse/{name}" for name in multiverse_places.with_results(study.root)]
    return Moved(without_secrets(study.database_url), without_secrets(whole), tables, left, roles)


def _refuse_same(study: Study, whole: str) -> None:
    one, other = study.sqlite_path, database.sqlite_path(whole)
    if one is None or other is None:
        is_same = study.database_url == whole
    else:
        is_same = one.resolve() == other.resolve()
    if is_same:
        raise InvalidInput("the study is there already", where="--to", repair="Name another database")


def _opened(whole: str, begun: Begun) -> Engine:
    """The target. Raises InvalidInput for one that holds anything, or a file in a folder that is not there.

    What a move left that was killed between its last two steps, and nobody has used, is taken away: it begins anew.
    """
    path = database.sqlite_path(whole)
    shown = without_secrets(whole)
    if path is not None and not path.parent.is_dir():
        raise InvalidInput("there is no such folder", where=str(path.parent), repair="Make it, or name another file")
    engine = database.create(whole)
    begun.clear(engine)
    with database.reading(engine) as connection:
        found = inspect(connection)
        names = sorted([*found.get_table_names(), *found.get_view_names()])
        has_utf8 = (
            engine.dialect.name == "sqlite" or connection.exec_driver_sql("SHOW server_encoding").scalar() == "UTF8"
        )
    if names:
        raise InvalidInput(
            f"the database is not empty: it has {names[0]}" + (f" and {len(names) - 1} more" if len(names) > 1 else ""),
            where=shown, repair="Name an empty one, or a file that is not there: nothing is ever overwritten",
        )  # fmt: skip
    if not has_utf8:
        raise InvalidInput("its encoding is not UTF8", where=shown, repair="CREATE DATABASE … ENCODING 'UTF8'")
    return engine


def _refuse_running(connection: Connection) -> None:
    """Raises Busy while a rebuild computes: it would go on in the former database."""
    alive = {
        lease.token
        for lease in connection.execute(select(Lease.token, Lease.expires_at))
        if lease.expires_at > time.time()
    }
    running = select(Run.run_id, Run.host, Run.process).where(Run.state == RunState.RUNNING)
    for run_id, host, process in connection.execute(running):
        if is_alive(process) if host == machine() else run_id in alive:
            raise Busy(f"run {run_id} on {host} computes", where="move", repair="Wait for it to end, then try again")


def _write(path: Path, text: str) -> None:
    """study.toml, whole or as it was, also when the machine goes down."""
    with complete(path) as written:
        written.write_text(text, encoding="utf-8")
        shutil.copymode(path, written)
        with written.open("rb") as file:
            os.fsync(file.fileno())
