"""What the study holds as matrices: samples by genes, samples by cell populations, examinations by features; with their patients.

Values   as they are stored: expression by unit and scale (rsem, linear), abundances as mean log2, features in the units of their
         names. NaN where there is none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tshdb.errors import IntegrityError
from tshdb.exports.record import Column
from tshdb.exports.tables import told_of
from tshdb.expression_store import read_matrix
from tshdb.vocabulary import ExpressionUnit

if TYPE_CHECKING:
    from tshdb.exports.record import Job

OF_PATIENTS = (  # what the view patients_wide has beside the columns of patients
    *(
        column
        for endpoint, words in (("os", "death"), ("rfs", "a recurrence"), ("dfs", "a recurrence or death"))
        for column in (
            Column(f"{endpoint}_event", "true or false", f"whether {words} was seen; else censored"),
            Column(f"{endpoint}_days", "number", "days from time_origin (follow_ups) to the event or to last contact"),
        )
    ),
    Column("tsh_ratio", "number", "the TSH ratio of the population that makes the groups, no unit"),
    Column("tsh_ratio_prognosis", "text", "good or poor, by the cut-off of the TSH ratio"),
    Column("tsh_score", "number", "probability of a good prognosis by the TSH model"),
    Column("tsh_score_prognosis", "text", "good or poor, by the TSH score"),
)
OF_SAMPLES = ("sample_id", "patient_id", "sample_type_code", "compartment", "preservation_method")
OF_SCORES = (
    Column("signature_score", "number", "probability of the class that is foretold, by the signature"),
    Column("signature_prognosis", "text", "good or poor, by the signature score"),
    Column("signature_status", "text", "scored, degraded (something speaks against it) or refused"),
)


@dataclass
class Matrix:
    """One matrix.

    values: (obs, var) float64. obs, var: frames by name, typed as the columns say. layers: name -> values of other units.
    x: what the values are. of_obs, of_var: what the columns of the frames mean.
    """

    name: str
    x: str
    one_row: str
    values: np.ndarray
    obs: pd.DataFrame
    var: pd.DataFrame
    of_obs: tuple[Column, ...]
    of_var: tuple[Column, ...]
    layers: dict[str, np.ndarray] = field(default_factory=dict)


def typed(frame: pd.DataFrame, columns: Iterable[Column]) -> pd.DataFrame:
    """The columns of a frame by their kinds: texts as categories, whole numbers and booleans with room for what is missing."""
    made = {}
    for name, kind, _ in columns:
        values = [None if value is None or value != value else value for value in frame[name].astype(object)]
        if kind == "text":
            texts = sorted({str(value) for value in values if value is not None})
            made[name] = pd.Categorical(values, pd.Index(texts, dtype=object))
        elif kind == "true or false":
            made[name] = pd.array(values, dtype="boolean")
        elif kind == "whole number":
            made[name] = pd.array(values, dtype="Int64")
        else:
            made[name] = np.array([np.nan if value is None else float(value) for value in values], np.float64)
    return pd.DataFrame(made, index=frame.index)


def patients(job: Job) -> tuple[pd.DataFrame, tuple[Column, ...]]:
    """(a row of each chosen patient by patient_id, with outcomes and groups; what the columns mean)."""
    query = "SELECT * FROM patients_wide WHERE list_contains($patients, patient_id) ORDER BY patient_id"
    frame = job.study.sql(query, {"patients": list(job.chosen.patients)}).set_index("patient_id", drop=False)
    columns = (*told_of(job.study, "patients").columns, *OF_PATIENTS)
    return typed(frame, columns), columns


def expression(job: Job) -> Matrix | None:
    """Samples by genes, of the profiles that are selected; None where there are none.

    The values are of the unit that most samples have; other units, or scales, are layers.
    """
    of_samples = ", ".join(f"s.{name}" for name in OF_SAMPLES)
    profiles = job.study.sql(
        f"SELECT p.profile_id, p.unit, p.scale, p.part_id, {of_samples} FROM expression_profiles p "
        "JOIN samples s USING (sample_id) WHERE p.is_selected AND list_contains($patients, s.patient_id) ORDER BY p.profile_id",
        {"patients": list(job.chosen.patients)},
    ).set_index("profile_id", drop=False)
    if not len(profiles):
        return None
    if profiles.duplicated(["sample_id", "unit", "scale"]).any():
        raise IntegrityError(
            "two profiles of one sample and unit are selected", where="expression_profiles", repair="Run: tshdb check"
        )
    kinds = sorted(
        {(str(unit), str(scale)) for unit, scale in zip(profiles["unit"], profiles["scale"], strict=True)},
        key=lambda kind: (
            -int(_of_kind(profiles, kind).sum()),
            list(ExpressionUnit).index(ExpressionUnit(kind[0])),
            kind,
        ),
    )
    samples = profiles.drop_duplicates("sample_id").set_index("sample_id", drop=False).sort_index()
    genes = job.study.sql("SELECT * FROM genes ORDER BY gene_id").set_index("gene_id", drop=False)
    values = {kind: np.full((len(samples), len(genes)), np.nan) for kind in kinds}
    is_there = np.zeros(len(genes), bool)
    groups = list(profiles.groupby(["part_id", "unit", "scale"], sort=True))
    for i, ((_, unit, scale), members) in enumerate(groups, 1):
        rows = samples.index.get_indexer(members["sample_id"])
        matrix = read_matrix(job.study.objects, members)
        columns = genes.index.get_indexer(matrix.genes)
        if (columns < 0).any():
            raise IntegrityError("a gene is not in the table genes", where="genes", repair="Run: tshdb check")
        values[unit, scale][np.ix_(rows, columns)] = matrix.values.T
        is_there[columns] = True
        job.progress("expression", i, len(groups))
    of_patients, meanings = patients(job)
    own = tuple(c for c in told_of(job.study, "samples").columns if c.name in OF_SAMPLES)
    obs = typed(samples, own).join(of_patients.drop(columns="patient_id"), on="patient_id")
    named = {f"{unit}_{scale}": values[unit, scale][:, is_there] for unit, scale in kinds}
    first, *others = named
    for name in named:
        unit, scale = name.rsplit("_", 1)
        chosen = profiles[_of_kind(profiles, (unit, scale))].set_index("sample_id")["profile_id"]
        obs[f"profile_{name}"] = typed(chosen.reindex(obs.index).to_frame("p"), [Column("p", "text", "")])["p"]
    of_genes = told_of(job.study, "genes").columns
    return Matrix(
        "rna", f"{first.replace('_', ', ')}, as in the source", "one sample", named[first], obs,
        typed(genes[is_there], of_genes), (*own, *meanings[1:], *_profile_columns(named)), of_genes,
        {name: named[name] for name in others},
    )  # fmt: skip


def _of_kind(profiles: pd.DataFrame, kind: tuple[str, str]) -> pd.Series:
    return (profiles["unit"] == kind[0]) & (profiles["scale"] == kind[1])


def _profile_columns(named: Iterable[str]) -> list[Column]:
    return [Column(f"profile_{name}", "text", f"the profile whose {name} values these are") for name in named]


def abundances(job: Job) -> Matrix | None:
    """Profiles by cell populations: mean log2 expression of the populations' marker genes; None where there are none."""
    frame = job.study.sql(
        "SELECT a.profile_id, a.population, a.abundance, p.unit, s.sample_id, s.patient_id, s.compartment FROM cell_abundances a "
        "JOIN expression_profiles p USING (profile_id) JOIN samples s USING (sample_id) "
        "WHERE p.is_selected AND list_contains($patients, s.patient_id) ORDER BY a.profile_id, a.population",
        {"patients": list(job.chosen.patients)},
    )
    columns = tuple(
        Column(name, "text", meaning)
        for name, meaning in (
            ("profile_id", "aliquot:unit:source"), ("unit", "of the expression values"), ("sample_id", "as in rna"),
            ("patient_id", "whose it is"), ("compartment", "tumor, stroma or other"),
        )
    )  # fmt: skip
    return pivoted("abundances", "mean log2 expression of marker genes", "one profile", frame, "population", "abundance",
                    columns, "a cell population")  # fmt: skip


