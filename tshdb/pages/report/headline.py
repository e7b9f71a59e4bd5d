"""The first screen: how many patients and events, the main results with how far they can be believed, and what is doubtful."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from tshdb.pages.report.parts import Statement
from tshdb.tables.layouts import number, p
from tshdb.tables.numbers import within
from tshdb.tables.rows import newest_of_each, records
from tshdb.text.controls import clean
from tshdb.text.counts import plural

if TYPE_CHECKING:
    from tshdb.pages.report.look import Look

YEAR = 365.25
FEW_EVENTS = 10  # of one term, below which a Cox estimate is weak (Peduzzi 1995, J Clin Epidemiol 48:1503)
QUERIES = {
    "patients": "SELECT count(*) AS n, count(DISTINCT collection) AS n_collections FROM patients",
    "events": "SELECT endpoint, count(*) FILTER (event IS NOT NULL AND duration_days IS NOT NULL) AS n, "
    "count(*) FILTER (event AND duration_days IS NOT NULL) AS n_events, "
    "max(duration_days) FILTER (event IS NOT NULL) AS longest FROM follow_ups GROUP BY 1 ORDER BY endpoint <> 'OS', n DESC, 1",
    "rna": "SELECT count(DISTINCT s.patient_id) AS n, count(*) AS n_profiles FROM expression_profiles "
    "JOIN samples s USING (sample_id)",
    "images": "SELECT count(DISTINCT patient_id) AS n, count(*) AS n_examinations FROM imaging_studies",
    "features": "SELECT count(DISTINCT patient_id) AS n FROM imported_features",
    "cutoffs": "SELECT * FROM cutoffs ORDER BY unit_id DESC",
    "tests": "SELECT * FROM logrank_tests ORDER BY unit_id DESC",
    "terms": "SELECT * FROM cox_terms WHERE model IN ('group', 'multivariable', 'score group', 'signature group') "
    "OR model LIKE 'signature%' ORDER BY unit_id DESC, position",
    "auc": "SELECT * FROM model_performance WHERE measure = 'auc' AND scheme = 'nested' ORDER BY unit_id DESC",
    "ladder": "SELECT * FROM ladder_rungs WHERE position = 0 ORDER BY unit_id DESC",
    "networks": "SELECT cohort, count(*) AS n, count(*) FILTER (p_adjusted < .05) AS n_below, max(n_permutations) AS draws "
    "FROM network_parameters WHERE is_in_paper AND prognosis = 'good' GROUP BY 1",
    "signature": "SELECT * FROM signature_models ORDER BY unit_id DESC",
}


class Tile(NamedTuple):
    """A count on the first screen: the number, what of, and what is known of them."""

    n: int
    what: str
    detail: str


class Headline(NamedTuple):
    """The first screen."""

    tiles: list[Tile]
    statements: list[Statement]


def headline(look: Look) -> Headline:
    """The study in a few numbers. Of each cohort its newest version counts."""
    frames = look.study.sql_each(list(QUERIES.values()))
    rows = {name: records(frame) for name, frame in zip(QUERIES, frames, strict=True)}
    statements = [_as_said(look, one) for one in _of_paper(look, rows)] if look.has_paper else []
    return Headline(list(_tiles(rows)), statements)


def _as_said(look: Look, one: Statement) -> Statement:
    return replace(one, **{name: look.said(getattr(one, name)) for name in ("what", "value", "detail", "label")})


def _tiles(rows: Mapping[str, list[dict[str, Any]]]) -> Iterator[Tile]:
    (patients,) = rows["patients"]
    collections = patients["n_collections"]
    yield Tile(patients["n"], "patients", f"in {plural(collections, 'collection')}")
    for event in rows["events"][:2]:
        if event["n"]:
            longest = f", longest {event['longest'] / YEAR:.1f} years" if event["longest"] is not None else ""
            yield Tile(event["n_events"], f"events, {event['endpoint']}", f"of {event['n']:,} followed up{longest}")
    (rna,), (images,), (features,) = rows["rna"], rows["images"], rows["features"]
    if rna["n"]:
        yield Tile(rna["n"], "patients with RNA", plural(rna["n_profiles"], "profile"))
    if images["n"]:
        yield Tile(images["n"], "patients with images", plural(images["n_examinations"], "examination"))
    if features["n"]:
        yield Tile(features["n"], "patients with features from elsewhere", "tables of features")


def _of_paper(look: Look, rows: Mapping[str, list[dict[str, Any]]]) -> Iterator[Statement]:
    yield from _cutoff(look, rows["cutoffs"])
    yield from _groups(look, rows, "tsh_ratio", "the TSH ratio", "logrank_tests", "group", "km")
    yield from _beside(look, rows["terms"])
    yield from _networks(look, rows["networks"])
    yield from _auc(look, rows, "tsh_model", "The TSH model", "roc")
    yield from _groups(look, rows, "tsh_score", "the TSH score", "score_logrank", "score group", "score-km")
    yield from _signature(look, rows)
    yield from _groups(look, rows, "signature", "the signature", "signature_logrank", "signature group", "signature-km")


def _newest(look: Look, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of the newest version of every cohort, in the order of study.toml."""
    wanted = newest_of_each((r["cohort"] for r in rows), look.order)
    return [r for name in wanted for r in rows if r["cohort"] == name]


