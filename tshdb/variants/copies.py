"""A study as a variant has it: a copy of its database over which the variant's own units are laid.

A copy is made whole (SQLite's backup: one state of the study, which is read and never written) before it gets its name. Nothing
is kept of it: what a rebuild made is taken out again (`kept`), and what was only looked at goes.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from sqlalchemy.exc import DatabaseError

from tshdb.database import REVISION, reading, writing
from tshdb.engine.guests_declared import declare
from tshdb.engine.planner import Planner
from tshdb.engine.units import retire
from tshdb.errors import IntegrityError, InvalidInput, NotFound, TshdbError
from tshdb.failpoints import fp
from tshdb.guest_tables import object_columns
from tshdb.guests.listing import listing_of
from tshdb.objects import ObjectStore
from tshdb.optimism import note_labels
from tshdb.sqlite_files import to_read
from tshdb.study import Study
from tshdb.system import try_lock
from tshdb.variant_places import (
    COPY,
    DATABASE,
    EMPTIED,
    LOCK,
    SETTINGS,
    VIEW,
    WORK,
    clear_views,
    clear_work,
    folder_of,
    names_of,
)
from tshdb.variants import kept
from tshdb.variants.settings import VariantSettings, nearest, of_variant, shown

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tshdb.engine.plan import AnalysisPlan

BASE = "base.db"  # beside a copy: what it held as it came from the study


class AllNeeded:
    """Every object is the study's: from within a variant none is removed."""

    def may_need(self, digest: str) -> bool:
        return True


class VariantStudy(Study):
    """A study as a variant has it. Its files and objects are the study's; its database is the copy in `copy`."""

    def __init__(self, root: Path, settings: VariantSettings, copy: Path):
        super().__init__(root)
        self.settings = settings
        self.copy = copy

    @cached_property
    def database_url(self) -> str:
        return f"sqlite:///{self.copy.resolve()}"

    @cached_property
    def objects(self) -> ObjectStore:
        return ObjectStore(super().objects.root, AllNeeded())

    @property
    def caches(self) -> Path:
        """Beside the copy: it goes with it."""
        return self.copy.parent

    @cached_property
    def engine(self) -> Engine:
        engine = super().engine
        engine.update_execution_options(tshdb_home=SimpleNamespace(root=self.caches, objects=self.objects))
        return engine


@dataclass(frozen=True)
class Behind:
    """What a rebuild of a variant would do now: units that are due, that may become due, and that would be retired.

    n_shared: units of the study that it would leave as they are.
    """

    n_due: int
    n_possible: int
    n_gone: int
    n_shared: int

    @property
    def is_behind(self) -> bool:
        return bool(self.n_due or self.n_possible or self.n_gone)


def folder_of_variant(study: Study, name: str) -> Path:
    """The folder of a variant that there is. Raises NotFound, and InvalidInput for what cannot have variants."""
    require_sqlite(study)
    folder = folder_of(study.root, name)
    if not (folder / SETTINGS).is_file():
        raise NotFound(f"no variant '{name}'", repair=nearest(name, names_of(study.root)))
    return folder


def require_sqlite(study: Study) -> None:
    """Raises InvalidInput for a study on a server: a variant is laid over a copy of a SQLite file."""
    if study.sqlite_path is None:
        raise InvalidInput(
            "the study's database is a server, and variants are made of a SQLite file alone",
            where=f"{study.settings.where('study', 'database')}: [study] database",
            repair="For other settings, make a study of its own: tshdb init FOLDER",
        )


def has_results(folder: Path) -> bool:
    """Whether a variant has results that this program can read."""
    return why_without(folder) is None


