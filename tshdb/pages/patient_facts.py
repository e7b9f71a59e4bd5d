"""What a study holds of single patients, read in few queries for many of them, as their pages show it."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, Table, select

from tshdb.database import reading, texts, tuples
from tshdb.engine.units import select_ids
from tshdb.guest_tables import fits_of
from tshdb.guests.listing import analyses_of
from tshdb.pages.report.looking import Looking
from tshdb.pages.report.names import read_names
from tshdb.schema import Base, CohortVersion, Unit
from tshdb.vocabulary import NOBODY, StepEffect, UnitState

if TYPE_CHECKING:
    from tshdb.study import Study

Row = dict[str, Any]
OF_PATIENT = (
    "patients", "follow_ups", "clinical_values", "samples", "annotations", "imaging_studies", "tsh_ratios", "survival_groups",
    "tsh_scores", "out_of_fold_scores", "signature_labels", "signature_scores", "signature_fold_scores", "cohort_members",
    "cohort_exclusions", "imported_features",
)  # fmt: skip
OF_STUDY = (
    "dce_sets",
    "masks",
    "breast_masks",
    "tumor_masks",
    "stroma_bands",
    "kinetics",
    "qc_verdicts",
    "phase_motions",
    "radiomic_features",
)
MOST_EXTREME = 12  # features of a patient, where there is no signature that says which count
FEWEST = 5  # values among which hers is given a place
BY_LINE = (
    "SELECT DISTINCT i.ingest_issue_id, r.table_name, r.row_key FROM ingest_issues i JOIN source_files f ON f.path = i.path "
    "JOIN source_records r ON r.source_file_id = f.source_file_id AND r.line = i.line "
    "WHERE i.line IS NOT NULL AND r.column_number IS NULL"
)


class Place(NamedTuple):
    """Where a value lies among others. percentile: share of them below it, and half of those alike, 0 to 100; n: of others."""

    name: str
    value: float
    percentile: float
    n: int
    low: float
    high: float


@dataclass
class Facts:
    """What is held of one patient: rows by table, and of her examinations by study_uid and table."""

    patient_id: str
    rows: dict[str, list[Row]] = field(default_factory=dict)
    of_studies: dict[str, dict[str, list[Row]]] = field(default_factory=dict)
    conflicts: list[Row] = field(default_factory=list)
    findings: list[Row] = field(default_factory=list)

    @property
    def patient(self) -> Row:
        return self.rows["patients"][0]


class CohortNow(NamedTuple):
    """The newest version of a cohort in its mode, and its steps: (number, effect, reason)."""

    key: str
    name: str
    version: int
    mode: str
    n: int
    steps: tuple[tuple[int, str, str], ...]


class Held:
    """A study as its patients' pages see it. What concerns all of them is read once."""

    def __init__(self, study: Study):
        self.study = study
        self._read = read_names(study)
        with reading(study.engine) as connection:
            self.patients = [p for (p,) in tuples(connection, "SELECT patient_id FROM patients ORDER BY patient_id")]
            self.cohorts = _cohorts(connection)
            self.fits = self._fits(connection)
            self._conflicts = self._by_owner(_all(connection, "conflicts"), "row_key")
            self._findings = self._of_findings(connection)

    def facts(self, patients: Iterable[str]) -> list[Facts]:
        """What is held of these patients, in their order."""
        asked = list(patients)
        with reading(self.study.engine) as connection:
            by_table = {name: _rows(connection, name, "patient_id", asked) for name in OF_PATIENT}
            uids = [row["study_uid"] for rows in by_table["imaging_studies"].values() for row in rows]
            by_study = {name: _rows(connection, name, "study_uid", uids) for name in OF_STUDY}
        found = []
        for patient in asked:
            rows = {name: of_table.get(patient, []) for name, of_table in by_table.items()}
            of_studies = {
                row["study_uid"]: {name: of_table.get(row["study_uid"], []) for name, of_table in by_study.items()}
                for row in rows["imaging_studies"]
            }
            found.append(
                Facts(patient, rows, of_studies, self._conflicts.get(patient, []), self._findings.get(patient, []))
            )
        return found

    def ratio_place(self, population: str, unit: str, value: float) -> Place | None:
        """Where a TSH ratio lies among those of all patients."""
        return _placed(population, value, self._ratios.get((population, unit), []))

    def feature_places(self, facts: Facts) -> tuple[list[Place], str]:
        """(where features of her first examination lie among all, what they are): the signature's, else the 12 most extreme."""
        own = self._features_of(facts)
        named = [name for name in self.signature if name in own]
        places = [
            p for name in (named or own) if (p := _placed(name, own[name], self._features.get(name, []))) is not None
        ]
        if named:
            return places, "the signature's features"
        places.sort(key=lambda p: (-abs(p.percentile - 50), p.name))
        return places[
            :MOST_EXTREME
        ], f"the {min(MOST_EXTREME, len(places))} of {len(places):,} features that are most extreme"

    def learned_from(self, facts: Facts) -> list[str]:
        """The models whose training cohort has the patient, as analysis/cohort@version."""
        member = {f"{row['cohort']}@{row['version']}" for row in facts.rows["cohort_members"]}
        return [f"{analysis}/{key}" for analysis, key in self.fits if key in member]

    def model_of(self, analysis: str) -> str | None:
        """The newest cohort@version that a model was made from."""
        keys = [key for name, key in self.fits if name == analysis]
        return max(keys, key=lambda key: (int(key.partition("@")[2] or 0), key), default=None)

    @cached_property
    def cutoff_method(self) -> str | None:
        found = self.study.sql("SELECT method FROM cutoffs ORDER BY unit_id DESC LIMIT 1")
        return found["method"][0] if len(found) else None

    @cached_property
    def signature(self) -> list[str]:
        """The features of the newest signature."""
        found = self.study.sql(
            "SELECT features FROM signature_models WHERE reason IS NULL ORDER BY unit_id DESC LIMIT 1"
        )
        return [each["feature"] for each in json.loads(found["features"][0])] if len(found) else []

    @cached_property
    def _ratios(self) -> dict[tuple[str, str], list[float]]:
        frame = self.study.sql("SELECT population, unit, value FROM tsh_ratios WHERE value IS NOT NULL")
        return {key: sorted(group["value"]) for key, group in frame.groupby(["population", "unit"])}

    @cached_property
    def _features(self) -> dict[str, list[float]]:
        """feature -> its values of all first examinations; the signature's alone, where there is one."""
        chosen = f"AND f.feature IN ({', '.join(map(_quoted, self.signature))})" if self.signature else ""
        frame = self.study.sql(
            "SELECT f.feature, f.value FROM radiomic_features f JOIN imaging_studies s USING (study_uid) "
            f"WHERE s.time_point = 'T0' AND f.value IS NOT NULL {chosen}"
        )
        if len(frame):
            return {name: sorted(group["value"]) for name, group in frame.groupby("feature")}
        found: dict[str, list[float]] = defaultdict(list)
        for (features,) in self._imported:
            for name, value in json.loads(features).items():
                if value is not None:
                    found[name].append(float(value))
        return {name: sorted(values) for name, values in found.items()}

    @cached_property
    def _imported(self) -> list[tuple]:
        with reading(self.study.engine) as connection:
            return tuples(connection, "SELECT features FROM imported_features WHERE time_point = 'T0'")

    def _features_of(self, facts: Facts) -> dict[str, float]:
        first = [row["study_uid"] for row in facts.rows["imaging_studies"] if row["time_point"] == "T0"]
        computed = [row for uid in first[:1] for row in facts.of_studies[uid]["radiomic_features"]]
        own = {row["feature"]: row["value"] for row in computed if row["value"] is not None}
        if own:
            return dict(sorted(own.items()))
        imported = [row for row in facts.rows["imported_features"] if row["time_point"] == "T0"]
        values = json.loads(imported[0]["features"]) if imported else {}
        return {name: float(value) for name, value in sorted(values.items()) if value is not None}

    def _fits(self, connection: Connection) -> list[tuple[str, str]]:
        names = fits_of(connection, analyses_of(self.study))
        query = select(Unit.analysis, Unit.key).where(Unit.state == UnitState.CURRENT, Unit.key.contains("@"))
        return sorted((name, key) for name, key in connection.execute(query) if name in names)

    def _by_owner(self, rows: list[Row], column: str) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            owner = self._owner(row[column])
            if owner is not None:
                found[owner].append(row)
        return found

    def _owner(self, key: str) -> str | None:
        return self._read.owner.get(key) or self._read.owner.get(key.partition("|")[0])

    def _of_findings(self, connection: Connection) -> dict[str, list[Row]]:
        """Findings of ingests by patient: those of a line that speaks of her, and those that name her."""
        issues = {row["ingest_issue_id"]: row for row in _all(connection, "ingest_issues")}
        concerned: dict[int, set[str]] = defaultdict(set)
        for issue, _, key in tuples(connection, BY_LINE) if issues else ():
            if owner := self._owner(key):
                concerned[issue].add(owner)
        looking = Looking(self._read.owner)  # whose kind is the patient
        for issue, row in issues.items():
            said = " \n".join(str(row[name]) for name in ("path", "value", "message") if row[name] is not None)
            concerned[issue] |= {found.kind for found in looking.within(said) if found.kind in self._read.patients}
        by_patient: dict[str, dict[tuple, Row]] = defaultdict(dict)
        for issue, owners in sorted(concerned.items()):
            row = issues[issue]
            for owner in owners:
                by_patient[owner][row["rule"], row["message"], row["value"]] = row  # the newest of those alike
        return {patient: list(rows.values()) for patient, rows in by_patient.items()}


