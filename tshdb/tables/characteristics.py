"""Table 1: what the members of the cohorts are, beside the paper's columns.

Whatever a row is of, its classes add up to n. Follow-up is of OS: dead, alive at the last contact, lost where the source says so
(a map's notes = { "9" = "lost" }; follow_ups.reason), not known where no source says whether the patient lives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tshdb.next_step import NoRows
from tshdb.tables.numbers import number, share
from tshdb.tables.rows import cohort_order, of_name, place, printed, version_of

if TYPE_CHECKING:
    from tshdb.study import Study


def table_1(study: Study, cohort: str | None) -> list[dict[str, Any]]:
    """What the members of each cohort are, by the newest version of each (or of the one that is named)."""
    versions = "SELECT cohort, max(version) AS version FROM cohort_versions GROUP BY cohort"
    if cohort is not None:
        asked = version_of(study, cohort)  # one that there is not is refused
        versions = (
            "SELECT cohort, max(version) AS version FROM cohort_versions WHERE cohort = $name "
            "AND ($version = 0 OR version = $version) GROUP BY cohort"
        )
        parameters = {"name": asked.cohort, "version": (asked.version or 0) if "@" in cohort else 0}
    frame = study.sql(
        f"WITH v AS ({versions}) SELECT m.cohort, m.version, p.*, f.event, f.duration_days, "
        "f.reason AS follow_up_reason, r.event AS recurrence, "
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
        for (row, level), text in _beside(_characteristics(of_cohort), {k: v for k, v in stated.items() if v}).items():
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


def _beside(found: dict[tuple[str, str], str], stated: dict[tuple[str, str], str]) -> dict[tuple[str, str], str | None]:
    """With the rows that only the paper has: 0 of a class in which nobody is, nothing where it is known of nobody."""
    whole: dict[tuple[str, str], str | None] = {}
    for title in dict.fromkeys(row for row, _ in [*found, *stated]):
        levels = dict.fromkeys(level for row, level in [*found, *stated] if row == title)
        is_known = any(row == title and level != NOT_KNOWN for row, level in found)
        for level in sorted(levels, key=NOT_KNOWN.__eq__):  # last
            whole[title, level] = found.get((title, level), share(0, 1) if is_known else None)
    return whole


NOT_KNOWN = "not known"


def _characteristics(members) -> dict[tuple[str, str], str]:
    n = len(members)
    text_of_row = {("n", ""): str(n)}

    def numbers(title: str, values, digits: str = "") -> None:
        def shown(value: float) -> str:
            return format(value, digits) if digits else str(number(value))

        values = values.dropna().astype(float)
        if len(values):
            low, middle, high = map(shown, (values.min(), values.median(), values.max()))
            text_of_row[title, "median (range)"] = f"{middle} ({low}–{high})"
            spread = f" ± {shown(values.std(ddof=1))}" if len(values) > 1 else ""  # of one there is none
            text_of_row[title, "mean ± SD"] = f"{shown(values.mean())}{spread}"
        not_known(title, n - len(values))

    def classes(title: str, values, first: tuple[str, ...] = ("positive", "negative")) -> None:
        known = values.dropna().astype(str)
        known = known[known != NOT_KNOWN]  # a source's own word for it
        for level in [*first, *sorted(set(known) - {*first})]:
            if (known == level).any():
                text_of_row[title, level] = share((known == level).sum(), n)
        not_known(title, n - len(known))

    def not_known(title: str, count: int) -> None:
        if count:
            text_of_row[title, NOT_KNOWN] = share(count, n)

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
            text_of_row[title, "event"] = share(events.sum(), n)
            text_of_row[title, "no event"] = share((~events).sum(), n)
        not_known(title, n - len(events))
    classes("Follow-up status", _status(members), ("alive", "dead", "lost"))
    return text_of_row


def _status(members):
    """Of each: alive at the last contact, dead, lost; missing where nobody knows."""
    is_dead = members["event"].dropna().astype(bool)
    status = is_dead.map({True: "dead", False: "alive"}).astype(object)
    said = members.loc[is_dead.index, "follow_up_reason"].fillna("").astype(str)
    status[~is_dead & said.str.contains(r"\blost\b", case=False)] = "lost"
    return status.reindex(members.index)
