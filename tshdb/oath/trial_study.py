"""The study on which an analysis swears: made in a folder of its own, with the parameters of the study that was asked.

Numbers that say how often something is repeated are made small; cohorts are those of the study where its SQL gives
patients, else half of the patients each.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select

from tshdb import installed
from tshdb.actions import cohorts, collection, ingest
from tshdb.actions.making import make_study
from tshdb.database import reading
from tshdb.engine import homes
from tshdb.engine.analysis import Analysis, Input, Kind, Model, Need
from tshdb.engine.chosen import select_analyses
from tshdb.engine.costs.clock import Clock
from tshdb.engine.executor import Executor
from tshdb.engine.rebuild import Rebuild
from tshdb.engine.report import Report
from tshdb.engine.world import World
from tshdb.errors import InvalidInput, NotFound
from tshdb.guests.listing import listing_of
from tshdb.guests.trust import trust
from tshdb.loading import Loaded
from tshdb.oath import data
from tshdb.oath.trial_settings import FEATURES, small, toml
from tshdb.places import SETTINGS_FILE
from tshdb.schema import Cohort
from tshdb.study import Study
from tshdb.vocabulary import ExpressionUnit, Scale

IMAGES = ("imaging_series", "imaging_instances", "segmentations", "imaging_decisions", "lesion_verdicts")


@dataclass(frozen=True)
class Trial:
    """An analysis, and the study that it swears on.

    name: of the analysis.
    upstream: all that it rests on, by name.
    has_images: whether the data is simulated images, and not the tables.
    cohorts: name and SQL, in the order in which they were frozen.
    batch: the most keys that are computed in one call.
    """

    study: Study
    name: str
    upstream: tuple[str, ...]
    has_images: bool
    tables: data.Tables
    cohorts: tuple[tuple[str, str], ...] = ()
    batch: int = 4

    def at(self, study: Study) -> Trial:
        """The same trial on another study."""
        return replace(self, study=study)

    @property
    def analysis(self) -> Analysis:
        return self.world.by_name[self.name]

    @property
    def world(self) -> World:
        listing = listing_of(self.study)
        return World(listing.analyses, self.study.settings, absent=listing.absent_tables)

    def copied(self, folder: Path) -> Trial:
        """The same on a copy of the study."""
        self.study.engine.dispose()
        shutil.copytree(self.study.root, folder)
        return self.at(Study(folder))

    def rebuild(self, *names: str, jobs: int = 1, executor: Executor | None = None, refit: bool = False) -> Report:
        """Rebuild these analyses with all that they rest on, in small batches: what is lost between two is then seen."""
        return rebuild(self.study, names or (self.name,), self.batch, jobs, executor, refit)

    def rebuild_upstream(self) -> None:
        """Rebuild all that it rests on, and not itself."""
        if self.upstream:
            self.rebuild(*self.upstream)


def rebuild(
    study: Study, names: Iterable[str], batch: int, jobs: int = 1, executor: Executor | None = None, refit: bool = False
) -> Report:
    """As the command does, with batches of at most so many keys."""
    study = Study(study.root)
    listing = listing_of(study)
    small = tuple(replace(a, batch=min(batch, a.batch)) for a in listing.analyses)
    run = Rebuild(study, small, names=tuple(names), jobs=jobs, executor=executor, refit=refit, clock=Clock(),
                  absent=listing.absent_tables, origin_of=listing.origin)  # fmt: skip
    try:
        return run.run("tshdb check analysis")
    finally:
        study.engine.dispose()


def make(asked: Study, name: str, folder: Path) -> Trial:
    """The study, with data, cohorts, and everything that the analysis rests on; of itself nothing is computed.

    Raises NotFound for an analysis that there is not, or that may not run.
    """
    listing = listing_of(asked)
    world = World(listing.analyses, asked.settings, absent=listing.absent_tables)
    if name not in world.by_name and listing.untrusted:
        raise NotFound(
            f"no analysis '{name}' that may run", where="analyses/", repair="Let the study's own run: tshdb trust"
        )
    upstream = tuple(sorted(select_analyses(world, [name]) - {name}))
    has_images = _rests_on_images(world, name)
    study = _make_empty(asked, world, name, upstream, has_images, folder)
    trial = Trial(study, name, upstream, has_images, data.tables())
    load(trial, trial.tables)
    return replace(trial, cohorts=tuple(_define(asked, trial)))


def same_with(trial: Trial, folder: Path, tables: data.Tables) -> Trial:
    """The same study, made of other files."""
    other = trial.at(make_study(folder))
    for path in trial.study.root.iterdir():
        if path.is_file() and path.name not in ("study.db", "study.db-wal", "study.db-shm"):
            shutil.copy(path, folder / path.name)
    if (trial.study.root / homes.FOLDER).is_dir():
        shutil.copytree(trial.study.root / homes.FOLDER, folder / homes.FOLDER)
    other = trial.at(Study(folder))
    load(other, tables, is_backwards=True)
    for name, sql in trial.cohorts:
        other.rebuild_upstream()
        cohorts.define(other.study, name, sql)
        cohorts.freeze(other.study, name)
    other.rebuild_upstream()
    return other


# ---------------------------------------------------------------------------------------------------------- what it rests on


def _rests_on_images(world: World, name: str) -> bool:
    """Whether it computes nothing without images.

    For an entity, each input is needed that is neither optional nor one of several. Over a cohort an input may be empty, as
    long as another is not.
    """
    analysis = world.by_name[name]

    def rests(need: Input) -> bool:
        producer = world.producer(need)
        if producer in world.by_name:
            return _rests_on_images(world, producer)
        return producer.removeprefix("ingest.") in IMAGES

    models: list[Input] = [need for need in analysis.needs.values() if isinstance(need, Model)]
    rows: list[Input] = [need for need in analysis.needs.values() if isinstance(need, Need)]
    if analysis.over_cohort:
        return any(rests(need) for need in models) or bool(rows) and all(rests(need) for need in rows)
    return any(
        rests(need) for need in (*models, *rows) if not (isinstance(need, Need) and (need.optional or need.one_of))
    )


# ------------------------------------------------------------------------------------------------------------- settings


def _make_empty(
    asked: Study, world: World, name: str, upstream: Iterable[str], has_images: bool, folder: Path
) -> Study:
    study = make_study(folder)
    tables: dict[str, dict[str, Any]] = {
        "study": {"name": "oath", "seed": asked.settings.study.seed},
        "ingest": asked.settings.tables.get("ingest", {}),
        "replaces": dict(asked.settings.tables.get("replaces", {})),
    }
    if asked.settings.study.analyses is not None:
        tables["study"]["analyses"] = list(asked.settings.study.analyses)
    for each in (name, *upstream):
        analysis = world.by_name[each]
        tables[each] = small(analysis, world.parameters[each].model_dump(mode="json"), has_images)
    stands_for = world.by_name[name].replaces
    if stands_for is not None:
        tables["replaces"][stands_for] = name
    elif name in tables["replaces"]:
        del tables["replaces"][name]
    (study.root / SETTINGS_FILE).write_text(toml(tables), encoding="utf-8")
    settings = (
        *tables.values(),
        *(p.model_dump(mode="json") for p in world.parameters.values()),
    )  # of all that is listed
    for value in {v for table in settings for v in table.values() if isinstance(v, str)}:
        source = asked.root / value
        if value and not Path(value).is_absolute() and ".." not in Path(value).parts and source.is_file():
            (study.root / value).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, study.root / value)
    files = homes.read(asked.root)
    if files is not None and any(a.function.__module__.startswith(homes.PACKAGE) for a in world.analyses):
        for each, content in files.contents.items():
            target = study.root / homes.FOLDER / each
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        trust(files.digest, study.root, tuple(files.contents))
    return Study(study.root)


# -------------------------------------------------------------------------------------------------------- data and cohorts


def load(trial: Trial, tables: data.Tables, is_backwards: bool = False) -> None:
    """Load the files, as they are now; what they lack is gone. is_backwards: the last file or collection first."""
    study = Study(trial.study.root)
    try:
        if trial.has_images:
            _load_images(study, is_backwards)
        else:
            _load_tables(study, tables, is_backwards)
    finally:
        study.engine.dispose()


def _load_tables(study: Study, tables: data.Tables, is_backwards: bool) -> None:
    raw, of = study.root / "raw", data.COLLECTION
    tables.write(raw)
    how = ingest.Loading(complete=True)
    options = ingest.RnaOptions(ExpressionUnit.RSEM, Scale.LINEAR)
    steps: list[Callable[[], Loaded]] = [
        lambda: ingest.clinical(study, raw / "clinical.tsv", of, how=how),
        lambda: ingest.rna(study, raw / "expression.csv", of, options, how=how),
        lambda: ingest.features(study, raw / f"{FEATURES}.csv", of, how=how),
    ]
    for step in reversed(steps) if is_backwards else steps:
        loaded = step()
        if loaded.is_refused:
            raise InvalidInput(f"the oath's own data was refused: {loaded.errors[0].message}", where=str(loaded.what))


def _load_images(study: Study, is_backwards: bool) -> None:
    raw = study.root / "raw"
    if not raw.is_dir():
        installed.few_images()(raw)
    for folder in sorted((path for path in raw.iterdir() if path.is_dir()), reverse=is_backwards):
        for _ in collection.from_folder(study, folder.name, folder, collection.Wanted(jobs=1)):
            pass


def _define(asked: Study, trial: Trial) -> Iterator[tuple[str, str]]:
    """Define and freeze the cohorts that are named: those whose SQL gives patients here, one that fits name before the others.

    Gives their names and SQL.
    """
    world = trial.world
    needed = [world.by_name[n] for n in (*trial.upstream, trial.name)]
    of_fits = {c for a in needed if a.kind is Kind.FIT for c in world.cohorts_of(a)}
    named = [*sorted(of_fits), *sorted({c for a in needed for c in world.cohorts_of(a)} - of_fits)]
    with reading(asked.engine) as connection:
        defined = dict(connection.execute(select(Cohort.cohort, Cohort.sql_text)).fetchall())
    empty = []
    for name in named:
        file = asked.root / "cohorts" / f"{name}.sql"
        sql = defined.get(name) or (file.read_text(encoding="utf-8") if file.is_file() else None)
        trial.rebuild_upstream()
        if sql is None or not _can_be(trial.study, name, sql):
            empty.append(name)
            continue
        cohorts.freeze(trial.study, name)
        yield name, sql
    for name in empty:
        yield name, _freeze_some(trial, name, name in of_fits)
        trial.rebuild_upstream()
    trial.rebuild_upstream()


def _can_be(study: Study, name: str, sql: str) -> bool:
    """Define the cohort, if its SQL gives patients here."""
    try:
        return len(cohorts.define(study, name, sql).version.members) > 3
    except InvalidInput:
        return False


def _freeze_some(trial: Trial, name: str, is_for_fits: bool) -> str:
    """Freeze a cohort of whom there is: those with pairs for fits, else those without who are in no cohort. Gives the SQL."""
    pairs = "(SELECT patient_id FROM samples WHERE compartment = 'stroma')"
    whole = "SELECT patient_id FROM imaging_studies" if trial.has_images else "SELECT patient_id FROM patients"
    left = f"{whole} WHERE patient_id NOT IN {pairs}"
    free = f"{left} AND patient_id NOT IN (SELECT patient_id FROM cohort_members)"
    first = whole if trial.has_images else f"{whole} WHERE patient_id IN {pairs}" if is_for_fits else free
    for sql in (first, free, left, whole):
        if not _can_be(trial.study, name, sql):
            continue
        try:
            cohorts.freeze(trial.study, name)
        except InvalidInput:  # another cohort says that nobody may be in both
            continue
        return sql
    raise InvalidInput(f"no patients are left for the cohort {name}", where="tshdb check analysis")
