"""Promises about results in a study: whatever the order of files, the number of workers, a kill, a correction, a withdrawal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import select, update

from tshdb.actions import checking, withdrawing
from tshdb.database import reading, writing
from tshdb.engine.analysis import Kind
from tshdb.engine.planner import Planner
from tshdb.oath import results, trial_study
from tshdb.oath.promise import Promise
from tshdb.oath.request import ONE, Died, Request, ask
from tshdb.oath.trial_study import Trial
from tshdb.schema import ImagingInstance, ResultChange, Unit, UnitInput
from tshdb.study import Study
from tshdb.vocabulary import UnitState

KILLED = (-9, 137)  # by the signal; at a point where the program ends as if by it


def order(trial: Trial, stored: results.Results, folder: Path) -> Promise:
    """The same data, loaded from files in which everything stands in another order."""
    other = trial_study.same_with(trial, folder, trial.tables.shuffled())
    other.rebuild()
    came = results.of_study(other.study, other.analysis)
    what = (
        "when the last collection comes first"
        if trial.has_images
        else "from files whose rows and columns were shuffled"
    )
    if moved := results.differing(stored, came):
        return Promise(
            "order", False, f"{len(moved)} of {len(stored)} results differ {what}", (results.shown(stored, came),)
        )
    return Promise("order", True, f"the same {what}")


def workers(base: Trial, stored: results.Results, folder: Path) -> Promise:
    """Computed by two processes."""
    trial = base.copied(folder)
    report = trial.rebuild(jobs=2)
    came = results.of_study(trial.study, trial.analysis)
    if moved := results.differing(stored, came):
        failed = [m for by_key in report.failed.values() for m in by_key.values()]
        return Promise("workers", False, f"{len(moved)} of {len(stored)} results differ when two processes compute them",
                       tuple([results.shown(stored, came), *failed][:3]))  # fmt: skip
    return Promise("workers", True, "one and two processes give the same rows")


def kill(base: Trial, stored: results.Results, folder: Path, seconds: float, n_tasks: int) -> Promise:
    """Killed while units are computed, killed again while they are written, then left to end."""
    trial = base.copied(folder)
    options = {"root": str(trial.study.root), "name": trial.name, "batch": trial.batch, "seconds": seconds}
    writing = {"TSHDB_FAILPOINT": "rebuild.payload_written"}
    for at, environment in ((1 if n_tasks > 1 else 0, {}), (None, writing)):
        try:
            ask(Request(("killed",), options=options | {"at": at}), ONE, **environment)
        except Died as died:
            if died.code not in KILLED:
                return Promise("kill", False, "a rebuild of it ends by itself", (died.message,))
        else:
            return Promise("kill", None, "it was done before it could be killed")
    trial.rebuild()
    came = results.of_study(trial.study, trial.analysis)
    if moved := results.differing(stored, came):
        return Promise(
            "kill",
            False,
            f"{len(moved)} of {len(stored)} results differ after two kills",
            (results.shown(stored, came),),
        )
    return Promise(
        "kill",
        True,
        "killed twice, in the middle of a batch and of a commit; the next rebuild ended with the same rows",
    )


# ------------------------------------------------------------------------------------------------------------ correction


def correction(trial: Trial, stored: results.Results) -> Promise:
    """One patient's values corrected: the units that rest on them, and no other; and back."""
    name = "correction"
    analysis, refit = trial.analysis, trial.analysis.kind is Kind.FIT
    before = _ingested(trial.study)
    known = trial.tables.patients
    patients = (p for p in (known[0], known[-1]) if _resting(trial, _units_of(before, p), refit))
    with _corrected(trial, next(patients, known[0])):
        after = _ingested(trial.study)
        moved = {unit for unit in after if after[unit] != before.get(unit)}
        resting = _resting(trial, {after[unit][0] for unit in moved}, refit)
        due = _due(trial, refit)
        if due != resting:
            return Promise(name, False, f"{len(due)} units were due, and {len(resting)} rest on what was corrected",
                           tuple(sorted(due ^ resting)[:3]))  # fmt: skip
        trial.rebuild(refit=refit)
        came = results.of_study(trial.study, analysis)
        if unasked := set(results.differing(stored, came)) - resting:
            return Promise(
                name, False, f"{len(unasked)} units changed that do not rest on it", tuple(sorted(unasked)[:3])
            )
        untold = _untold(trial, stored, came)
        _forget(trial)
        trial.rebuild(refit=refit)
        afresh = results.of_study(trial.study, analysis)
    if missed := results.differing(came, afresh):
        return Promise(
            name,
            False,
            f"{len(missed)} units are not what they are when all is computed again",
            (results.shown(came, afresh),),
        )
    if untold:
        return Promise(name, False, f"changes of {', '.join(untold)} are not remembered, though they are tracked")
    trial.rebuild(refit=refit)
    back = results.of_study(trial.study, analysis)
    if moved_back := results.differing(stored, back):
        return Promise(
            name,
            False,
            f"{len(moved_back)} results are others after the value was put back",
            (results.shown(stored, back),),
        )
    if not resting:
        return Promise(name, None, "it rests on none of the values that can be corrected here")
    changed = len(results.differing(stored, came))
    return Promise(name, True, f"exactly the {len(resting)} of {len(stored)} units that rest on a corrected patient were due, "
                   f"{changed} changed; and back: as before")  # fmt: skip


