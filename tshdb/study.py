"""A study: the folder with study.toml, its database and its objects."""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

from tshdb import database
from tshdb.errors import InvalidInput, NotFound
from tshdb.places import SETTINGS_FILE, objects_folder, refuse_database_outside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Engine

    from tshdb.asking import Asking
    from tshdb.config import Settings
    from tshdb.kept_paths import KeptPaths
    from tshdb.objects import ObjectStore
    from tshdb.trash import Trash

T = TypeVar("T")


def find_root(path: str | os.PathLike | None = None) -> Path:
    """The study folder: `path`, else TSHDB_STUDY, else the nearest parent of the working folder with study.toml."""
    named = path or os.environ.get("TSHDB_STUDY")
    if named:
        root = Path(named).expanduser().resolve()
        if not (root / SETTINGS_FILE).is_file():
            raise NotFound(
                f"no {SETTINGS_FILE} there", where=str(root), repair=f"Name a study folder, or run: tshdb init {root}"
            )
        return root
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / SETTINGS_FILE).is_file():
            return folder
    raise NotFound(
        f"no study here: neither {here} nor a folder above it has a {SETTINGS_FILE}",
        repair="Run: tshdb init NAME, or name one with --study",
    )


class Study:
    """An open study, by its folder. Cheap to make: settings, database and objects are opened when they are first used."""

    _asking: Asking | None = None

    def __init__(self, root: str | os.PathLike):
        self.root = Path(root)
        self._made_once: dict[str, Any] = {}

    @classmethod
    def find(cls, path: str | os.PathLike | None = None) -> Study:
        return cls(find_root(path))

    @classmethod
    def here(cls, path: str | os.PathLike | None = None) -> Study | None:
        """As `find`; None where none is named and none is here."""
        try:
            return cls.find(path)
        except NotFound:
            if path is not None or os.environ.get("TSHDB_STUDY"):
                raise
            return None

    @cached_property
    def settings(self) -> Settings:
        from tshdb.config import Settings

        return Settings(self.root / SETTINGS_FILE)

    @property
    def name(self) -> str:
        return self.settings.study.name

    @cached_property
    def database_url(self) -> str:
        """The URL with a relative SQLite path made absolute. Raises InvalidInput for one that leads out of the study."""
        url = self.settings.study.database
        refuse_database_outside(url, str(self.settings.where("study", "database")), self.root)
        return absolute_url(self.root, url)

    @property
    def sqlite_path(self) -> Path | None:
        """The database file, or None for a server."""
        return database.sqlite_path(self.database_url)

    @cached_property
    def engine(self) -> Engine:
        """The database, after its revision was checked, and that no code of others is in it."""
        engine = self.unguarded_engine
        database.refuse_code(engine, self.root)
        return engine

    @cached_property
    def unguarded_engine(self) -> Engine:
        """The same, for the check and the repair of what `engine` refuses: nothing else may ask through it."""
        if self.sqlite_path is not None and not self.sqlite_path.is_file():
            raise NotFound(
                "the database does not exist", where=str(self.sqlite_path), repair="Restore it from a backup"
            )
        engine = database.create(self.database_url)
        check_revision(revision_of(engine), self.root)
        engine.update_execution_options(tshdb_home=self)  # where what cohorts gave is kept, and `expression` is
        return engine

    @cached_property
    def objects(self) -> ObjectStore:
        from tshdb.objects import ObjectStore
        from tshdb.variant_places import NamedObjects

        return ObjectStore(objects_folder(self.settings, self.root), NamedObjects(self.root))

    @cached_property
    def trash(self) -> Trash:
        """Where what nobody needs goes first."""
        from tshdb.trash import Trash

        return Trash(self.root)

    @cached_property
    def paths(self) -> KeptPaths:
        """How it keeps paths of files, and where they lead."""
        from tshdb.kept_paths import KeptPaths

        return KeptPaths(self.root, self.settings.privacy.paths == "hashed")

    @property
    def caches(self) -> Path:
        """The folder beside which what queries read is kept."""
        return self.root

    def sql(self, query: str, parameters: dict | None = None):
        """The rows of one SELECT over all tables and `expression`, as a pandas DataFrame. Read only."""
        from tshdb.query import run_query
        from tshdb.query_frames import frame_of

        if self._asking is not None:
            return frame_of(self._asking.answer(query, parameters or {}))
        return frame_of(run_query(self, query, parameters or {}))

    def sql_each(self, queries: Sequence[str]) -> list:
        """The rows of several SELECTs, a DataFrame each, of one state of the database."""
        from tshdb.query import run_queries
        from tshdb.query_frames import frame_of

        if self._asking is not None:
            return [frame_of(self._asking.answer(query, {})) for query in queries]
        return [frame_of(answer) for answer in run_queries(self, queries)]

    @contextmanager
    def asking(self) -> Iterator[None]:
        """SELECTs inside are answered by one process, of the state that the database has at the first of them: for many of them.

        A database on a server is asked as ever.
        """
        from tshdb.asking import Asking

        if self._asking is not None or self.sqlite_path is None:
            yield
            return
        self._asking = Asking(self)
        try:
            yield
        finally:
            asked, self._asking = self._asking, None
            self._made_once = {}
            asked.end()

    def once(self, what: str, make: Callable[[], T]) -> T:
        """What is the same as long as `asking` lasts is made once in it; outside of it, at each call."""
        if self._asking is None:
            return make()
        if what not in self._made_once:
            self._made_once[what] = make()
        return self._made_once[what]

    def cohort(self, name: str):
        """A cohort version (`name` is its newest, or `name@version`): members as an Index, flow as a DataFrame.

        Raises NotFound.
        """
        import pandas as pd

        from tshdb.cohorts.versions import find_version

        with database.reading(self.engine) as connection:
            version = find_version(connection, name)
        members = pd.Index(version.members, name="patient_id")
        steps = [step._asdict() | {"effect": step.effect.value} for step in version.flow]
        return SimpleNamespace(name=version.key, members=members, flow=pd.DataFrame(steps), sql=version.sql_text)

    def results(self, table: str, *, wide: bool = False):
        """A result table as a DataFrame. wide: one row a patient (profile, examination), one column a cell population (feature).

        Raises InvalidInput for a table that there is not.
        """
        from tshdb.errors import InvalidInput
        from tshdb.query import guest_columns_of
        from tshdb.sqltypes import table_columns
        from tshdb.views import VIEWS

        wides = {
            "tsh_ratios": "tsh_ratios_wide",
            "cell_abundances": "abundances_wide",
            "radiomic_features": "radiomic_features_wide",
            "map_features": "map_features_wide",
        }
        is_known = table in table_columns() or table in VIEWS or table in guest_columns_of(self)
        if not is_known or (wide and table not in wides):
            known = ", ".join(wides) if wide else "tshdb schema"
            raise InvalidInput(f"no table '{table}'" + (" that can be wide" if wide else ""), repair=f"See: {known}")
        is_of_features = wide and table in ("radiomic_features", "map_features")
        order = "study_uid" if is_of_features else "ALL"  # sorting by 572 columns takes memory
        return self.sql(f"SELECT * FROM {wides[table] if wide else table} ORDER BY {order}")