def place_in(cohort: CohortNow, facts: Facts) -> tuple[bool, str]:
    """(whether the patient is a member, why): the step that took her out, or those that bring patients in."""
    brings = "; ".join(reason for _, effect, reason in cohort.steps if effect == StepEffect.INCLUDE)
    here = (cohort.name, cohort.version)
    if any((row["cohort"], row["version"]) == here for row in facts.rows["cohort_members"]):
        return True, brings
    for row in facts.rows["cohort_exclusions"]:
        if (row["cohort"], row["version"]) == here:
            reason = next((reason for number, _, reason in cohort.steps if number == row["step"]), "")
            return False, f"step {row['step']} took her out: {reason}"
    return False, f"no step brought her in ({brings})" if brings else "its steps were not recorded"


def undecided(conflict: Row) -> bool:
    """Whether sources disagree and nobody's word holds."""
    return conflict["held_source"] == NOBODY


def _placed(name: str, value: float, others: list[float]) -> Place | None:
    n = len(others)
    if n < FEWEST:
        return None
    share = (bisect_left(others, value) + bisect_right(others, value)) / 2 / n
    return Place(name, value, 100 * share, n, others[n // 4], others[(3 * n) // 4])


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _table(name: str) -> Table:
    return Base.metadata.tables[name]


def _all(connection: Connection, name: str) -> list[Row]:
    table = _table(name)
    return [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]


def _rows(connection: Connection, name: str, column: str, values: list[str]) -> dict[str, list[Row]]:
    """value -> the rows of a table that have it in a column, by the table's key."""
    table, found = _table(name), defaultdict(list)
    with texts(connection, "asked_of_patients", values) as asked:
        query = select(table).where(table.c[column].in_(select_ids(asked))).order_by(*table.primary_key)
        for row in connection.execute(query).mappings():
            found[row[column]].append(dict(row))
    return found


def _cohorts(connection: Connection) -> list[CohortNow]:
    """The newest version of every cohort, by name."""
    v = CohortVersion
    flow: dict[tuple[str, int], list[tuple[int, str, str]]] = defaultdict(list)
    for name, version, step, effect, reason in tuples(
        connection, "SELECT cohort, version, step, effect, reason FROM cohort_flow ORDER BY cohort, version, step"
    ):
        flow[name, version].append((step, effect, reason))
    newest: dict[str, CohortNow] = {}
    rows = connection.execute(select(v.cohort, v.version, v.mode, v.n_members).order_by(v.cohort, v.version))
    for name, version, mode, n in rows:
        newest[name] = CohortNow(f"{name}@{version}", name, version, str(mode), n, tuple(flow[name, version]))
    return list(newest.values())