def why_without(folder: Path) -> str | None:
    """Why a variant has no results, in words; None where it has."""
    if not (folder / DATABASE).is_file():
        if (folder / EMPTIED).is_file():
            return "a withdrawal took its results away"
        return "it was not computed yet"
    try:
        said = kept.info(folder / DATABASE)
    except sqlite3.Error as error:
        raise IntegrityError(
            f"the database of the variant cannot be read ({error})", where=str(folder / DATABASE),
            repair="Remove this file; tshdb rebuild --variant makes its results again",
        ) from None  # fmt: skip
    if said.get("form") != kept.FORM or said.get("revision") != REVISION:
        return f"its results are of revision {said.get('revision')}, and the study has {REVISION}"
    return None


# ------------------------------------------------------------------------------------------------------- copies


def make_copy(study: Study, folder: Path, into: Path, is_kept: bool) -> VariantStudy:
    """A copy of the study in the folder `into`, as the variant has it. is_kept: so that what is made there can be taken out."""
    settings = of_variant(study.root, folder)
    _ = study.engine  # its revision is looked at, and that it is there
    into.mkdir(exist_ok=True)
    written = into / f"{COPY}.writing"
    _without(written)
    backup(study.sqlite_path, written)
    if is_kept:
        kept.note_base(written, into / BASE)
    copied = VariantStudy(study.root, settings, written)
    try:
        if has_results(folder):
            _declare(copied, folder)
            kept.lay_over(written, folder / DATABASE)
        with writing(copied.engine) as connection:
            connection.exec_driver_sql("DELETE FROM leases")  # of who computes in the study
    finally:
        copied.engine.dispose()
    _settle(written)
    os.replace(written, into / COPY)
    return VariantStudy(study.root, settings, into / COPY)


def backup(source: Path | None, target: Path) -> None:
    """Copy a SQLite database that others may be writing: one state of it."""
    with (
        closing(sqlite3.connect(to_read(source), uri=True)) as read,
        closing(sqlite3.connect(target)) as made,
    ):
        read.backup(made)


def _declare(copied: VariantStudy, folder: Path) -> None:
    """Have the copy hold the tables of guests that the variant has rows in: its rebuild may have declared them first."""
    with kept.attached(copied.copy, own=folder / DATABASE) as raw:
        here = kept.payloads(raw)
        if {*kept.payloads(raw, "own")} - {"named"} <= here.keys():
            return
    listing = listing_of(copied)
    world = listing.world(copied.settings)
    with writing(copied.engine) as connection:
        declare(connection, [a for a in world.analyses if a.name not in world.stood_down], listing.origin)


def _settle(path: Path) -> None:
    """Write the log of a database into it, so that the file alone is all of it."""
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.execute("PRAGMA journal_mode = DELETE")


def _without(path: Path) -> None:
    for end in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + end).unlink(missing_ok=True)


# ----------------------------------------------------------------------------------------------------- rebuilding


@contextmanager
def working(study: Study, folder: Path) -> Iterator[VariantStudy]:
    """The copy in which a variant is rebuilt, under `variant_places.held`. What was committed there is kept, however it ends.

    A copy that was left by a rebuild that was killed gives what it has first.
    """
    if (folder / WORK / COPY).is_file():
        left = VariantStudy(study.root, of_variant(study.root, folder), folder / WORK / COPY)
        with suppress(
            TshdbError, DatabaseError, sqlite3.DatabaseError
        ):  # of an older revision, or damaged: computed anew
            save(study, left, folder)
    clear_work(folder)
    copied = make_copy(study, folder, folder / WORK, is_kept=True)
    fp("variants.copied")
    try:
        yield copied
    finally:
        copied.engine.dispose()
        save(study, copied, folder)
        clear_work(folder)


def save(study: Study, copied: VariantStudy, folder: Path) -> None:
    """Take the variant's units out of the copy: its new database is whole before it stands in the place of the old one."""
    base = copied.copy.with_name(BASE)
    if study.sqlite_path is None or not base.is_file():
        return
    objects: dict[str, dict[str, str]] = {}
    with reading(copied.engine) as connection:
        for table, column, suffix in object_columns(connection):
            objects.setdefault(table.name, {})[column] = suffix
    copied.engine.dispose()
    made = folder / f".{DATABASE}.writing"
    kept.take_out(copied.copy, base, study.sqlite_path, made, objects)
    fp("variants.written")
    os.replace(made, folder / DATABASE)
    (folder / EMPTIED).unlink(missing_ok=True)
    fp("variants.saved")