def absolute_url(root: Path, url: str) -> str:
    prefix = "sqlite:///"
    if url.startswith(prefix) and not url.startswith(prefix + "/"):
        return f"{prefix}{root / url.removeprefix(prefix)}"
    return url


def revision_of(engine: Engine) -> str | None:
    """The schema revision of a database; None for an empty one."""
    from sqlalchemy import inspect

    with database.reading(engine) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def refuse_foreign(engine: Engine, root: Path) -> None:
    """Raises InvalidInput for a database without a revision that holds tables: it is another program's."""
    from sqlalchemy import inspect

    with database.reading(engine) as connection:
        names = inspect(connection).get_table_names()
    if names:
        raise InvalidInput(
            f"the database is no study's: it has the table {sorted(names)[0]}, and no revision",
            where=str(root),
            repair="Name another one in study.toml: [study] database",
        )


def check_revision(revision: str | None, root: Path) -> None:
    """Raises InvalidInput unless the database has exactly this program's revision."""
    if revision == database.REVISION:
        return
    where = str(root)
    if revision is None:
        raise InvalidInput("the database is empty", where=where, repair="Run: tshdb migrate")
    if revision > database.REVISION:
        raise InvalidInput(
            f"the database has revision {revision}, this program knows {database.REVISION}",
            where=where,
            repair="Install a newer tshdb; nothing was touched",
        )
    raise InvalidInput(
        f"the database has revision {revision}, this program needs {database.REVISION}",
        where=where,
        repair="Run: tshdb migrate (it makes a backup first)",
    )