def _cutoff(look: Look, cutoffs: list[dict[str, Any]]) -> Iterator[Statement]:
    for row in _newest(look, cutoffs)[:1]:
        honest = row["p_permutation"]
        how = {"fixed": "set beforehand in study.toml"}.get(row["method"], f"chosen by {row['method']}")
        seen = look.labels.of("logrank_tests", row["cohort"]).seen
        chosen = "chosen by the outcome of these patients" if row["method"] == "maxstat" else ""
        label = next(
            (clean(s.words) for s in seen if s.fit == f"cutoff/{row['cohort']}" and s.outcome is not None), chosen
        )
        detail = f"{how}; {row['n_high']:,} of {row['n']:,} above, {row['cohort']}"
        if honest is not None:
            detail += f"; p by permutation {p(honest)}"
        yield Statement(
            f"Cut-off of {row['population']}, {row['biomarker']}", number(row["value"]) or "none", detail, label,
            "optimistic" if label else "", look.figures.get(("km", None), ""),
        )  # fmt: skip


def _groups(
    look: Look, rows: Mapping[str, list[dict[str, Any]]], grouping: str, words: str, analysis: str, model: str, drawing: str
) -> Iterator[Statement]:  # fmt: skip
    tests = [r for r in rows["tests"] if r["grouping"] == grouping]
    for row in _newest(look, tests):
        n, events = row["n_good"] + row["n_poor"], row["n_good_events"] + row["n_poor_events"]
        term = next(
            (t for t in rows["terms"] if t["model"] == model and t["cohort"] == row["cohort"] and t["endpoint"] == row["endpoint"]
             and t["hazard_ratio"] is not None), None,
        )  # fmt: skip
        if row["p_value"] is None:
            value = "no test"
            detail = row["reason"] or "no reason is known"
        else:
            value = f"log-rank p {_p(row['p_value'])}"
            detail = f"n = {n:,}, {_events(events, row)}" + (f"; HR {_ratio(term)}" if term else "")
        label, kind = _label(look, row)
        where = look.figures.get((drawing, row["cohort"])) or look.figures.get((drawing, None), "")
        yield Statement(f"{row['endpoint']} by {words}, {row['cohort']}", value, detail, label, kind, where)