def features(job: Job, table: str, name: str) -> Matrix | None:
    """Examinations by features, of radiomic_features or map_features; None where there are none."""
    frame = job.study.sql(
        f"SELECT f.study_uid AS examination, f.feature, f.value, s.patient_id, s.collection, s.time_point FROM {table} f "
        "JOIN imaging_studies s USING (study_uid) WHERE f.feature_class IS NOT NULL AND list_contains($patients, s.patient_id) "
        "ORDER BY f.study_uid, f.feature",
        {"patients": list(job.chosen.patients)},
    )
    return _of_examinations(job, name, "features as computed", frame)


def imported(job: Job) -> list[Matrix]:
    """Examinations by features, of each table of features that were computed elsewhere."""
    import json

    rows = job.study.sql(
        "SELECT examination, feature_table, features, patient_id, collection, time_point FROM imported_features "
        "WHERE list_contains($patients, patient_id) ORDER BY examination",
        {"patients": list(job.chosen.patients)},
    )
    found: list[Matrix] = []
    for number, (table, members) in enumerate(rows.groupby("feature_table", sort=True), 1):
        long = [
            (*row[1:], feature, value)
            for row in members[["examination", "patient_id", "collection", "time_point"]].itertuples()
            for feature, value in json.loads(members.at[row.Index, "features"]).items()
        ]
        frame = pd.DataFrame(
            long, columns=["examination", "patient_id", "collection", "time_point", "feature", "value"]
        )
        plain = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in str(table))
        matrix = _of_examinations(job, f"imported_{plain}", f"features of the table {table}", frame)
        if matrix is not None:
            taken = {each.name for each in found}
            matrix.name = f"{matrix.name}_{number}" if matrix.name in taken else matrix.name
            found.append(matrix)
    return found


