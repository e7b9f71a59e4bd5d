"""The inputs that units should have and those that they have, compared edge by edge; models, references and members, too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property

from tshdb.cohorts.states import CohortState
from tshdb.engine import units as store
from tshdb.engine.analysis import Analysis, Kind, Model
from tshdb.engine.plan import AnalysisPlan, Change, Same, Shared
from tshdb.engine.standing import SHIFT, Standing, UnitRow
from tshdb.engine.world import COHORT_ROLE, World


class Edges:
    """Finds the inputs that are not what units have seen."""

    def __init__(self, world: World, standing: Standing, cohorts: Mapping[str, CohortState]):
        self.world, self.standing, self.cohorts = world, standing, cohorts

    def changes(self, plan: AnalysisPlan) -> dict[str, list[Change]]:
        """key -> inputs that came or left, then those that moved behind an edge; notes in the plan which models stay the same."""
        analysis, present = plan.analysis, self.standing.ids(plan.analysis.name)
        stuck = self.standing.stuck[analysis.name]
        if stuck or present.keys() != plan.desired:
            ids = {k: unit for k, unit in present.items() if k in plan.desired and k not in stuck}
        else:
            ids = present
        changed: dict[str, list[Change]] = defaultdict(list)
        replaced: set[tuple[int, str]] = set()
        differing: list[tuple[str, int, bool]] = []  # role, edge, whether it should be
        for role, by_key in plan.inputs.items():
            producer = self.world.producer_of(analysis, role)
            input_ids = self.standing.ids(producer)
            if isinstance(by_key, Shared):
                consumers = self.standing.consumers(input_ids.get(by_key.input_key), role)
                if consumers.issuperset(ids.values()):
                    continue
            stored = self.standing.edges(analysis.name, role)
            if isinstance(analysis.needs.get(role), Model):
                replaced |= self._compare_models(plan, role, producer, ids, stored, changed)
                continue
            wanted, without_unit = _packed(by_key, ids, input_ids)
            for key, input_key in without_unit:
                changed[key].append(Change(role, producer, input_key, "joined"))
            differing += [(role, packed, packed in wanted) for packed in stored ^ wanted]
        if differing:
            key_of = {unit_id: key for key, unit_id in ids.items()}
            names = self.standing.names({packed % SHIFT for _, packed, _ in differing})
            for role, packed, is_wanted in differing:
                key = key_of.get(packed // SHIFT)
                if key is not None:
                    producer, what = self.world.producer_of(analysis, role), "joined" if is_wanted else "left"
                    changed[key].append(Change(role, producer, names[packed % SHIFT], what, packed % SHIFT))
        self._add_moved(analysis, ids, replaced, changed)
        self._add_members(analysis, ids, changed)
        return changed

    def _add_moved(self, analysis: Analysis, ids: dict[str, int], replaced, changed: dict[str, list[Change]]) -> None:
        """Inputs behind edges that stand, where they are no longer what was seen."""
        moved = self.standing.moved(analysis.name)
        if moved:
            whats = {"current": "changed", "retired": "is gone"}
            key_of = {unit_id: key for key, unit_id in ids.items()}
            for m in moved:
                key = key_of.get(m.unit_id)
                if key is not None and (m.unit_id, m.role) not in replaced:
                    what = whats.get(m.state, f"is {m.state}")
                    _add(changed[key], Change(m.role, m.producer, m.input_key, what, m.input_id))
        for role, table in self.world.references(analysis).items():
            producer = self.world.producer(analysis.needs[role])
            unit = self._reference_units.get(producer, {}).get(table.key)
            if unit is not None and unit.fingerprint != table.fingerprint:
                for key in ids:
                    _add(changed[key], Change(role, producer, table.key, "changed", unit.unit_id))

    def _add_members(self, analysis: Analysis, ids: dict[str, int], changed: dict[str, list[Change]]) -> None:
        """Live cohorts that have other members now than those that were committed last: a rebuild commits them."""
        for name in self.world.cohorts_of(analysis):
            if name in ids and self.cohorts[name].has_moved:
                unit_id = self.standing.ids(store.COHORT).get(name)
                _add(changed[name], Change(COHORT_ROLE, store.COHORT, name, "changed", unit_id))

    @cached_property
    def _reference_units(self) -> dict[str, dict[str, UnitRow]]:
        """Table of reference -> key -> unit."""
        keys: dict[str, set[str]] = defaultdict(set)
        for analysis in self.world.analyses:
            for role, table in self.world.references(analysis).items():
                keys[self.world.producer(analysis.needs[role])].add(table.key)
        return {producer: self.standing.rows(producer, wanted) for producer, wanted in keys.items()}

    def _compare_models(self, plan, role, producer, ids, edges, changed) -> set[tuple[int, str]]:
        """A newer model with the content that was seen keeps its consumers current; other content makes them due.

        Gives the (unit, role) whose model is another one now. A model that is still to be computed decides nothing.
        """
        replaced: set[tuple[int, str]] = set()
        models = plan.inputs[role]
        if not isinstance(models, Shared):
            return replaced
        new = self.standing.rows(producer, [models.input_key]).get(models.input_key)
        old_of = {packed // SHIFT: packed % SHIFT for packed in edges}
        for key, unit_id in ids.items():
            old = old_of.get(unit_id)
            if new is not None and new.unit_id == old:
                continue
            replaced.add((unit_id, role))
            if new is None:
                continue
            if old is not None and new.fingerprint == self._seen_models.get((unit_id, role)):
                plan.kept.setdefault(key, []).append((role, old, new.unit_id))
            else:
                changed[key].append(Change(role, producer, models.input_key, "replaced", new.unit_id))
        return replaced

    @cached_property
    def _seen_models(self) -> dict[tuple[int, str], str]:
        return self.standing.seen_models(a.name for a in self.world.analyses if a.kind is Kind.FIT)


def _packed(by_key: Mapping[str, Sequence[str]], ids: dict[str, int], input_ids: dict[str, int]):
    """The edges that the units should have, packed, and the (key, input key) whose input has no unit yet."""
    wanted: set[int] = set()
    without_unit: list[tuple[str, str]] = []
    if isinstance(by_key, Shared):
        input_id = input_ids.get(by_key.input_key)
        if input_id is None:
            return wanted, [(key, by_key.input_key) for key in ids if key in by_key]
        return {unit_id * SHIFT + input_id for unit_id in ids.values()}, without_unit
    if isinstance(by_key, Same):
        shared = ids.keys() & input_ids.keys()
        without_unit = [(key, key) for key in ids.keys() - shared if key in by_key]
        return {ids[key] * SHIFT + input_ids[key] for key in shared}, without_unit
    pairs = [(unit_id * SHIFT, i) for key, unit_id in ids.items() for i in by_key.get(key, ())]
    wanted = {base + input_ids[i] for base, i in pairs if i in input_ids}
    if len(wanted) < len(pairs):
        key_of = {unit_id * SHIFT: key for key, unit_id in ids.items()}
        without_unit = [(key_of[base], i) for base, i in pairs if i not in input_ids]
    return wanted, without_unit


def _add(changes: list[Change], change: Change) -> None:
    """Add a change unless the input is among the changes already."""
    if not any(c.role == change.role and c.input_key == change.input_key for c in changes):
        changes.append(change)
