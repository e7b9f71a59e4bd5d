"""A multiverse of a study: every combination of choices computed beside the study, and the curve of one result over all of them.

One copy of the study's database for each process serves its combinations, one after the other: what a combination has in common
with the one before is not computed again (`tshdb.actions.combinations`). Copies lie where a variant's would, so that a withdrawal
knows of them, and go at the end. Kept are estimates alone (`tshdb.multiverse.kept`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tshdb import multiverse_places
from tshdb import variant_places as places
from tshdb.actions.combinations import Specified, Wanted, Workers, computed
from tshdb.cohorts.states import CohortState, states
from tshdb.database import reading
from tshdb.engine.chosen import select_analyses
from tshdb.errors import InvalidInput, NotFound, TshdbError
from tshdb.failpoints import fp
from tshdb.guests.listing import Listing, listing_of
from tshdb.multiverse import found, kept
from tshdb.multiverse.asked import Asked, read
from tshdb.multiverse.curve import Curve, curve
from tshdb.multiverse.found import Found
from tshdb.multiverse.kept import Result
from tshdb.multiverse.origin import Origins
from tshdb.multiverse.permuted import CHOOSES, Exchanges, exchanges, why_not
from tshdb.near import did_you_mean
from tshdb.process import n_cores
from tshdb.variants.copies import backup, require_sqlite
from tshdb.variants.settings import VariantSettings

if TYPE_CHECKING:
    from tshdb.engine.world import World
    from tshdb.study import Study

Progress = Callable[..., None]
N_PERMUTATIONS = 200
MOST_PROCESSES, LEAST_EACH = 8, 6  # by default: each needs some 400 MB, and combinations enough to be worth its start
PREFIX = "multiverse-"  # of the folder in variants/ in which the copy lies meanwhile


@dataclass(frozen=True)
class Options:
    """n_permutations: exchanges of the outcomes, 0 for none; n_workers: combinations that are computed at once.

    n_workers None: one for each core, if each then has a few to compute; a process costs a start and a copy of the database.
    """

    n_permutations: int = N_PERMUTATIONS
    n_workers: int | None = 1

    def n_processes(self, n_combinations: int) -> int:
        """How many processes compute so many combinations."""
        if self.n_workers is None:
            return max(1, min(n_cores(), MOST_PROCESSES, n_combinations // LEAST_EACH))
        return max(1, min(self.n_workers, n_combinations))


@dataclass(frozen=True)
class Multiverse:
    """What a file asks for, held against the study. analysis: that makes the row; exchanges: None where outcomes stay.

    done: results of what is done already, by what they are made of; notes: what must be said of all.
    """

    asked: Asked
    listing: Listing
    analysis: str
    combinations: tuple[Specified, ...]
    exchanges: Exchanges | None
    data: str
    done: Mapping[str, Result]
    notes: tuple[str, ...]

    @property
    def pending(self) -> list[Specified]:
        """One combination for each result that is to be computed, those with the same beginning together."""
        left = {one.made_of: one for one in reversed(self.combinations) if not self._is_done(one.made_of)}
        return sorted(left.values(), key=_order(self.combinations, self.listing, self.analysis))

    def _is_done(self, made_of: str) -> bool:
        result = self.done.get(made_of)
        if result is None:
            return False
        if self.exchanges is None or result.estimate is None:
            return True
        had = result.permuted
        return (
            had is not None
            and had.of == self.exchanges.of
            and (had.refused is not None or len(had.estimates) >= self.exchanges.n)
        )

    @property
    def facts(self) -> dict[str, Any]:
        """Plain values, as `tshdb multiverse --plan --json` prints them."""
        return {
            "multiverse": self.asked.name,
            "combinations": len(self.combinations),
            "made_differently": len({one.made_of for one in self.combinations}),
            "to_compute": len(self.pending),
            "analysis": self.analysis,
            "permutations": 0 if self.exchanges is None else self.exchanges.n,
            "notes": list(self.notes),
        }


# ------------------------------------------------------------------------------------------------------------- asked


def plan(study: Study, path: Path, options: Options | None = None) -> Multiverse:
    """What a file asks for, and what of it is done. Writes nothing.

    Raises NotFound, and InvalidInput for a file, a choice or a combination that cannot be, before anything runs.
    """
    options = options or Options()
    require_sqlite(study)
    asked = read(path)
    listing = listing_of(study)
    base = listing.world(study.settings)
    row = _row(study, asked, base)
    analysis = row.analysis
    settings = list(_judged(study, asked, listing))
    notes: list[str] = []
    with reading(study.engine) as connection:
        _refuse_older(asked, row, states(connection))
        origins = Origins(connection, base, analysis)
        combinations = [Specified(labels, s, world, origins.of(world)) for labels, s, world in settings]
        chosen = None
        if options.n_permutations:
            reasons = (why_not(one.world, row, asked.followed.measure) for one in combinations)
            if why := next(filter(None, reasons), None):
                notes.append(why)
            else:
                names = {row.key.partition("@")[0]}
                if CHOOSES in origins.names:
                    names |= {name for one in combinations for name in one.world.cohorts_of(one.world.by_name[CHOOSES])}
                there = states(connection)
                cohorts = [there[name] for name in sorted(names) if name in there]
                chosen = exchanges(connection, cohorts, study.settings.study.seed, options.n_permutations)
    done = _done(folder_of(study, asked.name), origins.data)
    return Multiverse(asked, listing, analysis, tuple(combinations), chosen, origins.data, done, tuple(notes))


def _done(folder: Path, data: str) -> dict[str, Result]:
    """made_of -> what is kept of the data as they are."""
    return {made_of: result for made_of, result in kept.read(folder).items() if result.data == data}


def _row(study: Study, asked: Asked, world: World) -> Found:
    """The row as the study has it: it says which analysis makes it."""
    assert study.sqlite_path is not None
    _ = study.engine  # its revision is looked at, and that it is there
    followed = asked.followed
    if followed.analysis is not None and followed.analysis not in world.by_name:
        raise NotFound(
            f"no analysis '{followed.analysis}'", where=f"{asked.path}: [estimate] analysis",
            repair=did_you_mean(followed.analysis, world.by_name),
        )  # fmt: skip
    try:
        rows = found.rows_of(study.sqlite_path, followed)
        if not rows:
            raise NotFound(
                f"no row of {followed.table} is so in this study", where="[estimate] row",
                repair="Correct it, or compute it first: tshdb rebuild",
            )  # fmt: skip
        row = found.the_one(rows, followed)
    except TshdbError as error:
        raise type(error)(error.message, where=f"{asked.path}: {error.where}", repair=error.repair) from None
    if row.analysis not in world.by_name:
        raise NotFound(f"{row.analysis}, which makes this row, is not here", where=f"{asked.path}: [estimate] row")
    return row


def _refuse_older(asked: Asked, row: Found, there: Mapping[str, CohortState]) -> None:
    """Raises InvalidInput for an older version of a cohort: by no settings is it computed again."""
    name, version = str(asked.followed.row.get("cohort", "")).partition("@")[::2]
    if version and name in there and there[name].key != row.key:
        raise InvalidInput(
            f"{row.key} is not the newest version, and no other is computed again", where=f"{asked.path}: [estimate] row",
            repair=f'Write cohort = "{name}"',
        )  # fmt: skip


def _judged(study: Study, asked: Asked, listing: Listing) -> Iterator[tuple[tuple[str, ...], VariantSettings, World]]:
    """Every combination as study.toml would have it. Raises InvalidInput: each option is judged alone first."""
    for choice in asked.choices:
        for option in choice.options:
            _world(study, listing, option.values, f"{asked.path}: choice {choice.name} = {option.label}")
    for combination in asked.combinations():
        place = f"{asked.path}: {asked.words(combination.labels)}"
        yield (combination.labels, *_world(study, listing, combination.values, place))


def _world(study: Study, listing: Listing, values: dict[str, Any], place: str) -> tuple[VariantSettings, World]:
    settings = VariantSettings(study.root, values, place)
    return settings, listing.world(settings)


def _order(
    combinations: Sequence[Specified], listing: Listing, analysis: str
) -> Callable[[Specified], tuple[str, ...]]:
    """Those that have more of the way to the result in common come together: by the parameters on it, inputs first."""
    first = combinations[0].world
    names = [a.name for a in first.ordered({}) if a.name in select_analyses(first, [analysis])]

    def key(one: Specified) -> tuple[str, ...]:
        return tuple(one.world.parameters[name].model_dump_json() for name in names)

    return key


# ---------------------------------------------------------------------------------------------------------- computed


def run(study: Study, path: Path, options: Options | None = None, progress: Progress = lambda *_: None) -> Curve:
    """Compute all combinations that are not done, and give the curve of all. What is done when it is interrupted stays.

    Raises, before anything runs, what `plan` does; Busy.
    """
    options = options or Options()
    planned = plan(study, path, options)
    n_computed, done = 0, dict(planned.done)
    if planned.pending:
        folder = folder_of(study, planned.asked.name)
        with _work_folder(study, planned.asked.name) as work:
            planned = replace(planned, done=_done(folder, planned.data))  # another run may have been at it meanwhile
            done, pending, n_computed = dict(planned.done), planned.pending, len(planned.pending)
            kept.keep_only(folder, done.values())
            progress(planned.asked.name, 0, len(pending), "combinations")
            for number, result in enumerate(_results(study, planned, pending, work, options), 1):
                kept.append(folder, result)
                done[result.made_of] = result
                fp("multiverse.kept")
                progress(planned.asked.name, number, len(pending), "combinations")
    n = 0 if planned.exchanges is None else planned.exchanges.n
    results = [(one.labels, done[one.made_of]) for one in planned.combinations]
    return replace(curve(planned.asked, results, planned.notes, n), n_computed=n_computed)


def folder_of(study: Study, name: str) -> Path:
    """The folder in which results of a multiverse, and its picture, are kept."""
    return multiverse_places.folder_of(study.root, name)


def _results(
    study: Study, planned: Multiverse, pending: Sequence[Specified], work: Path, options: Options
) -> Iterator[Result]:
    """The results of combinations as they come; those of several processes in no order."""
    wanted = Wanted(planned.asked.followed, planned.analysis, planned.data, planned.exchanges)
    n_processes = options.n_processes(len(pending))
    copies = [work / places.COPY, *(work / f"{number}-{places.COPY}" for number in range(2, n_processes + 1))]
    for copy in copies:
        backup(study.sqlite_path, copy)
    if n_processes == 1:
        for one in pending:
            yield computed(study.root, planned.listing, wanted, one, copies[0], options.n_workers or 1)
        return
    workers = Workers(study.root, wanted, copies)
    try:
        yield from workers.results(pending)
    finally:
        workers.close()


@contextmanager
def _work_folder(study: Study, name: str) -> Iterator[Path]:
    """The folder of the copies in which combinations are computed. It goes when they are done, and what was left by a kill."""
    reserved = f"{PREFIX}{name}"
    with places.held(study.root, reserved) as folder:
        if (folder / places.SETTINGS).is_file():
            raise InvalidInput(
                f"a variant is named {reserved}",
                where=str(folder),
                repair="Drop it (tshdb variants drop), or name the file otherwise",
            )
        places.clear_work(folder)
        work = folder / places.WORK
        work.mkdir()
        try:
            yield work
        finally:
            places.remove(folder)