def _of_examinations(job: Job, name: str, x: str, frame: pd.DataFrame) -> Matrix | None:
    columns = (
        Column("examination", "text", "the StudyInstanceUID, or the key of an imported row"),
        Column("patient_id", "text", "whose it is"),
        Column("collection", "text", "the archive's collection"),
        Column("time_point", "text", "T0, T1 …: the patient's examinations in the order of time"),
    )
    matrix = pivoted(name, x, "one examination", frame, "feature", "value", columns, "a feature, by its whole name")
    if matrix is None:
        return None
    scores = job.study.sql(
        "SELECT DISTINCT ON (examination) examination, score AS signature_score, prognosis AS signature_prognosis, "
        "status AS signature_status FROM signature_scores WHERE list_contains($patients, patient_id) "
        "ORDER BY examination, unit_id DESC",
        {"patients": list(job.chosen.patients)},
    ).set_index("examination")
    matrix.obs = matrix.obs.join(typed(scores.reindex(matrix.obs.index), OF_SCORES))
    matrix.of_obs = (*matrix.of_obs, *OF_SCORES)
    return matrix


def pivoted(
    name: str, x: str, one_row: str, long: pd.DataFrame, column: str, value: str, of_obs: tuple[Column, ...], what: str
) -> Matrix | None:
    """A matrix of long rows. of_obs: the columns of a row of the matrix, its key first."""
    if not len(long):
        return None
    key = of_obs[0].name
    obs = long[[c.name for c in of_obs]].drop_duplicates(key).set_index(key, drop=False)
    names = sorted(set(long[column]))
    values = np.full((len(obs), len(names)), np.nan)
    rows, columns = obs.index.get_indexer(long[key]), pd.Index(names).get_indexer(long[column])
    values[rows, columns] = long[value].astype(np.float64)
    of_var = (Column(column, "text", what),)
    var = typed(pd.DataFrame({column: names}, index=pd.Index(names, name=column)), of_var)
    return Matrix(name, x, one_row, values, typed(obs, of_obs), var, of_obs, of_var)


def told(matrix: Matrix, where: str) -> list[Any]:
    """The columns of a matrix as a README has them."""
    return [
        Column(f"{where}.X", "number", matrix.x),
        *(
            Column(f"{where}.layers[{name}]", "number", f"{name.replace('_', ', ')}, as in the source")
            for name in matrix.layers
        ),
        *(Column(f"{where}.obs.{c.name}", c.kind, c.meaning) for c in matrix.of_obs),
        *(Column(f"{where}.var.{c.name}", c.kind, c.meaning) for c in matrix.of_var),
    ]
