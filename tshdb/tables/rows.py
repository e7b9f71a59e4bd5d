"""The rows behind the paper's tables: from the study's results, and as the paper prints them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from tshdb import presets
from tshdb.errors import NotFound
from tshdb.next_step import NoRows

if TYPE_CHECKING:
    from tshdb.cohorts.versions import Version
    from tshdb.study import Study

PAPER = "fan2023"  # the preset of the paper
TSH_MODELS = (
    "group", "continuous", "multivariable", "score group", "score continuous", "score multivariable",
)  # fmt: skip
OF_TSH: dict[str, Any] = {"foretold": "good", "against": "poor", "asked": None, "counts": {}}  # see label_of_signature


def printed(name: str) -> list[dict[str, str]]:
    """A table of the paper as the preset has it, all values as text."""
    return list(csv.DictReader(presets.text(PAPER, name).splitlines()))


def records(frame) -> list[dict[str, Any]]:
    """The rows of a frame as plain values; what is missing is None."""
    return frame.astype(object).where(frame.notna(), None).to_dict("records")


def newest(names: Iterable[str], order: Sequence[str] = ()) -> str | None:
    """The newest frozen version among these cohorts, named cohort@version; without one, a live cohort.

    Of several cohorts the first in `order` is taken, then the first by name.
    """

    def rank(key: str) -> tuple:
        name, _, version = key.partition("@")
        return not version, place(name, order), -int(version or 0)

    return min(names, key=rank, default=None)


def newest_of_each(names: Iterable[str], order: Sequence[str] = ()) -> list[str]:
    """Of every cohort the newest version, the cohorts in their order."""
    by_name: dict[str, list[str]] = {}
    for key in names:
        by_name.setdefault(key.partition("@")[0], []).append(key)
    return [newest(by_name[name]) for name in sorted(by_name, key=lambda name: place(name, order))]


def place(name: str, order: Sequence[str]) -> tuple[int, str]:
    """What cohorts are sorted by: where they stand in an order; those that are not in it come last, by name."""
    return (order.index(name) if name in order else len(order)), name


def cohort_order(study: Study) -> list[str]:
    """The cohorts as study.toml names them, first to last: the order in which they are shown."""
    named: list[str] = []
    for table in study.settings.tables.values():
        named += [table["cohort"]] if isinstance(table.get("cohort"), str) else table.get("cohorts", [])
    return list(dict.fromkeys(named))


def of_cohort(
    study: Study,
    query: str,
    cohort: str | None,
    nothing: str,
    analysis: str,
    reasons: str = "",
    of_unseen: bool = False,
):
    """The rows of one cohort (`named`) and its name. Raises NoRows without any.

    query               a SELECT over a result table, with a column cohort
    nothing             what there is none of, in words
    analysis            that makes the table
    reasons, of_unseen  as NoRows has them
    """
    frame = study.sql(query)
    name = named(cohort, frame["cohort"], cohort_order(study))
    rows = frame[frame["cohort"] == name].reset_index(drop=True)
    if not len(rows):
        raise NoRows(nothing + of_name(cohort), analyses=(analysis,), key=cohort, reasons=reasons, of_unseen=of_unseen)
    return rows, name


def named(cohort: str | None, names: Iterable[str], order: Sequence[str] = ()) -> str | None:
    """The cohort that is meant: cohort@version, the newest version of a cohort by its name; without one, `newest`."""
    there = set(names)
    if cohort is None:
        return newest(there, order)
    return cohort if cohort in there else newest(n for n in there if n.partition("@")[0] == cohort)


def of_name(cohort: str | None) -> str:
    return f" of {cohort}" if cohort else ""


def members(study: Study, cohort: str) -> set[str]:
    """The members of cohort@version, or of the newest version of a cohort. Raises NoRows for one that there is not."""
    return set(version_of(study, cohort).members)


def version_of(study: Study, cohort: str) -> Version:
    """A version of a cohort by its name (the newest) or cohort@version. Raises NoRows for one that there is not."""
    from tshdb.cohorts.versions import find_version
    from tshdb.database import reading

    try:
        with reading(study.engine) as connection:
            return find_version(connection, cohort)
    except NotFound:
        raise NoRows(f"no members of {cohort}", key=cohort) from None


def paper_table_2() -> dict[str, dict[str, float]]:
    """The paper's Table 2: population -> column -> value as printed."""
    return {row.pop("term"): {k: float(v) for k, v in row.items()} for row in printed("table2.csv")}


