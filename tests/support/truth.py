"""Whether what is said of rebuilds is true: a tiny study lives through changes, with a rebuild after each.

After each change: whatever a rebuild computed, failed on or found blocked had been announced, and what was certain was done;
every cause that is stated is what was changed; every flip of a group is told, with its cause. At the end of a history the
tables are those of a new study.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from analyses import ANALYSES
from tests.support import tiny, toys
from tests.support.life import Life
from tests.support.made_changes import Change, some_change
from tests.support.true_causes import Ledger
from tests.support.true_flips import Flips
from tests.support.true_plans import inputs_of, rebuilt, untrue
from tshdb.engine.analysis import Analysis
from tshdb.engine.chosen import select_analyses
from tshdb.engine.world import World
from tshdb.study import Study

CORE = (*tiny.CORE, toys.toy_fit, toys.toy_apply, toys.toy_last)
BEFORE_IMAGES = tuple(
    a for a in ANALYSES
    if ANALYSES.index(a) < next(i for i, b in enumerate(ANALYSES) if b.name == "series_roles") or a.name == "signature_labels"
)  # fmt: skip

WORLDS: dict[str, tuple[Analysis, ...]] = {"core": CORE, "before images": BEFORE_IMAGES, "all": ANALYSES}
STAYS = (
    "cohort/",
    "reference.",
)  # units that nobody retires: the members of a live cohort, a marker table that was read


class Step(NamedTuple):
    """Changes, and how the rebuild after them is asked for."""

    changes: tuple[Change, ...] = ()
    refit: bool = False
    names: tuple[str, ...] = ()


class Done(NamedTuple):
    """Changes that were made, in words, and how the rebuild after them is asked for."""

    said: tuple[str | None, ...]
    refit: bool
    names: tuple[str, ...]

    def __str__(self) -> str:
        asked = [*(["refit"] if self.refit else []), *self.names]
        return f"({'; '.join(map(str, self.said)) or 'nothing'}{f'; rebuild of {asked}' if asked else ''})"


def history(folder: Path, seed: int, n_changes: int, world: str) -> Iterator[str]:
    """What is wrong in one history of random changes, in words; each with the changes before it."""
    with Life(folder / "lived", WORLDS[world], seed) as life:
        where = f"{world}, seed {seed}"
        yield from (f"{where}, {complaint}" for complaint in lived(life, _by_chance(life, n_changes)))
        yield from (f"{where}, at the end: {complaint}" for complaint in unlike_a_new_one(life, folder / "anew"))


def example(folder: Path, world: str, steps: Iterable[Step]) -> Iterator[str]:
    """What is wrong in a history of chosen changes."""
    with Life(folder / "lived", WORLDS[world], seed=0) as life:
        yield from lived(life, (Done(tuple(c(life) for c in s.changes), s.refit, s.names) for s in steps))


def _by_chance(life: Life, n_changes: int) -> Iterator[Done]:
    """Changes are made when they are asked for."""
    for _ in range(n_changes):
        said = [some_change(life) for _ in range(life.chance.choice([0, 1, 1, 1, 1, 1, 1, 2]))]
        is_refit = life.chance.random() < 0.1
        some = life.chance.random() < 0.15
        names = [life.chance.choice(sorted(a.name for a in life.analyses))] if some else []
        yield Done(tuple(said), is_refit, tuple(names))


def lived(life: Life, steps: Iterable[Done]) -> Iterator[str]:
    """A study begins, and lives through the steps: what is wrong with what is said of each rebuild."""
    life.begin()
    ledger, flips = Ledger(life), Flips(life)
    yield from (f"at the beginning: {complaint}" for complaint in _rebuilt(life, ledger, flips))
    for number, done in enumerate(steps):
        for complaint in _rebuilt(life, ledger, flips, done.refit, done.names):
            yield f"step {number} {done}: {complaint}"


def _rebuilt(life: Life, ledger: Ledger, flips: Flips, refit: bool = False, names: Sequence[str] = ()) -> Iterator[str]:
    """One rebuild, and all that is wrong with it."""
    ledger.begin(select_analyses(World(life.analyses, Study(life.study.root).settings), names))
    run = rebuilt(life, refit, names)
    yield from untrue(life, run)
    yield from ledger.untrue(run, refit, inputs_of(life, run.plans))
    yield from flips.untrue(run.report.run_id, ledger.said)


def unlike_a_new_one(life: Life, folder: Path) -> Iterator[str]:
    """The tables in which the study is not the one that would be made at once of what is true now."""
    ours = _ending(life)
    other = life.anew(folder)
    theirs = _ending(other)
    other.study.engine.dispose()
    for table in theirs:
        ours[table] = [line for line in ours[table] if line in theirs[table] or not line.startswith(STAYS)]
        if ours[table] != theirs[table]:
            more, less = set(ours[table]) - set(theirs[table]), set(theirs[table]) - set(ours[table])
            yield f"{table} is not that of a new study: {sorted(more)[:2]} stand there, {sorted(less)[:2]} should"


def _ending(life: Life) -> dict[str, list[str]]:
    """All is settled, over the newest versions, whatever their number."""
    for name in sorted(life.frozen):
        if life.freeze(name) is None:
            life.define(name, tiny.LIVE_SQL)
            life.freeze(name)
    for _ in range(3):  # what the first finds damaged, the second makes again
        tiny.rebuild(life.study, life.analyses, refit=True)
    found = tiny.dump(life.study, superseded=False)
    return {t: sorted(re.sub(r"@\d+", "@n", line) for line in lines) for t, lines in found.items()}