# -------------------------------------------------------------------------------------------------------- looking


@contextmanager
def looked_at(study: Study, name: str) -> Iterator[VariantStudy]:
    """The study as the variant has it, all that is due included: for plans. Raises NotFound."""
    folder = folder_of_variant(study, name)
    clear_views(folder)
    into = Path(tempfile.mkdtemp(prefix=VIEW, dir=folder))
    copied = None
    try:
        with (into / LOCK).open("a") as file:
            try_lock(file)
            copied = make_copy(study, folder, into, is_kept=False)
            yield copied
    finally:
        if copied is not None and "engine" in vars(copied):
            copied.engine.dispose()
        shutil.rmtree(into, ignore_errors=True)


@contextmanager
def viewed(study: Study, name: str) -> Iterator[tuple[VariantStudy, Behind]]:
    """The results of a variant, and how far it is behind. Raises NotFound for one without results.

    Of the study's results only those are there that a rebuild of the variant would leave as they are: a row that was made by
    other settings is never shown as the variant's. What the variant computed itself stays, as results of a study do that are due.
    """
    folder = folder_of_variant(study, name)
    if why := why_without(folder):
        raise NotFound(f"the variant {name} has no results: {why}", repair=f"Run: tshdb rebuild --variant {name}")
    with looked_at(study, name) as copied:
        behind = without_others(copied, folder)
        note_labels(copied)
        yield copied, behind


def without_others(copied: VariantStudy, folder: Path) -> Behind:
    """Take out of a copy the study's units that are due in the variant, or may become so. Gives how far it is behind."""
    world = listing_of(copied).world(copied.settings)
    with reading(copied.engine) as connection:
        planner = Planner(connection, world)
        plans = planner.all()
        own, others, n_shared = _own(folder), {}, 0
        for name, plan in plans.items():
            of_study = {k: unit for k, unit in planner.standing.ids(name).items() if (name, k) not in own}
            others[name] = [unit for key, unit in of_study.items() if key in plan.due or key in plan.gone]
            n_shared += len(of_study) - len(others[name])
    tables = {a.name: a.makes.__table__ for a in world.analyses}
    if any(others.values()):
        with writing(copied.engine) as connection:
            for name, units in others.items():
                if units:
                    retire(connection, units, tables[name])
    return behind_of(plans, n_shared)


def behind_of(plans: dict[str, AnalysisPlan], n_shared: int) -> Behind:
    """How far a study is behind by its plan."""
    n_due = sum(not due.is_possible for plan in plans.values() for due in plan.due.values())
    n_all = sum(len(plan.due) for plan in plans.values())
    return Behind(n_due, n_all - n_due, sum(len(plan.gone) for plan in plans.values()), n_shared)


def _own(folder: Path) -> set[tuple[str, str]]:
    """(analysis, key) of the units that are the variant's own."""
    with closing(sqlite3.connect(to_read(folder / DATABASE), uri=True)) as raw:
        return set(kept.rows(raw, "SELECT analysis, key FROM units"))


def words(name: str, copied: VariantStudy, behind: Behind) -> str:
    """What must be said beside whatever a variant shows."""
    said = f"variant {name}: {', '.join(shown(copied.settings.values)) or 'nothing is set'}"
    return said + (f"; {behind_words(name, behind)}" if behind.is_behind else "")


def behind_words(name: str, behind: Behind) -> str:
    """How far a variant is behind, and what helps."""
    parts = [f"{behind.n_due:,} due"] if behind.n_due else []
    parts += [f"{behind.n_possible:,} possible"] if behind.n_possible else []
    parts += [f"{behind.n_gone:,} to retire"] if behind.n_gone else []
    return f"behind the study ({', '.join(parts)} units). Run: tshdb rebuild --variant {name}"
