"""What to do where a result is missing: the one step that comes next, as the plan sees it.

A table without rows may wait for a file, a cohort's definition or version, a setting of study.toml, or a rebuild. `NextSteps`
follows the inputs of what is missing until it stands before what a person can do. A rebuild is named only where a unit is due
that has inputs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from tshdb.errors import NotFound, TshdbError
from tshdb.near import did_you_mean
from tshdb.next_step.sets import step_to, without_analyses

if TYPE_CHECKING:
    from tshdb.engine.analysis import Analysis
    from tshdb.engine.plan import AnalysisPlan
    from tshdb.next_step.look import Look
    from tshdb.study import Study

REBUILD = "Run: tshdb rebuild "
NOTHING_YET = "Nothing was ingested yet: tshdb ingest --help"
CLINICAL = "tshdb ingest clinical FILE --collection NAME"
RNA = "tshdb ingest rna FILE --collection NAME --unit tpm --scale linear"
IMAGES = "tshdb ingest dicom FOLDER --collection NAME"
INGESTS = {  # ingested table -> what is missing without it, and the command that brings it
    "patients": ("clinical data were", CLINICAL),
    "follow_ups": ("follow-up was", CLINICAL),
    "samples": ("RNA was", RNA),
    "expression_profiles": ("RNA was", RNA),
    "imaging_studies": ("images were", IMAGES),
    "imaging_series": ("images were", IMAGES),
    "imaging_instances": ("images were", IMAGES),
    "segmentations": ("masks were", "tshdb ingest segmentation FILE --collection NAME"),
    "imported_features": ("features were", "tshdb ingest features FILE --collection NAME"),
}


class NoRows(NotFound):
    """Rows that a table or a figure is made of are not there.

    analyses    that make the rows
    key         the cohort, patient or examination that was asked for
    reasons     a SELECT of (cohort, reason), the newest first, of results that say why they are empty; for results of
                patients, the patient stands as cohort
    of_unseen   the rows are of patients alone from whom no model behind them has learned
    """

    def __init__(
        self, message: str, *, analyses: tuple[str, ...] = (), key: str | None = None, reasons: str = "",
        of_unseen: bool = False, where: str = "", repair: str = "",
    ):  # fmt: skip
        super().__init__(message, where=where, repair=repair)
        self.analyses, self.key, self.reasons, self.of_unseen = analyses, key, reasons, of_unseen


@contextmanager
def naming_next_step(study: Study, steps: NextSteps | None = None) -> Iterator[None]:
    """Raise NoRows of the block as NotFound with the next step. steps: of the same study, if they were looked at already."""
    try:
        yield
    except NoRows as missing:
        repair = (steps or NextSteps(study)).of(missing)
        raise NotFound(missing.message, where=missing.where, repair=repair) from None


class NextSteps:
    """The next steps of a study as it is when the first is asked for; one look serves a whole report."""

    def __init__(self, study: Study):
        self.study = study

    def of(self, missing: NoRows) -> str:
        """The next step for missing rows; empty where nothing is known that would bring them."""
        try:
            return self._of(missing) or ""
        except TshdbError as error:  # such as a setting that cannot be: it comes first
            return str(error)

    def of_analyses(self, *names: str, key: str | None = None) -> str:
        """The next step towards the results of these analyses, the first that has one; without names, of any."""
        if not names and (step := without_analyses(self.study)):
            return step
        return self.of(NoRows("", analyses=names or tuple(a.name for a in self._analyses), key=key))

    def of_models(self) -> str:
        """The next step towards a model version."""
        from tshdb.engine.analysis import Kind

        fits = [a.name for a in self._analyses if a.kind is Kind.FIT]
        if not fits:
            return without_analyses(self.study) or "No analysis of this study fits a model"
        return self.of_analyses(*fits)

    def of_cohorts(self, cohort: str | None = None) -> str:
        """The next step towards a version of a cohort with members."""
        return self.of(NoRows("", key=cohort))

    @property
    def _analyses(self) -> tuple[Analysis, ...]:
        return self._look.world.analyses

    def _of(self, missing: NoRows) -> str | None:
        known = [self._look.world.by_name[name] for name in missing.analyses if name in self._look.world.by_name]
        if missing.analyses and not known:
            return step_to(self.study, missing.analyses)
        if "patients" in self._look.empty:
            return NOTHING_YET
        is_of_cohort = not known or any(a.over_cohort for a in known)
        if missing.key is not None and is_of_cohort and (step := self._of_named(missing.key)):
            return step
        if not known:
            return self._of_any_cohort(missing.key)
        for analysis in known:
            if step := self._of_analysis(analysis, missing.key, missing.of_unseen):
                return step
        if len(known) == 1 and (field := known[0].key_field) and not self._look.world.cohorts_of(known[0]):
            return f"{self._setting(known[0], field, ())}: it is made on request, once a cohort is named there"
        return self._reason(missing)

    def _reason(self, missing: NoRows) -> str | None:
        """What the results themselves say of it."""
        if missing.reasons:
            for row in self.study.sql(missing.reasons).itertuples():
                if missing.key in (None, row.cohort):
                    return f"{row.cohort}: {row.reason}"
        return None

    @cached_property
    def _look(self) -> Look:
        from tshdb.next_step.look import look

        return look(self.study, tuple(INGESTS))

    # -------------------------------------------------------------------------------------------------- analyses

    def _of_analysis(self, analysis: Analysis, key: str | None, of_unseen: bool = False) -> str | None:
        """The step before the results of an analysis; None where they are as they should be."""
        if analysis.over_cohort:
            return self._over_cohorts(analysis, key, of_unseen)
        plan = self._look.plans[analysis.name]
        keys = plan.desired if key is None else {key} & plan.desired
        if not keys:
            return self._without_inputs(plan, key)
        return self._of_units(plan, keys)

    def _over_cohorts(self, analysis: Analysis, key: str | None, of_unseen: bool) -> str | None:
        """Of several cohorts: one that a rebuild makes now, else the first that something stands before."""
        from tshdb.engine.analysis import Kind

        plan, names = self._look.plans[analysis.name], self._look.world.cohorts_of(analysis)
        if key is not None:
            if step := self._not_chosen(analysis, key):
                return step
            names = (key.partition("@")[0],)
        elif of_unseen:
            names = tuple(name for name in names if name not in self._training(analysis)) or names
        steps = []
        for name in names:
            before = self._of_cohort(name, needs_frozen=analysis.kind is Kind.FIT)
            steps.append(before or self._of_units(plan, {self._look.cohorts[name].key}))
        made = [step for step in steps if step is not None]
        return next((step for step in made if step == _rebuild(analysis)), made[0] if made else None)

    def _of_units(self, plan: AnalysisPlan, keys: set[str]) -> str | None:
        """The step before units that should be; None where all of them are current."""
        name, failed = plan.analysis.name, self._failed(plan, keys)
        due = sorted(key for key in keys & plan.due.keys() if key not in failed)
        if due:
            return self._before_inputs(plan, due[0]) or _rebuild(plan.analysis)
        if blocked := sorted(keys & plan.blocked.keys()):
            return self._before_blocked(plan, blocked[0])
        if failed:
            key, message = min(failed.items())
            return f"{name}/{key} failed: {message.rstrip('.')}. More: tshdb why {name}/{key}"
        return None

    def _failed(self, plan: AnalysisPlan, keys: set[str]) -> dict[str, str]:
        """key -> message of the units that failed as they are made now: they would fail again."""
        from tshdb.vocabulary import UnitState

        stuck = self._look.stuck.get(plan.analysis.name, {})
        return {
            key: unit.message or ""
            for key, unit in stuck.items()
            if key in keys and unit.state is UnitState.FAILED and key not in plan.made_otherwise
        }

    def _before_blocked(self, plan: AnalysisPlan, key: str) -> str:
        """What a blocked unit waits for."""
        if match := re.match(r"input (\w+)/(.+) is (?:failed|blocked)$", plan.blocked[key]):
            before = self._look.plans[match[1]]
            if step := self._of_units(before, {match[2]}):
                return step
        for fit in self._models(plan.analysis):
            if step := self._of_analysis(fit, None):
                return step
        return plan.blocked[key]

    def _training(self, analysis: Analysis) -> set[str]:
        """The cohorts from which the models behind an analysis learn."""
        from tshdb.engine.needs import Trained

        world = self._look.world
        fits = [
            f for need in analysis.needs.values() if isinstance(need, Trained) for f in world.fits_behind(need.table)
        ]
        return {name for fit in fits for name in world.cohorts_of(fit)}

    def _models(self, analysis: Analysis) -> list[Analysis]:
        from tshdb.engine.needs import Model

        maker = self._look.world.maker
        return [
            maker[need.table] for need in analysis.needs.values() if isinstance(need, Model) and need.table in maker
        ]

    def _before_inputs(self, plan: AnalysisPlan, key: str) -> str | None:
        """The step before inputs that a unit over a cohort is without, if it is another than a rebuild.

        Results that its members cannot have, such as ratios of patients with one sample, stand in nothing's way.
        """
        if not plan.analysis.over_cohort:
            return None
        steps = [self._of_input(plan.analysis, role, None) for role in self._lacking(plan, key)]
        return next((step for step in steps if step is not None and not step.startswith(REBUILD)), None)

    def _lacking(self, plan: AnalysisPlan, key: str | None) -> list[str]:
        """The roles in which a unit (None: any) has no input: results of other analyses, then what was ingested."""
        roles = self._roles(plan.analysis, results=True) + self._roles(plan.analysis, results=False)
        return [role for role in roles if not (plan.inputs[role] if key is None else plan.inputs[role].get(key))]

    def _of_input(self, analysis: Analysis, role: str, key: str | None) -> str | None:
        """The step before the inputs of a role."""
        producer = self._look.world.producer_of(analysis, role)
        if producer not in self._look.plans:
            return self._of_table(producer.partition(".")[2])
        same = analysis.needs[role].via.sql is None and not analysis.over_cohort  # the same key
        return self._of_analysis(self._look.world.by_name[producer], key if same else None)

    def _without_inputs(self, plan: AnalysisPlan, key: str | None) -> str | None:
        """The step before the first inputs that a unit (None: any) should have, and has not."""
        analysis = plan.analysis
        lacking = self._lacking(plan, key)
        for role in lacking:
            if step := self._of_input(analysis, role, key):
                return step
        names = ", ".join(analysis.needs[role].table.__tablename__ for role in lacking or self._roles(analysis, True))
        return f"Nobody who was asked for has {names}" if lacking else f"Nobody has all of {names}"

    def _roles(self, analysis: Analysis, results: bool) -> list[str]:
        """The inputs that a key must have: results of other analyses, or what was ingested."""
        from tshdb.engine.needs import Need

        return [
            role
            for role, need in analysis.needs.items()
            if isinstance(need, Need) and not need.optional
            if (self._look.world.producer(need) in self._look.plans) == results
        ]

    def _of_table(self, table: str) -> str | None:
        """The step before rows of a table; None where it has some, or none are wanted of it."""
        if table not in self._look.empty:
            return None
        if table in INGESTS:
            what, command = INGESTS[table]
            return f"No {what} ingested. Run: {command}"
        makers = [a for a in self._look.world.analyses if a.makes.__tablename__ == table]
        return next((step for a in makers if (step := self._of_analysis(a, None))), None)

    # --------------------------------------------------------------------------------------------------- cohorts

    def _of_any_cohort(self, key: str | None) -> str | None:
        names = [key.partition("@")[0]] if key is not None else self._named()
        if not names:
            return "No cohort is defined yet. Write its SQL, then: tshdb cohort define NAME FILE.sql"
        steps = [self._of_cohort(name, needs_frozen=False) or self._unversioned(name) for name in names]
        return next((step for step in steps if step is not None), None)

    def _unversioned(self, name: str) -> str | None:
        has_none = self._look.cohorts[name].version is None
        return f"Cohort {name} has no version yet. Run: tshdb cohort freeze {name}" if has_none else None

    def _named(self) -> list[str]:
        """The cohorts of study.toml, in its order, then those that are defined."""
        world = self._look.world
        chosen = [name for analysis in world.analyses for name in world.cohorts_of(analysis)]
        return list(dict.fromkeys([*chosen, *self._look.cohorts]))

    def _of_named(self, key: str) -> str | None:
        """The step for a cohort that a person named: it is not there, or not in this version."""
        from tshdb.cohorts.versions import number_of

        name, at, number = key.partition("@")
        state = self._look.cohorts.get(name)
        if state is None:
            return self._of_cohort(name, needs_frozen=False)
        versions = self._look.versions.get(name, [])
        if at and number_of(number) not in versions:
            there = ", ".join(f"{name}@{v}" for v in versions)
            return f"There is no version {key}. {f'Versions: {there}' if there else f'Run: tshdb cohort freeze {name}'}"
        return None

    def _of_cohort(self, name: str, needs_frozen: bool) -> str | None:
        """The step before a cohort on which something can be computed."""
        from tshdb.vocabulary import CohortMode

        state = self._look.cohorts.get(name)
        if state is None:
            file = f"cohorts/{name}.sql"
            if (self.study.root / file).is_file():
                return f"Cohort {name} is not defined. Run: tshdb cohort define {name} {file}"
            if name in self._named():
                return f"Cohort {name} is not defined. Write its SQL, then: tshdb cohort define {name} FILE.sql"
            there = [s.key for s in self._look.cohorts.values()]
            listed = f"Cohorts: {', '.join(there)}" if there else "No cohort is defined yet"
            return f"There is no cohort {name}. {did_you_mean(name, there, listed)}"
        if not state.members:
            return self._without_members(name)
        if state.mode is CohortMode.LIVE and state.problem:
            return state.problem
        if needs_frozen and state.mode is not CohortMode.FROZEN:
            return f"Cohort {name} is not frozen. Run: tshdb cohort freeze {name}"
        return None

    def _without_members(self, name: str) -> str:
        """At which step of its SQL nobody is left, and what would change that."""
        if self._look.cohorts[name].problem:
            return str(self._look.cohorts[name].problem)
        emptied = next((moved for moved in self._look.flows.get(name, ()) if not moved.n_out), None)
        if emptied is not None:
            from tshdb.next_step.look import tables_of

            for table in tables_of(emptied.step.sql):
                if step := self._of_table(table):
                    return f"Cohort {name} has no members: {step[:1].lower()}{step[1:]}"
        left = f", nobody is left after the step '{emptied.step.reason}'" if emptied is not None else ""
        return f"Cohort {name} has no members{left}. See: tshdb cohort flow {name} --now"

    def _not_chosen(self, analysis: Analysis, key: str) -> str | None:
        """For a cohort that an analysis is not computed on: the setting that chooses; for an older version: the newest."""
        world, name = self._look.world, key.partition("@")[0]
        chosen = world.cohorts_of(analysis)
        if name in chosen:
            newest = self._look.cohorts[name].key
            if "@" in key and key != newest:
                return f"{key} is an older version, which is computed no more. The newest: {newest}"
            return None
        field = analysis.key_field
        if field is None:
            return f"{analysis.name} is made of {', '.join(chosen)} alone"
        return f"{self._setting(analysis, field, chosen)}. Add {name}, then: tshdb rebuild {analysis.name}"

    def _setting(self, analysis: Analysis, field: str, chosen: tuple[str, ...]) -> str:
        """Which cohorts the setting of an analysis names, and where it stands."""
        table, place = self._look.world.settings.place(analysis.name, field, analysis.base)
        names = f"{', '.join(chosen)} alone" if chosen else "no cohort"
        return f"[{table}] {field} names {names} ({place})"


def _rebuild(analysis: Analysis) -> str:
    return f"{REBUILD}{analysis.name}"
