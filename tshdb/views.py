"""Views of `tshdb sql` that people expect: one wide row a patient or examination, changes over time."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple


class View(NamedTuple):
    """A view: what one row is, the tables that it reads, and its SELECT once they are there."""

    name: str
    one_row: str
    tables: tuple[str, ...]
    select: Callable[[Any], str]


PATIENTS_WIDE = """
SELECT p.*,
  os.event AS os_event, os.duration_days AS os_days, rfs.event AS rfs_event, rfs.duration_days AS rfs_days,
  dfs.event AS dfs_event, dfs.duration_days AS dfs_days,
  g.value AS tsh_ratio, g.prognosis AS tsh_ratio_prognosis, s.score AS tsh_score, s.prognosis AS tsh_score_prognosis
FROM patients p
LEFT JOIN follow_ups os ON os.patient_id = p.patient_id AND os.endpoint = 'OS'
LEFT JOIN follow_ups rfs ON rfs.patient_id = p.patient_id AND rfs.endpoint = 'RFS'
LEFT JOIN follow_ups dfs ON dfs.patient_id = p.patient_id AND dfs.endpoint = 'DFS'
LEFT JOIN (
  SELECT patient_id, arg_max(value, unit_id) AS value, arg_max(prognosis, unit_id) AS prognosis
  FROM survival_groups GROUP BY patient_id) g ON g.patient_id = p.patient_id
LEFT JOIN (
  SELECT patient_id, arg_max(score, unit_id) AS score, arg_max(prognosis, unit_id) AS prognosis
  FROM tsh_scores GROUP BY patient_id) s ON s.patient_id = p.patient_id
"""


BESIDE = (
    "profile_id",
    "sample_id",
    "patient_id",
    "compartment",
    "unit",
    "is_selected",
    "transform",
    "biomarker",
)
"""columns of the wide views that are no population's"""


def column_of(population: str) -> str:
    """The column of a cell population: 'T cells' -> t_cells; `population` for a name without such letters."""
    return re.sub(r"[^a-z0-9]+", "_", population.lower()).strip("_") or "population"


def _columns(connection, table: str, value: str) -> str:
    """One aggregate a population, in the order of their names. Where two would have one column the later are
    numbered: t_cells_2."""
    rows = connection.execute(f"SELECT DISTINCT population FROM {table} ORDER BY 1").fetchall()
    taken: dict[str, str] = dict.fromkeys(BESIDE, "")
    for (population,) in rows:
        quoted = population.replace("'", "''")
        name, n = column_of(population), 1
        while name in taken:
            n += 1
            name = f"{column_of(population)}_{n}"
        taken[name] = f", max({value}) FILTER (WHERE population = '{quoted}') AS \"{name}\""
    return "".join(taken.values())


def _abundances_wide(connection) -> str:
    return (
        "SELECT a.profile_id, p.sample_id, s.patient_id, s.compartment, p.unit, p.is_selected, a.transform"
        f"{_columns(connection, 'cell_abundances', 'a.abundance')} FROM cell_abundances a "
        "JOIN expression_profiles p USING (profile_id) JOIN samples s USING (sample_id) GROUP BY ALL"
    )


def _ratios_wide(connection) -> str:
    return (
        "SELECT patient_id, unit, transform, biomarker"
        f"{_columns(connection, 'tsh_ratios', 'value')} FROM tsh_ratios GROUP BY ALL"
    )


def _features_wide(connection, table: str) -> str:
    """One column a radiomic feature of a table, by its whole name."""
    rows = connection.execute(
        f"SELECT DISTINCT feature FROM {table} WHERE feature_class IS NOT NULL ORDER BY 1"
    ).fetchall()
    if not rows:
        return "SELECT study_uid, patient_id, collection, time_point FROM imaging_studies WHERE false"
    names = ", ".join("'" + name.replace("'", "''") + "'" for (name,) in rows)
    return (
        "SELECT s.patient_id, s.collection, s.time_point, w.* FROM "
        f"(PIVOT (SELECT study_uid, feature, value FROM {table} WHERE feature_class IS NOT NULL) "
        f"ON feature IN ({names}) USING first(value) GROUP BY study_uid) w JOIN imaging_studies s USING (study_uid)"
    )


FEATURE_CHANGES = """
SELECT s.patient_id, f.feature, s.time_point, first.value AS first_value, f.value,
  f.value - first.value AS change, (f.value - first.value) / nullif(abs(first.value), 0) AS relative_change
FROM radiomic_features f JOIN imaging_studies s USING (study_uid)
JOIN (
  SELECT t.patient_id, g.feature, g.value FROM radiomic_features g JOIN imaging_studies t USING (study_uid)
  WHERE t.time_point = 'T0') first ON first.patient_id = s.patient_id AND first.feature = f.feature
WHERE s.time_point <> 'T0' AND f.feature_class IS NOT NULL
"""

VIEWS = {
    view.name: view
    for view in (
        View(
            "patients_wide",
            "one patient: clinical data, outcomes, and the newest TSH ratio, score and prognosis",
            ("patients", "follow_ups", "survival_groups", "tsh_scores"),
            lambda _connection: PATIENTS_WIDE,
        ),
        View(
            "abundances_wide",
            "one RNA profile: its sample and patient, and the abundance of every cell population as a column",
            ("cell_abundances", "expression_profiles", "samples"),
            _abundances_wide,
        ),
        View(
            "tsh_ratios_wide",
            "one patient and expression unit: the TSH ratio of every cell population as a column",
            ("tsh_ratios",),
            _ratios_wide,
        ),
        View(
            "radiomic_features_wide",
            'one examination with features: every radiomic feature as a column, such as "tumor.SI.glcm.Idmn"',
            ("radiomic_features", "imaging_studies"),
            lambda connection: _features_wide(connection, "radiomic_features"),
        ),
        View(
            "map_features_wide",
            'one examination with parametric maps: every feature of them as a column, such as "tumor.ser.glcm.Idmn"',
            ("map_features", "imaging_studies"),
            lambda connection: _features_wide(connection, "map_features"),
        ),
        View(
            "radiomic_changes",
            "one radiomic feature of one later examination: its change from the patient's first (T0)",
            ("radiomic_features", "imaging_studies"),
            lambda _connection: FEATURE_CHANGES,
        ),
    )
}