def cox_rows(study: Study, cohort: str | None, models: tuple[str, ...], analysis: str) -> list[dict[str, Any]]:
    """The Cox terms of these models of an analysis in one cohort (`named`). Raises NoRows without any."""
    from sqlalchemy import select

    from tshdb.database import reading
    from tshdb.schema import CoxTerm

    with reading(study.engine) as connection:
        rows = (
            connection.execute(
                select(*CoxTerm.__table__.columns).where(CoxTerm.model.in_(models)).order_by(CoxTerm.unit_id.desc())
            )
            .mappings()
            .fetchall()
        )
    wanted = named(cohort, (r["cohort"] for r in rows), cohort_order(study))
    cohort_rows = [dict(r) for r in rows if r["cohort"] == wanted]
    if not cohort_rows:
        raise NoRows("no such Cox terms" + of_name(cohort), analyses=(analysis,), key=cohort)
    return sorted(cohort_rows, key=lambda r: (models.index(r["model"]), r["position"]))


def table_2(study: Study, cohort: str | None) -> list[dict[str, Any]]:
    """The univariable Cox terms of one cohort version, each with the paper's row. Raises NoRows without any."""
    paper = paper_table_2()
    return [
        row | {"paper": paper.get(row["term"])} for row in cox_rows(study, cohort, ("univariable",), "univariable_cox")
    ]


def network_rows(study: Study, cohort: str | None) -> list[dict[str, Any]]:
    """The parameters of the cell networks of one cohort. Raises NoRows without any."""
    query = "SELECT * FROM network_parameters ORDER BY unit_id DESC, compartment, parameter, prognosis"
    frame, _ = of_cohort(study, query, cohort, "no network parameters", "network_parameters")
    return records(frame.drop(columns="unit_id"))


def selected_rows(study: Study, cohort: str | None) -> list[dict[str, Any]]:
    """Every feature that the signature's fit looked at: selected first, by importance; each with the model's figures.

    Raises NoRows where there is no signature, with the reason for having none if that is known.
    """
    reasons = "SELECT cohort, reason FROM signature_models WHERE reason IS NOT NULL ORDER BY unit_id DESC"
    query = "SELECT * FROM selected_features"
    selected, name = of_cohort(study, query, cohort, "no signature", "selected_features", reasons)
    figures = study.sql(
        "SELECT scheme, measure, value, ci_lower, ci_upper, delong_lower, delong_upper, reason, n FROM model_performance "
        "WHERE model = 'signature_model' AND (measure = 'auc' OR scheme = 'search') AND cohort = $c",
        {"c": name},
    )
    performance = {row["scheme"]: row for row in records(figures)}
    order = {"selected": 0, "candidate": 1, "dropped": 2}
    label = label_of_signature(study, name)
    rows = [r | {"performance": performance, "label": label} for r in records(selected.drop(columns="unit_id"))]
    return sorted(rows, key=lambda r: (order[r["status"]], -(r["importance"] or 0), -(r["n_folds"] or 0), r["feature"]))


def label_of_signature(study: Study, cohort: str | None) -> dict[str, Any]:
    """The classes of the signature that was learned from cohort@version (None: the newest), and how many members have which.

    foretold and against, in the label's own words; asked: what they are made of, None for the TSH score; counts: class, or why
    there is none -> members.
    """
    found = study.sql(
        "SELECT cohort, foretold, against, asked FROM signature_models WHERE cohort = $c OR $c IS NULL "
        "ORDER BY unit_id DESC LIMIT 1",
        {"c": cohort},
    )
    if not len(found) or not isinstance(found["asked"][0], str):
        return OF_TSH
    (row,) = records(found)
    name, _, version = row.pop("cohort").partition("@")
    counts = study.sql(
        "SELECT coalesce(l.label, 'no label: ' || coalesce(l.reason, 'nothing is known')) AS what, count(*) AS n "
        "FROM cohort_members m LEFT JOIN signature_labels l USING (patient_id) WHERE m.cohort = $c AND m.version = $v "
        "GROUP BY 1 ORDER BY n DESC, what",
        {"c": name, "v": int(version)},
    )
    return row | {"counts": dict(zip(counts["what"], counts["n"].astype(int).tolist(), strict=True))}


