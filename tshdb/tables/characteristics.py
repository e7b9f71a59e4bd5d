"""Table 1: what the members of the cohorts are, beside the paper's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tshdb.next_step import NoRows
from tshdb.tables.rows import cohort_order, of_name, place, printed

if TYPE_CHECKING:
    from tshdb.study import Study


def table_1(study: Study, cohort: str | None) -> list[dict[str, Any]]:
    """What the members of each cohort are, by the newest version of each (or of the one that is named)."""
    versions = "SELECT cohort, max(version) AS version FROM cohort_versions GROUP BY cohort"
    if cohort is not None:
        name, _, version = cohort.partition("@")
        versions = (
            "SELECT cohort, max(version) AS version FROM cohort_versions WHERE cohort = $name "
            "AND ($version = 0 OR version = $version) GROUP BY cohort"
        )
        parameters = {"name": name, "version": int(version) if version.isdigit() else 0}
    frame = study.sql(
        f"WITH v AS ({versions}) SELECT m.cohort, m.version, p.*, f.event, f.duration_days, r.event AS recurrence, "
        "r.duration_days AS recurrence_days FROM v "
        "JOIN cohort_members m ON m.cohort = v.cohort AND m.version = v.version JOIN patients p USING (patient_id) "
        "LEFT JOIN follow_ups f ON f.patient_id = p.patient_id AND f.endpoint = 'OS' "
        "LEFT JOIN (SELECT patient_id, arg_min(event, endpoint) AS event, arg_min(duration_days, endpoint) AS duration_days "
        "FROM follow_ups WHERE endpoint IN ('DFS', 'RFS') GROUP BY 1) r ON r.patient_id = p.patient_id",
        parameters if cohort is not None else None,
    )
    if not len(frame):
        raise NoRows("no cohort with members" + of_name(cohort), key=cohort)
    paper = printed("table1.csv")
    rows = []
    order = cohort_order(study)
    groups = sorted(frame.groupby(["cohort", "version"]), key=lambda group: (place(group[0][0], order), group[0][1]))
    for (name, version), of_cohort in groups:
        stated = {(r["row"], r["level"]): r.get(name) for r in paper}
        for (row, level), text in _characteristics(of_cohort).items():
            rows.append(
                {
                    "cohort": f"{name}@{version}",
                    "row": row,
                    "level": level,
                    "value": text,
                    "paper": stated.get((row, level)),
                }
            )
    return rows


def _characteristics(members) -> dict[tuple[str, str], str]:
    n = len(members)
    text_of_row = {("n", ""): str(n)}

    def numbers(title: str, values, digits: str = ".3g") -> None:
        values = values.dropna().astype(float)
        if len(values):
            low, middle, high = (format(v, digits) for v in (values.min(), values.median(), values.max()))
            text_of_row[title, "median (range)"] = f"{middle} ({low}–{high})"
            spread = values.std(ddof=1) if len(values) > 1 else 0.0
            text_of_row[title, "mean ± SD"] = f"{values.mean():{digits}} ± {spread:{digits}}"

    def classes(title: str, values) -> None:
        known = values.dropna().astype(str)
        order = ["positive", "negative", *sorted(set(known) - {"positive", "negative"})]
        for level in order:
            if (known == level).any():
                text_of_row[title, level] = f"{(known == level).sum()} ({(known == level).sum() / n:.0%})"
        if len(known) < n and len(known):
            text_of_row[title, "not known"] = f"{n - len(known)} ({(n - len(known)) / n:.0%})"

    numbers("Age (years)", members["age_years"])
    for title, column in (
        ("ER", "er_status"), ("PR", "pr_status"), ("HER2", "her2_status"), ("Menopause", "menopausal_status"),
        ("Race", "race"), ("Family history", "family_history"), ("Histology", "histology"), ("pT", "t_stage"),
    ):  # fmt: skip
        classes(title, members[column])
    numbers("Tumour size (mm)", members["tumor_size_mm"])
    days = members["duration_days"] if members["duration_days"].notna().any() else members["recurrence_days"]
    numbers("Follow-up (years)", days / 365.25, ".2f")
    for title, column in (("Recurrence", "recurrence"), ("Death", "event")):
        events = members[column].dropna().astype(bool)
        if len(events):
            text_of_row[title, "event"] = f"{events.sum()} ({events.sum() / n:.0%})"
            text_of_row[title, "no event"] = f"{(~events).sum()} ({(~events).sum() / n:.0%})"
            if len(events) < n:
                text_of_row[title, "not known"] = f"{n - len(events)} ({(n - len(events)) / n:.0%})"
    return text_of_row
