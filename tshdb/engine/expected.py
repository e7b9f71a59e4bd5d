"""What units an analysis should have, and of which inputs: what there would be after a rebuild."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from sqlalchemy import Connection

from tshdb.cohorts.states import CohortState
from tshdb.database import tuples
from tshdb.engine import units as store
from tshdb.engine.analysis import Analysis, Kind, Made, Model, Need, Reference, Trained
from tshdb.engine.plan import AnalysisPlan, Same, Shared
from tshdb.engine.standing import Standing
from tshdb.engine.world import COHORT_ROLE, World
from tshdb.vocabulary import CohortMode


class Expected:
    """The units that there should be.

    plans: of the analyses that come first, as they are made.
    settled: those that a running rebuild has finished.
    """

    def __init__(
        self,
        connection: Connection,
        world: World,
        standing: Standing,
        cohorts: Mapping[str, CohortState],
        plans: Mapping[str, AnalysisPlan],
        settled: Collection[str],
    ):
        self.connection, self.world, self.standing, self.cohorts = connection, world, standing, cohorts
        self.plans, self.settled = plans, settled
        self._relations: dict[str, Mapping[str, Sequence[str]]] = {}
        self._inputs_of_members: dict[tuple[str, str, str], list[str]] = {}

    def derive(self, plan: AnalysisPlan) -> None:
        """Note in a plan the units that should be, their inputs, and what cannot be, with the reason."""
        analysis = plan.analysis
        if analysis.name in self.world.stood_down or not self.world.is_asked(analysis):
            plan.inputs = {role: {} for role in analysis.needs}
            return
        if analysis.over_cohort:
            targets = self._targets(plan)
            plan.desired = set(targets)
            plan.members = {key: state.members for key, state in targets.items()}
            plan.inputs[COHORT_ROLE] = {key: [key] for key in targets}
            for role, need in analysis.needs.items():
                if isinstance(need, Need):
                    plan.inputs[role] = {key: self._of_members(need, state) for key, state in targets.items()}
                elif isinstance(need, Trained):
                    versions = self._training_cohorts(need)
                    plan.inputs[role] = {key: versions for key in targets}
        else:
            keys: set[str] | None = None
            either: set[str] | None = None
            for role, need in analysis.needs.items():
                if isinstance(need, Need):
                    related = self.related(need)
                    plan.inputs[role] = related
                    if need.one_of:
                        either = set(related) | (either or set())
                    elif not need.optional:
                        keys = set(related) if keys is None else keys & related.keys()
            if either is not None:
                keys = either if keys is None else keys & either
            plan.desired = keys or set()
        for role, need in analysis.needs.items():
            shared = self._shared_input(plan, need)
            if shared is not None:
                plan.inputs[role] = Shared(plan.desired, shared)
        self._block(plan)

    def _targets(self, plan: AnalysisPlan) -> dict[str, CohortState]:
        """The cohorts that the analysis runs over: key -> state. What cannot run is blocked, with the reason."""
        targets = {}
        for name in self.world.cohorts_of(plan.analysis):
            state = self.cohorts.get(name)
            if state is None:
                file = Path("cohorts") / f"{name}.sql"  # which a preset brings
                known = file if (self.world.root / file).is_file() else "FILE.sql"
                plan.blocked[name] = f"cohort {name} is not defined: tshdb cohort define {name} {known}"
            elif not state.members:  # before all else: a cohort without members cannot be frozen
                plan.blocked[name] = state.problem or f"cohort {name} has no members: tshdb cohort flow {name} --now"
            elif plan.analysis.kind is Kind.FIT and state.mode is not CohortMode.FROZEN:
                plan.blocked[name] = f"cohort {name} is not frozen: tshdb cohort freeze {name}"
            elif state.problem and state.mode is CohortMode.LIVE:
                plan.blocked[name] = state.problem
            else:
                targets[state.key] = state
        return targets

    def related(self, need: Need) -> Mapping[str, Sequence[str]]:
        """entity -> input keys, through the need's relation."""
        producer = self.world.producer(need)
        name = f"{need.via.name}/{producer}" if need.via.sql is None else need.via.name
        if name not in self._relations:
            if need.via.sql is None:
                self._relations[name] = Same(self._expected(producer))
            else:
                self._relations[name] = _by_key(tuples(self.connection, need.via.sql))
        return self._relations[name]

    def _of_members(self, need: Need, state: CohortState) -> list[str]:
        """The inputs of a cohort's members, of those that will stand. Many analyses ask the same."""
        producer = self.world.producer(need)
        asked = (need.via.name, producer, state.key)
        if asked not in self._inputs_of_members:
            related, expected = self.related(need), self._expected(producer, usable=True)
            self._inputs_of_members[asked] = (
                [m for m in state.members if m in related.of and m in expected]
                if isinstance(related, Same)
                else [i for m in state.members for i in related.get(m, ()) if i in expected]
            )
        return self._inputs_of_members[asked]

    def _expected(self, producer: str, usable: bool = False) -> Collection[str]:
        """The keys of the units that will stand after a rebuild; usable: without those known to have failed."""
        plan = self.plans.get(producer)
        if plan is None:
            return self.standing.ids(producer)
        unusable = set(plan.blocked)
        if usable and producer in self.settled:
            unusable |= self.standing.stuck[producer].keys()
        return plan.desired - unusable if unusable else plan.desired

    def _training_cohorts(self, need: Trained) -> list[str]:
        """The cohort versions (name@version) on which the newest models behind a table were fitted."""
        keys = {self.model_key(fit) for fit in self.world.fits_behind(need.table)}
        return sorted(keys & self.standing.ids(store.COHORT).keys())

    def _shared_input(self, plan: AnalysisPlan, need) -> str | None:
        """The input that all units of the analysis share: a reference, or the newest model."""
        if isinstance(need, Reference | Made):
            return next(
                t.key for r, t in self.world.references(plan.analysis).items() if plan.analysis.needs[r] is need
            )
        if isinstance(need, Model):
            return self.model_key(self.world.maker[need.table])
        return None

    def model_key(self, fit: Analysis) -> str:
        """The newest model version of a fit, or its identity while its cohort has no frozen version."""
        name = self.world.cohorts_of(fit)[0]
        state = self.cohorts.get(name)
        if state is not None and state.mode is CohortMode.FROZEN:
            return state.key
        if fit.identity is None:
            return f"{name}@none"
        return fit.identity

    def _block(self, plan: AnalysisPlan) -> None:
        """Keys whose inputs failed cannot be computed; over a cohort, members without an input are left out instead."""
        for role, need in plan.analysis.needs.items():
            producer = self.world.producer(need)
            if producer not in self.plans or (plan.analysis.over_cohort and not isinstance(need, Model)):
                continue
            bad = self.standing.stuck[producer]
            stuck = set(self.plans[producer].blocked)
            if producer in self.settled:
                stuck |= set(bad)
            if isinstance(need, Model) and need.table in self.world.maker:
                fit = self.world.maker[need.table]
                if fit.identity is None and self.model_key(fit).endswith("@none"):
                    reasons = ", ".join(self.plans[producer].blocked.values())
                    plan.blocked |= {key: reasons or f"{producer} has no model yet" for key in plan.desired}
                    continue
            if not stuck:
                continue
            for key, input_keys in plan.inputs[role].items():
                guilty = next((i for i in input_keys if i in stuck), None)
                if guilty is not None and key in plan.desired:
                    plan.blocked[key] = (
                        f"input {producer}/{guilty} is {bad[guilty].state if guilty in bad else 'blocked'}"
                    )


def _by_key(rows: list[tuple[str, str]]) -> dict[str, Sequence[str]]:
    """key -> input keys, from pairs of them."""
    single: dict[str, Sequence[str]] = {key: (input_key,) for key, input_key in rows}
    if len(single) == len(rows):
        return single
    inputs_of_key: dict[str, list[str]] = defaultdict(list)
    for key, input_key in rows:
        inputs_of_key[key].append(input_key)
    return dict(inputs_of_key)
