"""What a rebuild would do, and why, without doing it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tshdb.database import reading
from tshdb.engine.chosen import select_analyses
from tshdb.engine.costs.estimate import Estimate, foretold
from tshdb.engine.explain import chains
from tshdb.engine.named import refuse_what_nobody_has
from tshdb.engine.planner import Planner
from tshdb.engine.upgrades import programs
from tshdb.engine.world import parse_unit
from tshdb.errors import NotFound
from tshdb.guests.listing import listing_of, world_of
from tshdb.version import __version__

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import Connection

    from tshdb.cohorts.states import CohortState
    from tshdb.engine.causes import Cause
    from tshdb.engine.plan import AnalysisPlan
    from tshdb.study import Study

REASONS = ("new", "code", "params", "input", "member", "failed", "refit", "lost", "edited", "damaged")


@dataclass(frozen=True)
class PlanOptions:
    """What is planned.

    names: analyses, with all that they rest on (none: all).
    refit: count fits whose members' data was corrected.
    n_workers: for the estimate of time.
    """

    names: Sequence[str] = ()
    refit: bool = False
    n_workers: int = 1


@dataclass(frozen=True)
class Planned:
    """A plan as plain values, as `tshdb plan --json` prints them.

    n_due: units that are computed for certain; n_possible: those that are computed if an input comes out different.
    """

    facts: dict[str, Any]

    @cached_property
    def frame(self) -> pd.DataFrame:
        """A row a unit that is due: analysis, key, reason, is_possible, causes (in words)."""
        import pandas as pd

        says = [cause["says"] for cause in self.facts["causes"]]
        rows = [
            (a["analysis"], u["key"], u["reason"], u["possible"], "; ".join(says[n] for n in u["causes"]))
            for a in self.facts["analyses"]
            for u in a["units"]
        ]
        return pd.DataFrame(rows, columns=["analysis", "key", "reason", "is_possible", "causes"])

    @property
    def n_due(self) -> int:
        return sum(sum(a["reasons"].values()) for a in self.facts["analyses"])

    @property
    def n_possible(self) -> int:
        return sum(a["possible"] for a in self.facts["analyses"])

    def _repr_html_(self) -> str:
        if not (self.n_due or self.n_possible):
            return "<p>Nothing is due.</p>"
        counts = self.frame.groupby(["analysis", "causes"], sort=False).size().rename("units").reset_index()
        return f"<p>{self.n_due:,} units are due, {self.n_possible:,} more possible.</p>{counts.to_html(index=False)}"


def plan(study: Study, options: PlanOptions | None = None) -> Planned:
    """What a rebuild would compute, and what began it. Writes nothing. Raises NotFound for an analysis that there is not."""
    options = options or PlanOptions()
    listing = listing_of(study)
    world = listing.world(study.settings)
    chosen = select_analyses(world, options.names)
    with reading(study.engine) as connection:
        refuse_what_nobody_has(connection, listing.analyses, world)
        planner = Planner(connection, world, refit=options.refit)
        plans = [p for p in planner.all().values() if p.analysis.name in chosen]
        time = foretold(connection, plans, world.parameters, options.n_workers)
        numbered = _Numbered(connection, planner, time)
        analyses = [numbered.facts(p) for p in plans]
        made_by = programs(connection)
    return Planned(
        {
            "program": {"now": __version__, "computed_by": made_by},
            "analyses": analyses,
            "causes": [cause.facts() for cause in numbered.causes],
            "seconds": time.facts,
            "n_unknown": time.n_unknown,
            **_eligible(planner.cohorts.values()),
            **listing.facts(world),
        }
    )


def explain(study: Study, unit: str, refit: bool = False) -> dict[str, Any]:
    """The chains from what began it to a unit (ANALYSIS/KEY). Raises NotFound for a unit that is not due."""
    world = world_of(study)
    analysis, key = parse_unit(unit, world)
    with reading(study.engine) as connection:
        planner = Planner(connection, world, refit=refit)
        plan_of_it = planner.plan(analysis)
        if key not in plan_of_it.due and key not in plan_of_it.gone:
            raise NotFound(f"{unit} is not due", repair=f"What is known of it: tshdb why {unit}")
        return chains(connection, planner, plan_of_it, key)


@dataclass
class _Numbered:
    """Plans as plain values, in which a cause is a number."""

    connection: Connection
    planner: Planner
    time: Estimate
    causes: dict[Cause, int] = field(default_factory=dict)

    def facts(self, plan: AnalysisPlan) -> dict[str, Any]:
        certain = [due for due in plan.due.values() if not due.is_possible]
        causes_of = {
            key: sorted(self.causes.setdefault(cause, len(self.causes)) for cause in rooted.causes)
            for key, rooted in self.planner.roots.of_due(self.connection, plan).items()
        }
        units = [
            {"key": due.key, "reason": due.reason.value, "detail": due.detail, "possible": due.is_possible,
             "causes": causes_of[due.key]}
            for due in sorted(plan.due.values(), key=lambda due: due.key)
        ]  # fmt: skip
        return {
            "analysis": plan.analysis.name,
            "kind": plan.analysis.kind.value,
            "reasons": {r: n for r in REASONS if (n := sum(due.reason == r for due in certain))},
            "possible": len(plan.due) - len(certain),
            "causes": sorted({n for numbers in causes_of.values() for n in numbers}),
            "gone": sorted(plan.gone),
            "kept": len(plan.kept),
            "blocked": plan.blocked,
            "held": {k: {"reason": due.reason.value, "detail": due.detail} for k, due in plan.held.items()},
            "flagged": {k: {"corrected": n, "members": m} for k, (n, m) in plan.flagged.items()},
            "seconds": self.time.of(plan.analysis.name),
            "units": units,
        }


def _eligible(cohorts: Collection[CohortState]) -> dict[str, dict[str, int]]:
    """Patients whom a frozen cohort's definition would take in, or no longer."""
    return {
        "newly_eligible": {c.name: len(c.newly_eligible) for c in cohorts if c.newly_eligible},
        "no_longer_eligible": {c.name: len(c.no_longer) for c in cohorts if c.no_longer},
    }