@contextmanager
def _corrected(trial: Trial, patient: str) -> Iterator[None]:
    """The study with a correction inside, and without it after."""
    image = _image(trial.study) if trial.has_images else None
    content = image.read_bytes() if image is not None else b""
    if image is not None:
        middle = len(content) - len(content) // 4 * 2  # pixels of two bytes stand at the end
        image.write_bytes(content[:middle] + bytes([content[middle] ^ 0x3F]) + content[middle + 1 :])
    trial_study.load(trial, trial.tables.corrected(patient))
    try:
        yield
    finally:
        if image is not None:
            image.write_bytes(content)
        trial_study.load(trial, trial.tables)


def _image(study: Study) -> Path:
    """A file of the images that were loaded."""
    with reading(study.engine) as connection:
        paths = connection.execute(select(ImagingInstance.path).order_by(ImagingInstance.path)).scalars().all()
    return study.paths.at(paths[len(paths) // 2])


def _ingested(study: Study) -> dict[tuple[str, str], tuple[int, str | None]]:
    """(table, key) -> (unit, fingerprint), of what was loaded."""
    with reading(study.engine) as connection:
        query = select(Unit.analysis, Unit.key, Unit.unit_id, Unit.fingerprint).where(
            Unit.analysis.startswith("ingest."), Unit.state == UnitState.CURRENT
        )
        return {(a, k): (u, f) for a, k, u, f in connection.execute(query)}


def _units_of(ingested: Mapping[tuple[str, str], tuple[int, str | None]], patient: str) -> list[int]:
    """The units of a patient, by their keys."""
    return [unit for (_, key), (unit, _) in ingested.items() if patient in key]


def _resting(trial: Trial, units: Iterable[int], refit: bool) -> set[str]:
    """The keys of the analysis that rest on these units, as the recorded inputs say. A fit stands, unless it is refitted."""
    world = trial.world
    fits = {a.name for a in world.analyses if a.kind is Kind.FIT} if not refit else set()
    with reading(trial.study.engine) as connection:
        name_of = {u: (a, k) for u, a, k in connection.execute(select(Unit.unit_id, Unit.analysis, Unit.key))}
        readers: dict[int, list[int]] = {}
        for unit, read in connection.execute(select(UnitInput.unit_id, UnitInput.input_unit_id)):
            readers.setdefault(read, []).append(unit)
    seen: set[int] = set()
    waiting = list(units)
    while waiting:
        for unit in readers.get(waiting.pop(), ()):
            if unit not in seen and name_of[unit][0] not in fits:
                seen.add(unit)
                waiting.append(unit)
    return {name_of[unit][1] for unit in seen if name_of[unit][0] == trial.name}


def _due(trial: Trial, refit: bool) -> set[str]:
    """The keys that a plan names, certain and possible."""
    study, world = Study(trial.study.root), trial.world
    with reading(study.engine) as connection:
        return set(Planner(connection, world, refit=refit).plan(world.by_name[trial.name]).due)


def _forget(trial: Trial) -> None:
    """Have every unit of the analysis computed again, from what stands now."""
    with writing(trial.study.engine) as connection:
        of_it = (
            (Unit.analysis == trial.name) & (Unit.state == UnitState.CURRENT) & (Unit.key != trial.analysis.identity)
        )
        connection.execute(update(Unit).where(of_it).values(state=UnitState.FAILED, message="to be computed again"))


def _untold(trial: Trial, before: results.Results, after: results.Results) -> list[str]:
    """Tracked columns whose values changed, and of which no change was remembered."""
    keys = [c.name for c in trial.analysis.makes.__table__.primary_key if c.name != "unit_id"]
    moved = {
        column
        for unit in results.differing(before, after)
        for one, other in results.paired(before.get(unit, ()), after.get(unit, ()), keys)
        for column in trial.analysis.tracks
        if one.get(column) != other.get(column)
    }
    with reading(trial.study.engine) as connection:
        query = select(ResultChange.column_name).join(Unit, Unit.unit_id == ResultChange.unit_id)
        told = set(connection.execute(query.where(Unit.analysis == trial.name)).scalars())
    return sorted(moved - told)


# ------------------------------------------------------------------------------------------------------------ withdrawal


def withdrawal(trial: Trial) -> Promise:
    """A patient leaves: no row is hers any more, and the study is whole."""
    name = "withdrawal"
    with reading(trial.study.engine) as connection:
        patients = connection.exec_driver_sql("SELECT patient_id FROM patients ORDER BY patient_id").scalars().all()
    patient = next((p for p in trial.tables.patients[1:] if p in patients), patients[0])
    before = results.of_study(trial.study, trial.analysis)
    withdrawing.withdraw(Study(trial.study.root), patient, "the oath tries a withdrawal")
    trial.rebuild()
    came = results.of_study(trial.study, trial.analysis)
    named = [key for key, rows in came.items() if patient in key or any(patient in row for row in rows)]
    if named:
        return Promise(name, False, f"{len(named)} results still name the patient who was withdrawn", tuple(named[:3]))
    checked = checking.check(Study(trial.study.root))
    if not checked.is_whole:
        broken = [
            f"{b.rule.name}: {b.problems[0].where}: {b.problems[0].found}"
            for b in checked.broken
            if not b.rule.is_warning
        ]
        return Promise(name, False, "the study is not whole after a withdrawal", tuple(broken[:3]))
    had = sum(any(patient in row for row in rows) for rows in before.values())
    return Promise(
        name, True, f"no row is hers ({had} results named her before), and tshdb check finds the study whole"
    )
