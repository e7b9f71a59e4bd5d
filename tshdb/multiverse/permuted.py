"""The estimate of a combination with the outcomes of the patients exchanged: what it is where nothing is associated.

Simonsohn, Simmons and Nelson 2020, doi:10.1038/s41562-020-0912-z. Follow-up, all endpoints of a patient together, is exchanged
between patients who are in the same cohorts and have the same endpoints known: so the patients of every analysis stay the same.
The analyses' functions then run in memory, and nothing is written. What looks at the outcome on the way to the estimate runs
again, too: a cut-off that is searched is searched anew. The same exchanges are used for all combinations.

Offered for results of one term by the TSH ratio, the abundances or the TSH score: their way from patients' values to the estimate
is short. Before anything is believed, outcomes as they are must give the estimate that the engine has stored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, select
from threadpoolctl import threadpool_limits

from tshdb.canonical import digest, json_text
from tshdb.cohorts.states import CohortState
from tshdb.cohorts.states import members_of as members_of_version
from tshdb.database import tuples
from tshdb.engine.analysis import Analysis, Kind, Need
from tshdb.engine.compute import seed_of
from tshdb.engine.inputs import load
from tshdb.multiverse.found import Found
from tshdb.multiverse.kept import Permuted
from tshdb.multiverse.measures import Measure
from tshdb.schema import Cutoff, FollowUp, SurvivalGroup, TshScore

if TYPE_CHECKING:
    import pandas as pd

    from tshdb.config import Parameters
    from tshdb.engine.world import World
    from tshdb.objects import ObjectStore

Frames = dict[str, Any]  # role -> frame
OURS = "analyses."
FINAL = ("logrank_tests", "univariable_cox", "abundance_cox", "tsh_cox")  # analyses whose result is computed again
CHOOSES, GROUPS = (
    "cutoff",
    "survival_groups",
)  # and those that run again before them, where the cut-off looks at the outcome
MOST_APART = 1e-9  # of the stored estimate, relative


def why_not(world: World, row: Found, measure: Measure) -> str | None:
    """Why outcomes are not permuted for this result, in words; None where they are."""
    offered = f"offered for {', '.join(FINAL)}, of one term by the TSH ratio, an abundance or the TSH score"
    analysis = world.by_name[row.analysis]
    if row.analysis not in FINAL or not analysis.function.__module__.startswith(OURS):
        return f"no permutation of outcomes for {row.analysis}: {offered}"
    if "multivariable" in str(row.values.get("model")):
        return f"no permutation of outcomes for a model of several terms, whose parts would go with it: {offered}"
    if measure.scale != "p" and measure.null is None:
        return (
            "no permutation of outcomes for an estimate of which no value means no effect: say null = … in [estimate]"
        )
    for role, need in analysis.needs.items():
        if not _is_needed(need, row) or _is_run_again(world, need):
            continue
        if looking := _looks(world, world.producer(need)):
            return (
                f"no permutation of outcomes: the {role} rest on {looking}, which looks at the outcome and does not run "
                "again here"
            )
    return None


def _is_needed(need: Any, row: Found) -> bool:
    """Whether the row that is followed rests on this input: the scores count for a result by the score alone."""
    return need.table is not FollowUp and (need.table is not TshScore or _is_by_score(row))


def _is_by_score(row: Found) -> bool:
    return str(row.values.get("model", "")).startswith("score ") or row.values.get("grouping") == "tsh_score"


def _is_run_again(world: World, need: Any) -> bool:
    """Whether this input is made again where the cut-off looks at the outcome."""
    return need.table is SurvivalGroup and world.producer(need) == GROUPS and world.maker[Cutoff].name == CHOOSES


def _looks(world: World, name: str) -> str | None:
    """The first analysis on the way to a producer, itself included, that looks at follow-up."""
    analysis = world.by_name.get(name)
    if analysis is None:
        return None
    if looks_at_outcome(analysis, world.parameters[name]):
        return name
    return next((found for need in analysis.needs.values() if (found := _looks(world, world.producer(need)))), None)


def looks_at_outcome(analysis: Analysis, params: Parameters) -> bool:
    """Whether its result may be another one when outcomes are exchanged, by what it declares."""
    follow_up = {role for role, need in analysis.needs.items() if isinstance(need, Need) and need.table is FollowUp}
    if not follow_up:
        return False
    if analysis.kind is not Kind.FIT or analysis.learns is None:
        return True
    asked = (one for one in analysis.learns if one.when is None or getattr(params, one.when[0]) in one.when[1])
    return any(one.outcome in follow_up and not one.elsewhere for one in asked)


# --------------------------------------------------------------------------------------------------- the exchanges


@dataclass(frozen=True)
class Exchanges:
    """How outcomes are exchanged. strata: patients among whom they are; n: how often."""

    strata: tuple[tuple[str, ...], ...]
    seed: int
    n: int

    @property
    def of(self) -> str:
        """A digest of it, but for how often: the first are the same of more."""
        return digest(str(self.seed).encode(), json_text(self.strata).encode())

    def mapping(self, number: int) -> dict[str, str]:
        """patient -> who gets her outcome, in one of the exchanges."""
        import numpy as np

        generator = np.random.default_rng([self.seed, number])
        found: dict[str, str] = {}
        for patients in self.strata:
            found.update(zip(patients, (patients[i] for i in generator.permutation(len(patients))), strict=True))
        return found


def exchanges(connection: Connection, cohorts: Iterable[CohortState], study_seed: int, n: int) -> Exchanges:
    """Of the members of these cohorts, as the study has them."""
    within: dict[str, list[str]] = defaultdict(list)
    for cohort in sorted(cohorts, key=lambda c: c.name):
        for patient in cohort.members:
            within[patient].append(cohort.name)
    known: dict[str, list[str]] = defaultdict(list)
    columns = FollowUp.patient_id, FollowUp.endpoint
    query = select(*columns).where(FollowUp.event.is_not(None), FollowUp.duration_days.is_not(None)).order_by(*columns)
    for patient, endpoint in connection.execute(query):
        known[patient].append(str(endpoint))
    strata: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = defaultdict(list)
    for patient in sorted(within.keys() & known.keys()):
        strata[tuple(within[patient]), tuple(known[patient])].append(patient)
    return Exchanges(tuple(map(tuple, strata.values())), seed_of(study_seed, "multiverse", "outcomes"), n)


def exchanged(follow_ups: pd.DataFrame, mapping: Mapping[str, str]) -> pd.DataFrame:
    """Follow-up in which each patient's rows are another one's."""
    if not len(follow_ups):
        return follow_ups
    return follow_ups.assign(patient_id=[mapping.get(patient, patient) for patient in follow_ups["patient_id"]])


# ---------------------------------------------------------------------------------------------- the way to the row


class Estimate(NamedTuple):
    """None where there is none."""

    value: float | None
    p: float | None


NOTHING = Estimate(None, None)


@dataclass(frozen=True)
class Searched:
    """A cut-off that looks at the outcome, and the groups by it: computed again for every exchange.

    role: of the groups in the analysis that follows; the inputs are those of each function.
    """

    role: str
    cutoff: Analysis
    of_cutoff: Frames
    cutoff_params: Parameters
    seed: int
    groups: Analysis
    of_groups: Frames
    groups_params: Parameters

    def made(self, mapping: Mapping[str, str]) -> pd.DataFrame:
        """The groups by the cut-off that exchanged outcomes choose. Raises ValueError where there is none."""
        of_cutoff = self.of_cutoff | {"follow_ups": exchanged(self.of_cutoff["follow_ups"], mapping)}
        chosen = self.cutoff(**of_cutoff, params=self.cutoff_params, seed=self.seed)
        return self.groups(**(self.of_groups | {"cutoff": chosen}), params=self.groups_params)


@dataclass(frozen=True)
class Way:
    """From patients' values to the row that is followed, by the functions of the analyses.

    trim: the inputs of the analysis -> what of them the row that is followed needs.
    seeds: the arguments by which the analysis takes its seed, as the engine gives them; none where it takes none.
    """

    row: Found
    measure: Measure
    analysis: Analysis
    params: Parameters
    inputs: Frames
    searched: Searched | None
    trim: Callable[[Frames], Frames]
    seeds: Mapping[str, Any]

    def estimate(self, mapping: Mapping[str, str]) -> Estimate:
        """The estimate with outcomes exchanged so; NOTHING where a step has no result."""
        inputs = self.inputs | {"follow_ups": exchanged(self.inputs["follow_ups"], mapping)}
        if self.searched is not None:
            try:
                inputs[self.searched.role] = self.searched.made(mapping)
            except ValueError:  # no cut-off leaves two groups with events
                return NOTHING
            inputs = self.trim(inputs)
        return self._read(self.analysis(**inputs, params=self.params, **self.seeds))

    def _read(self, made: pd.DataFrame) -> Estimate:
        keys = [column.name for column in self.analysis.makes.__table__.primary_key if column.name != "unit_id"]
        for column in keys:
            made = made[made[column].astype(str) == str(self.row.values[column])] if len(made) else made
        if len(made) != 1:
            return NOTHING
        (said,) = made.to_dict("records")
        return Estimate(_number(said.get(self.measure.column)), _number(said.get(self.measure.p)))


def way_of(connection: Connection, objects: ObjectStore, world: World, row: Found, measure: Measure) -> Way:
    """The way on what a database holds for it: that of the copy in which the combination was computed."""
    analysis = world.by_name[row.analysis]
    params, trim = _trimmed(analysis, world.parameters[row.analysis], row, measure)
    inputs = trim(_inputs(connection, objects, world, analysis, [row.key]))
    role = next((role for role, need in analysis.needs.items() if _is_run_again(world, need)), None)
    searched = None
    if role is not None and looks_at_outcome(world.by_name[CHOOSES], world.parameters[CHOOSES]):
        searched = _searched(connection, objects, world, role, sorted(set(inputs[role]["patient_id"])))
    return Way(row, measure, analysis, params, inputs, searched, trim, _seeds(world, analysis, row.key))


def _seeds(world: World, analysis: Analysis, key: str) -> dict[str, Any]:
    seed = seed_of(world.settings.study.seed, analysis.name, key)
    return {name: given for name, given in (("seed", seed), ("seeds", {key: seed})) if name in _arguments(analysis)}


def _searched(
    connection: Connection, objects: ObjectStore, world: World, role: str, patients: Sequence[str]
) -> Searched:
    cutoff, groups, params = world.by_name[CHOOSES], world.by_name[GROUPS], world.parameters[CHOOSES]
    of_groups = _inputs(connection, objects, world, groups, patients)
    key = of_groups["cutoff"].attrs["key"]
    return Searched(
        role,
        cutoff,
        _inputs(connection, objects, world, cutoff, [key]),
        cutoff.given(
            params.model_copy(update={"n_bootstrap": 0, "n_permutations": 1})
        ),  # what is not read is not computed
        seed_of(world.settings.study.seed, CHOOSES, key),
        groups,
        of_groups,
        groups.given(world.parameters[GROUPS]),
    )


def permuted(way: Way, exchanges: Exchanges) -> Permuted:
    """The estimates under all exchanges, if outcomes as they are give the stored one."""
    stored = _number(way.row.values[way.measure.column])
    again = way.estimate({}).value
    if (again is None) != (stored is None) or (
        again is not None and stored is not None and abs(again - stored) > MOST_APART * max(abs(stored), abs(again))
    ):
        why = f"outcomes as they are give {again} in memory, and the stored estimate is {stored}"
        return Permuted(exchanges.of, [], [], why)
    with threadpool_limits(1):  # matrices are small, and more threads than one wait for each other
        found = [way.estimate(exchanges.mapping(number)) for number in range(exchanges.n)]
    return Permuted(exchanges.of, [one.value for one in found], [one.p for one in found])


def _number(value: Any) -> float | None:
    if value is None or value != value or value in (float("inf"), float("-inf")):
        return None
    return float(value)


# -------------------------------------------------------------------------------------------------------- its inputs


def _inputs(
    connection: Connection, objects: ObjectStore, world: World, analysis: Analysis, keys: Sequence[str]
) -> Frames:
    """The frames that units were computed from, by the inputs that they have noted."""
    wanted = set(keys)
    pairs: dict[str, list[tuple[str, int]]] = {role: [] for role in analysis.needs}
    edges = tuples(
        connection,
        "SELECT u.key, e.role, e.input_unit_id FROM units u JOIN unit_inputs e ON e.unit_id = u.unit_id "
        f"WHERE u.analysis = '{analysis.name}' AND u.state = 'current' ORDER BY u.key, e.role, e.input_unit_id",
    )
    for key, role, unit in edges:
        if key in wanted and role in pairs:
            pairs[role].append((key, unit))
    members: Sequence[str] = ()
    if analysis.over_cohort:
        members = _members(connection, keys[0])
    values = dict(load(connection, objects, analysis, pairs, {}, members, world.paths.at).values)
    if "members" not in _arguments(analysis):
        values.pop("members", None)
    return values


def _members(connection: Connection, key: str) -> tuple[str, ...]:
    name, _, version = key.partition("@")
    if not version:
        quoted = name.replace("'", "''")
        ((number,),) = tuples(connection, f"SELECT max(version) FROM cohort_versions WHERE cohort = '{quoted}'")
        version = str(number)
    return members_of_version(connection, name, int(version))


def _arguments(analysis: Analysis) -> set[str]:
    from inspect import signature

    return set(signature(analysis.function).parameters)


def _trimmed(
    analysis: Analysis, params: Parameters, row: Found, measure: Measure
) -> tuple[Parameters, Callable[[Frames], Frames]]:
    """Parameters and inputs for the row that is followed alone: the other models of the table are not fitted again and again."""
    keeps_table = "p_adjusted" in measure.columns
    if analysis.name == "tsh_cox":
        params = params.model_copy(update={"covariates": ()})
    by_score = _is_by_score(row)

    def frames(inputs: Frames) -> Frames:
        if analysis.name in ("tsh_cox", "logrank_tests") and not by_score:
            inputs = inputs | {"scores": inputs["scores"].iloc[:0]}
        if analysis.name in ("univariable_cox", "abundance_cox") and not keeps_table:
            some = [role for role in ("ratios", "tumor") if role in inputs]
            inputs = inputs | {role: _of_term(inputs[role], row.values["term"]) for role in some}
        if analysis.name == "tsh_cox" and not by_score:
            column, same = ("value", 0.0) if row.values["model"] == "group" else ("prognosis", "good")
            inputs = inputs | {"groups": _alike(inputs["groups"], column, same)}
        return inputs

    return analysis.given(params), frames


def _alike(frame: pd.DataFrame, column: str, value: Any) -> pd.DataFrame:
    """The frame with one value wherever a column has any: a model of it says at once that it does not vary."""
    return frame.assign(**{column: frame[column].where(frame[column].isna(), value)})


def _of_term(frame: pd.DataFrame, term: str) -> pd.DataFrame:
    return frame[frame["population"] == term].reset_index(drop=True)