def signature_rows(study: Study, cohort: str | None) -> list[dict[str, Any]]:
    """What the signature foretells: of every validation cohort (or the one named) and endpoint tests, models and C-indices.

    Raises NoRows where nothing was evaluated.
    """
    queries = {
        "test": "SELECT * FROM logrank_tests WHERE grouping = 'signature' ORDER BY cohort, endpoint",
        "quantile": "SELECT * FROM survival_quantiles WHERE grouping = 'signature' ORDER BY cohort, endpoint, prognosis, percent",
        "gray": "SELECT * FROM gray_tests WHERE grouping = 'signature' ORDER BY cohort, endpoint, cause",
        "cox": "SELECT * FROM cox_terms WHERE model LIKE 'signature%' ORDER BY cohort, endpoint, position",
        "added": "SELECT * FROM likelihood_ratio_tests ORDER BY cohort, endpoint",
        "concordance": "SELECT * FROM concordances ORDER BY cohort, endpoint, model DESC",
        "calibration": "SELECT * FROM calibration_groups ORDER BY cohort, endpoint, part",
    }
    evaluated = []
    for kind, frame in zip(queries, study.sql_each(list(queries.values())), strict=True):
        rows = records(frame.drop(columns="unit_id"))
        names = newest_of_each(r["cohort"] for r in rows)
        wanted = [named(cohort, (r["cohort"] for r in rows))] if cohort else names
        of_cohorts = [r for r in rows if r["cohort"] in wanted]
        evaluated += [r | {"kind": kind} for r in of_cohorts]
    if not evaluated:
        what = "no signature was evaluated" + (f" on {cohort}" if cohort else "")
        raise NoRows(what, analyses=("signature_logrank", "signature_cox"), key=cohort)
    label = label_of_signature(study, None)
    return [row | {"label": label} for row in evaluated]


def ladder_rows(study: Study, cohort: str | None) -> list[dict[str, Any]]:
    """The rungs of a signature's ladder in their order, the signature first. Raises NoRows where none was asked for."""
    query = "SELECT * FROM ladder_rungs ORDER BY position"
    rungs, name = of_cohort(study, query, cohort, "no ladder of a signature", "signature_ladder")
    label = label_of_signature(study, name)
    return [row | {"label": label} for row in records(rungs.drop(columns="unit_id"))]


def feature_rows(study: Study, cohort: str | None) -> list[dict[str, Any]]:
    """Every feature of the set in order, with how it is spread over first examinations (of a cohort's patients, if named)."""
    from tshdb.images.feature_names import all_names

    chosen = "" if cohort is None else "AND s.patient_id IN (SELECT unnest($members))"
    given = {} if cohort is None else {"members": sorted(members(study, cohort))}
    features = study.sql(
        "SELECT f.feature, any_value(f.feature_class) AS feature_class, count(f.value) AS n, avg(f.value) AS mean, "
        "stddev_samp(f.value) AS sd, min(f.value) AS lowest, max(f.value) AS highest, "
        "count(*) - count(f.value) AS n_missing FROM radiomic_features f JOIN imaging_studies s USING (study_uid) "
        f"WHERE f.feature_class IS NOT NULL AND s.time_point = 'T0' {chosen} GROUP BY 1",
        given,
    )
    by_name = {row["feature"]: row for row in records(features)}
    nothing = dict.fromkeys(("mean", "sd", "lowest", "highest")) | {"n": 0, "n_missing": 0}
    names = all_names()
    listed = [{"feature": n, "feature_class": n.split(".")[-2]} | nothing | by_name.pop(n, {}) for n in names]
    return listed + [by_name[name] for name in sorted(by_name)]
