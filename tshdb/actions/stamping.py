"""When and by what a report was made, what in it is stale, and what a rebuild would take."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from tshdb.actions.planning import Planned, plan
from tshdb.engine.units import now
from tshdb.pages.report.passing_on import Names, names_of
from tshdb.pages.report.stamp import Stale, Stamp
from tshdb.version import __version__

if TYPE_CHECKING:
    from tshdb.study import Study

COUNTED = {  # causes that speak of single patients, or of single results: their number alone is said
    "datum": ("row of data is another one", "rows of data are others"),
    "member": ("member came or left", "members came or left"),
    "again": ("result failed before", "results failed before"),
    "lost": ("result was lost", "results were lost"),
    "edited": ("result was edited by hand", "results were edited by hand"),
    "damaged": ("result was damaged", "results were damaged"),
}


def stamp(study: Study, command: str, names: Names | None = None, planned: Planned | None = None) -> Stamp:
    """The stamp of a report that is made now. Computes nothing and writes nothing; it takes as long as `tshdb plan`.

    names: those of the study's patients; planned: what is due, where either was read before.
    """
    facts = (planned or plan(study)).facts
    names = names or names_of(study)
    time = facts["seconds"]
    return Stamp(
        at=f"{now()[:19]}Z",
        command=names.without(command),
        version=__version__,
        others=tuple(v for v in facts["program"]["computed_by"] if v != __version__),
        stale=tuple(one for a in facts["analyses"] if (one := _stale(a, facts["causes"], names)) is not None),
        seconds=None if time is None else (time["low"], time["high"]),
        n_unknown=facts["n_unknown"],
        flagged=tuple(
            names.without(f"{a['analysis']}/{key}: {flag['corrected']:,} of {flag['members']:,} members were corrected since")
            for a in facts["analyses"]
            for key, flag in a["flagged"].items()
        ),
    )  # fmt: skip


def _stale(analysis: dict[str, Any], causes: list[dict[str, Any]], names: Names) -> Stale | None:
    """What of an analysis is due; None where nothing is."""
    n, possible, gone = sum(analysis["reasons"].values()), analysis["possible"], len(analysis["gone"])
    if not (n or possible or gone):
        return None
    of_it = [causes[number] for number in analysis["causes"]]
    counts = Counter(cause["kind"] for cause in of_it if cause["kind"] in COUNTED)
    words = [f"{count:,} {COUNTED[kind][count > 1]}" for kind, count in counts.items()]
    words += [names.without(cause["says"]) for cause in of_it if cause["kind"] not in COUNTED]
    return Stale(analysis["analysis"], n, possible, gone, tuple(dict.fromkeys(words)))
