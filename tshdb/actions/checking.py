"""Does everything that a study promises still hold? And mend what can be mended without losing anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tshdb.checking import OF_OBJECTS, Broken, Context, broken_in, mend
from tshdb.checking import check as broken_rules
from tshdb.database import reading, writing
from tshdb.engine.damage import digests_taken_over
from tshdb.engine.running import running
from tshdb.folders import Progress, silent
from tshdb.guests.listing import listing_in
from tshdb.lock import study_lock
from tshdb.origins import Origins
from tshdb.roles import require_owner

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tshdb.origins import LoadedSource
    from tshdb.study import Study

ReadAgain = Callable[["Study", Sequence["LoadedSource"]], Sequence["LoadedSource"]]


@dataclass(frozen=True)
class Checked:
    """What a check found, and what a repair did.

    broken: the rules that do not hold, with their problems.
    taken_over: day -> digests that were made later than results.
    mended: after a repair, rules with what was mended or marked as lost.
    read_again: after a repair, sources that were read once more.
    trash: files and bytes that lie in it.
    waits: why a repair left objects where they are.
    """

    broken: Sequence[Broken]
    taken_over: dict[str, int]
    mended: Sequence[Broken] = field(default_factory=tuple)
    read_again: Sequence[LoadedSource] = field(default_factory=tuple)
    trash: dict[str, int] = field(default_factory=dict)
    waits: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether no rule is broken but those that are warnings."""
        return all(broken.rule.is_warning for broken in self.broken)

    @property
    def facts(self) -> dict[str, Any]:
        """Plain values, as `tshdb check --json` prints them."""
        return {
            "broken": [_facts(b) for b in self.broken],
            "mended": [_facts(b) for b in self.mended if not b.rule.marks],
            "marked": [_facts(b) for b in self.mended if b.rule.marks],
            "read_again": [str(source) for source in self.read_again],
            "digests_taken_over": self.taken_over,
            "trash": self.trash,
            "waits": self.waits,
            "is_whole": self.is_whole,
        }

    def _repr_html_(self) -> str:
        import pandas as pd

        if not self.broken:
            return "<p>Everything that was looked at holds.</p>"
        rows = [(b.rule.name, b.rule.meaning, len(b.problems), b.problems[0].where) for b in self.broken]
        return pd.DataFrame(rows, columns=["rule", "it is not so that", "problems", "such as"]).to_html(index=False)


def check(study: Study, *, full: bool = True, progress: Progress = silent) -> Checked:
    """Look at every promise of a study. full: all bytes and all rows, not samples."""
    with reading(study.unguarded_engine) as connection:
        if code := broken_in(Context(study, connection, ()), "database.code"):
            return Checked(code, {}, trash=study.trash.held())
    with reading(study.engine) as connection:
        broken = broken_rules(context_of(study, connection), full=full, progress=progress)
    with reading(study.engine) as connection:
        taken_over = digests_taken_over(connection)
    return Checked(broken, taken_over, trash=study.trash.held())


def repair(
    study: Study, checked: Checked, read_again: ReadAgain, *, full: bool = True, progress: Progress = silent
) -> Checked:
    """Mend what a check found, as far as nothing is lost by it, and check again.

    read_again: reads sources once more from where they lie, and gives those that it could read.
    """
    if not checked.broken:
        return checked
    unguarded = study.unguarded_engine
    require_owner(unguarded, "tshdb check --repair")
    with study_lock(unguarded, study.root), writing(unguarded) as connection:
        mended = mend(Context(study, connection, ()), broken_in(Context(study, connection, ()), "database.code"))
    if mended:  # what it has hidden is looked at now
        checked = check(study, full=full, progress=progress)
    with study_lock(study.engine, study.root), writing(study.engine) as connection:
        context = context_of(study, connection)
        mended += mend(context, [broken for broken in checked.broken if broken.rule.name not in OF_OBJECTS])
        objects = [broken for broken in checked.broken if broken.rule.name in OF_OBJECTS]
        waits = running(connection) if objects else None
        if waits is None:
            mended += mend(context, objects)
    with reading(study.engine) as connection:
        lost = Origins(connection).sources_of_marked()
    was_read = read_again(study, lost)
    again = check(study, full=full, progress=progress)
    return Checked(again.broken, again.taken_over, mended, was_read, again.trash, waits)


def context_of(study: Study, connection: Connection) -> Context:
    """What rules look at, by a database that is open already."""
    listing = listing_in(study, connection)
    absent = {name: str(absent) for name, absent in listing.absent.items() if absent.n_units}
    return Context(study, connection, listing.analyses, absent, listing.untrusted, listing.absent_tables)


def _facts(broken: Broken) -> dict[str, Any]:
    return {
        "rule": broken.rule.name,
        "promise": broken.rule.meaning,
        "is_warning": broken.rule.is_warning,
        "repair": broken.rule.repair,
        "problems": [
            {"where": p.where, "found": p.found, "repair": p.repair or broken.rule.repair} for p in broken.problems
        ],
    }