def _beside(look: Look, terms: list[dict[str, Any]]) -> Iterator[Statement]:
    """The biomarker beside clinical variables."""
    found = [t for t in terms if t["model"] == "multivariable" and t["term"].startswith("TSH")]
    for row in _newest(look, found)[:2]:
        what = f"{row['term']} beside clinical variables, {row['endpoint']}, {row['cohort']}"
        if row["hazard_ratio"] is None:
            yield Statement(what, "no estimate", row["reason"] or "", to=look.tables.get("s4", ""))
            continue
        label, kind = _label(look, row)
        if row["events_per_term"] is not None and row["events_per_term"] < FEW_EVENTS:
            label = "; ".join(filter(None, [label, f"few events, {number(row['events_per_term'])} a term"]))
            kind = kind or "weak"
        detail = f"p {_p(row['p_value'])}; n = {row['n']:,}, {_events(row['n_events'], row)}"
        yield Statement(what, f"HR {_ratio(row)}", detail, label, kind, look.tables.get("s4", ""))


def _networks(look: Look, networks: list[dict[str, Any]]) -> Iterator[Statement]:
    for row in _newest(look, networks)[:1]:
        label = look.labels.of("network_parameters", row["cohort"])
        yield Statement(
            f"Topology of the cell networks, good against poor, {row['cohort']}",
            f"{row['n_below']} of {row['n']} differ",
            f"p < .05 by {row['draws']:,} exchanges of the groups, adjusted (Benjamini and Hochberg)" if row["draws"] else "",
            "; ".join(map(clean, label.words)), "circular" if label.circular else "",
            look.figures.get(("topology", None), ""),
        )  # fmt: skip


def _auc(
    look: Look, rows: Mapping[str, list[dict[str, Any]]], model: str, words: str, drawing: str
) -> Iterator[Statement]:
    for row in _newest(look, [r for r in rows["auc"] if r["model"] == model])[:1]:
        what, to = f"{words}, {row['cohort']}", look.figures.get((drawing, None), "")
        if row["value"] is None:
            yield Statement(what, "no AUC", row["reason"] or "", to=to)
            continue
        interval = f" ({row['ci_lower']:.2f} to {row['ci_upper']:.2f})" if row["ci_lower"] is not None else ""
        honest = "of patients that it had not seen (nested cross-validation)"
        yield Statement(what, f"AUC {row['value']:.2f}{interval}", f"n = {row['n']:,}", honest, "honest", to)


def _signature(look: Look, rows: Mapping[str, list[dict[str, Any]]]) -> Iterator[Statement]:
    for row in _newest(look, rows["signature"])[:1]:
        if row["reason"]:
            yield Statement(f"The signature, {row['cohort']}", "none", row["reason"], to=look.tables.get("s6", ""))
            return
    yield from _auc(look, rows, "signature_model", "The radiogenomic signature", "signature-roc")
    for row in _newest(look, rows["ladder"])[:1]:
        if row["verdict"]:
            yield Statement(
                f"Would something simpler have done as well, {row['cohort']}", str(row["verdict"]).replace("_", " "),
                row["finding"] or "", to=look.figures.get(("ladder", None), ""),
            )  # fmt: skip


def _label(look: Look, row: dict[str, Any]) -> tuple[str, str]:
    """(what must be said of the row, which kind of label that is), from its own columns and what it was made of."""
    label = look.labels.of_unit(row["unit_id"])
    if words := label.of_row(row):
        return clean(words), "optimistic"
    if row.get("is_optimistic"):
        return "optimistic: it rests on what these patients' outcome chose", "optimistic"
    if label.is_in_sample:
        return clean("; ".join(s.words for s in label.seen if s.outcome is None)), "in-sample"
    return "", ""


def _events(n: int, row: Mapping[str, Any]) -> str:
    """Events of a test or a model, and until when they count."""
    return plural(n, "event") + within(row["censored_at_days"])


def _p(value: float | None) -> str:
    return "is not known" if value is None else "< 0.001" if value < 0.001 else f"= {value:.3f}"


def _ratio(row: Mapping[str, Any]) -> str:
    return f"{number(row['hazard_ratio'])} ({number(row['ci_lower'])} to {number(row['ci_upper'])})"
