"""The paper's figures: what each is drawn from, and how to read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tshdb.errors import NotFound
from tshdb.figures import drawings
from tshdb.figures.later import Later, Unread
from tshdb.next_step import NoRows
from tshdb.offered import StudyFigure
from tshdb.optimism import label_of
from tshdb.tables.numbers import number, ratio, within
from tshdb.tables.rows import cohort_order, label_of_signature, members, newest, of_cohort, of_name, records, version_of
from tshdb.text.counts import plural

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from tshdb.study import Study


def _labelled(study: Study, tests: pd.DataFrame, analysis: str, cohort: str) -> tuple[pd.DataFrame, list[str]]:
    """The tests with is_circular as it is true now, whether it was noted or not, and what must be said of all of them."""
    label = label_of(study, analysis, cohort)
    is_circular = [label.circular_of_row(row) is not None for row in tests.to_dict("records")]
    return tests.assign(is_circular=is_circular), label.words


def _said(how_to_read: str, words: list[str]) -> str:
    return "; ".join([how_to_read.rstrip("."), *words]) + "."


def _one(frame: pd.DataFrame) -> pd.Series | None:
    return frame.iloc[0] if len(frame) else None


def _reasons(grouping: str) -> str:
    """Why there are no curves, as the tests of the same groups say it."""
    where = f"WHERE grouping = '{grouping}' AND reason IS NOT NULL"
    return f"SELECT cohort, reason FROM logrank_tests {where} ORDER BY unit_id DESC"


BAND = "the band is the 95 % interval, a tick a patient censored there"


def _counted(tests: pd.DataFrame) -> str:
    """Until when the events of these tests count, to be added to how curves are read."""
    said = {within(days) for days in tests["censored_at_days"]}
    return f"; counted are events{said.pop()}" if len(said) == 1 and "" not in said else ""


def _km(grouping: str, words: str):
    def read(study: Study, cohort: str | None) -> tuple[Later, str]:
        query = f"SELECT * FROM km_points WHERE grouping = '{grouping}'"
        nothing = f"no survival curves by {words}"
        points, name = of_cohort(
            study, query, cohort, nothing, "km_curves", _reasons(grouping), of_unseen=grouping == "tsh_score"
        )
        tests = study.sql("SELECT * FROM logrank_tests WHERE cohort = $c AND grouping = $g", {"c": name, "g": grouping})
        endpoint = points["endpoint"].iloc[0]
        label = label_of(study, "logrank_tests", name)
        title = f"{endpoint} by {words}, {name}"
        beside = _beside_curves(study, grouping, name, endpoint)
        figure = Later.of(drawings.kaplan_meier, points, _one(tests), title, label.optimistic, beside)
        how_to_read = f"Share alive over time; {BAND}{_counted(tests)}"
        return figure, _said(how_to_read, label.words)

    return read


HAZARDS = {
    "tsh_ratio": "group",
    "tsh_score": "score group",
    "signature": "signature group",
}  # grouping -> model of cox_terms
CUT_OFFS = {
    "tsh_ratio": "SELECT value FROM cutoffs WHERE cohort = $c UNION ALL SELECT max(cutoff) FROM survival_groups",
    "tsh_score": "SELECT max(threshold) FROM tsh_scores WHERE $c IS NOT NULL",
    "signature": "SELECT max(threshold) FROM signature_scores WHERE $c IS NOT NULL",
}


def _beside_curves(study: Study, grouping: str, cohort: str, endpoint: str) -> list[str]:
    """What stands above curves: the hazard ratio of their groups with its interval, and the cut-off between them."""
    query = "SELECT * FROM cox_terms WHERE model = $m AND cohort = $c AND endpoint = $e AND hazard_ratio IS NOT NULL"
    terms = study.sql(query, {"m": HAZARDS[grouping], "c": cohort, "e": endpoint})
    lines = [f"HR of {row['term']} {ratio(row)}" for row in records(terms)[:1]]
    found = study.sql(
        f"SELECT value FROM ({CUT_OFFS[grouping]}) AS v(value) WHERE value IS NOT NULL LIMIT 1", {"c": cohort}
    )
    return [*lines, *(f"cut-off {number(value)}" for value in found["value"])]


def _roc(model: str, words: str, analysis: str):
    def read(study: Study, cohort: str | None) -> tuple[Later, str]:
        query = f"SELECT * FROM roc_points WHERE model = '{model}'"
        unseen = f"model = '{model}' AND scheme = 'nested' AND measure = 'auc' AND value IS NULL"
        reasons = f"SELECT cohort, reason FROM model_performance WHERE {unseen} ORDER BY unit_id DESC"
        points, name = of_cohort(study, query, cohort, f"no ROC curve of the {words}", analysis, reasons)
        shown = f"{name}{_foretold(study, name)}" if model == "signature_model" else name
        figure = Later.of(
            drawings.roc, points, _nested(study, model, name), f"{words}, nested cross-validation\n{shown}"
        )
        return figure, "Every score is by models that never saw the patient; the dotted line is guessing."

    return read


def _nested(study: Study, model: str, cohort: str) -> pd.Series | None:
    """The AUC of patients that a model had not seen."""
    query = "SELECT * FROM model_performance WHERE cohort = $c AND model = $m AND scheme = 'nested' AND measure = 'auc'"
    return _one(study.sql(query, {"c": cohort, "m": model}))


def _foretold(study: Study, cohort: str) -> str:
    """What a signature foretells, to be added to a title; nothing where it is the TSH score's classes."""
    label = label_of_signature(study, cohort)
    return "" if label["asked"] is None else f": {label['foretold']} against {label['against']} ({label['asked']})"


def _signature_km(study: Study, cohort: str | None) -> tuple[Later, str]:
    query = "SELECT * FROM km_points WHERE grouping = 'signature'"
    nothing = "no curves by the signature"
    points, name = of_cohort(study, query, cohort, nothing, "signature_curves", _reasons("signature"))
    tests = study.sql("SELECT * FROM logrank_tests WHERE cohort = $c AND grouping = 'signature'", {"c": name})
    panels = []
    for endpoint, of_endpoint in points.groupby("endpoint", sort=True):
        test = _one(tests[tests["endpoint"] == endpoint])
        origin = f" from {test['time_origin'].replace('_', ' ')}" if test is not None and test["time_origin"] else ""
        beside = _beside_curves(study, "signature", name, str(endpoint))
        panels.append((of_endpoint, test, f"{endpoint}{origin}, by the signature\n{name}", beside))
    label, classes = label_of(study, "signature_logrank", name), label_of_signature(study, None)
    words = {} if classes["asked"] is None else {"good": classes["foretold"], "poor": classes["against"]}
    return Later.of(drawings.kaplan_meiers, panels, words), "; ".join(
        [
            f"Share without an event over time; {BAND}{_counted(tests)}",
            *(label.words or ["the signature was made on other patients"]),
        ]
    ) + "."


def _search(study: Study, cohort: str | None) -> tuple[Later, str]:
    from tshdb.figures import signature_drawings

    query = "SELECT * FROM search_generations WHERE reason IS NULL"
    reasons = "SELECT cohort, reason FROM search_generations WHERE reason IS NOT NULL ORDER BY unit_id DESC"
    generations, name = of_cohort(study, query, cohort, "no search for a signature", "signature_search", reasons)
    first = generations.iloc[0]
    over = plural(int(first["n_candidates"]), "feature")
    title = f"Genetic search over {over}, n = {first['n']}\n{name}{_foretold(study, name)}"
    figure = Later.of(signature_drawings.search, generations, _nested(study, "signature_model", name), title)
    return figure, "What the search reaches on its own folds is optimistic; the band is what the whole way is worth."


def _ladder(study: Study, cohort: str | None) -> tuple[Later, str]:
    from tshdb.figures import signature_drawings

    query = "SELECT * FROM ladder_rungs ORDER BY position"
    rungs, name = of_cohort(study, query, cohort, "no ladder of a signature", "signature_ladder")
    first = rungs.iloc[0]
    worth = next((said for said in rungs["finding"][1:] if isinstance(said, str)), None)
    said = "; ".join(filter(None, [first["finding"], worth]))
    figure = Later.of(signature_drawings.ladder, rungs, f"{name}{_foretold(study, name)}: {first['verdict']}", said)
    return figure, (
        "Left: the AUC of patients not seen, of draws their mean, with a point for each draw; right: how far the signature is "
        "above, on the same patients. Bars are 95 % intervals (DeLong); right of the dotted line is above one half, or above "
        "the rung."
    )


def _calibration(study: Study, cohort: str | None) -> tuple[Later, str]:
    from tshdb.figures import signature_drawings

    query = "SELECT * FROM calibration_groups WHERE seen IS NOT NULL"
    reasons = "SELECT cohort, reason FROM calibration_groups WHERE reason IS NOT NULL ORDER BY unit_id DESC"
    nothing = "no calibration of the signature"
    groups, name = of_cohort(study, query, cohort, nothing, "calibration_groups", reasons)
    figure = Later.of(signature_drawings.calibration, groups, name)
    return figure, (
        "A point is a part of the cohort by its scores, from low to high. Foretold: Cox models of the score within the cohort, "
        "each patient's from one that had not seen her."
    )


def _ph(analysis: str, models: str, words: str):
    def read(study: Study, cohort: str | None) -> tuple[Later, str]:
        import pandas as pd

        from tshdb.figures import residual_drawings

        of_models = f"FROM schoenfeld_residuals WHERE model {models}"
        query = f"SELECT * {of_models} AND position > 0 ORDER BY unit_id DESC, endpoint, model, term, position"
        reasons = f"SELECT cohort, reason {of_models} AND position = 0 ORDER BY unit_id DESC"
        nothing = f"no residuals of Cox models of {words}"
        residuals, name = of_cohort(study, query, cohort, nothing, analysis, reasons)
        nobody = f"SELECT * {of_models} AND position = 0 AND cohort = $c ORDER BY endpoint, model, term"
        without = study.sql(nobody, {"c": name})
        rows = pd.DataFrame([*records(residuals), *records(without)])
        title = f"Proportional hazards, {words}, {name}"
        how_to_read = (
            "A point is a death, drawn at the log hazard ratio that it speaks for; the curve through the points, with two "
            "standard errors, is level where hazards are proportional; dotted: the model's estimate; p by the score test."
        )
        words_of = label_of(study, analysis, name).words
        return Later.of(residual_drawings.residuals, rows, title), _said(how_to_read, words_of)

    return read


def _abundances(study: Study, cohort: str) -> pd.DataFrame:
    """Abundances in tumour and stroma of a cohort's members, with their prognosis."""
    values = study.sql(
        "SELECT r.patient_id, r.population, r.tumor_abundance, r.stroma_abundance, g.prognosis FROM tsh_ratios r "
        "JOIN survival_groups g ON g.patient_id = r.patient_id AND g.unit = r.unit ORDER BY ALL"
    )
    return values[values["patient_id"].isin(members(study, cohort))]


def _compartments(study: Study, cohort: str | None) -> tuple[Later, str]:
    query = "SELECT * FROM wilcoxon_tests ORDER BY unit_id, grouping"
    tests, name = of_cohort(study, query, cohort, "no tests of compartments", "compartment_tests")
    tests, words = _labelled(study, tests, "compartment_tests", name)
    figure = Later.of(drawings.compartments, _abundances(study, name), tests, name)
    return figure, _said(
        "Box: the middle half of the patients; stars: tumour and stroma of the same patients differ.", words
    )


def _networks(study: Study, cohort: str | None) -> tuple[Later, str]:
    parameters, name = of_cohort(study, "SELECT * FROM network_parameters", cohort, "no networks", "network_parameters")
    edges = study.sql("SELECT * FROM network_edges WHERE cohort = $c ORDER BY ALL", {"c": name})
    populations = list(study.sql("SELECT DISTINCT population FROM tsh_ratios ORDER BY 1")["population"])
    counts = dict(zip(parameters["prognosis"], parameters["n"].astype(int), strict=True))
    figure = Later.of(drawings.networks, edges, populations, counts, f"Cell networks, {name}")
    is_negative = bool((edges["correlation"] < 0).any())
    which, dashed = ("|r|", ", dashed is negative") if is_negative else ("r", "")
    joined = f"A line joins two populations whose abundances correlate (Pearson's {which} above the threshold)"
    return figure, f"{joined}; thicker is stronger{dashed}."


def _topology(study: Study, cohort: str | None) -> tuple[Later, str]:
    query = "SELECT * FROM network_parameters WHERE is_in_paper ORDER BY unit_id DESC, compartment, parameter"
    parameters, name = of_cohort(study, query, cohort, "no networks", "network_parameters")
    parameters, words = _labelled(study, parameters, "network_parameters", name)
    figure = Later.of(drawings.topology, parameters, f"Topology of the cell networks, {name}")
    how_to_read = (
        "Each spoke is one parameter, drawn as a share of the larger of the two groups; the values stand at its end, and a "
        "star where permuting the patients' groups gives p < .05 (Benjamini-Hochberg over all parameters)."
    )
    return figure, _said(how_to_read, words)


def _correlation(study: Study, cohort: str | None) -> tuple[Later, str]:
    population = study.sql("SELECT DISTINCT population FROM cutoffs ORDER BY 1")["population"]
    query = "SELECT * FROM wilcoxon_tests ORDER BY unit_id"
    tests, name = of_cohort(study, query, cohort, "no tests of compartments", "compartment_tests")
    if not len(population):
        raise NoRows("no cut-off, and so no groups", analyses=("cutoff",))
    values = _abundances(study, name)
    of_population = values[values["population"] == population[0]]
    tests, words = _labelled(study, tests[tests["population"] == population[0]], "compartment_tests", name)
    figure = Later.of(drawings.correlation, of_population, tests, f"{population[0]}, {name}")
    how_to_read = "A point is a patient; the line is the least-squares fit, r Pearson's correlation in that group."
    return figure, _said(how_to_read, words)


class Moved(NamedTuple):
    """A step of a cohort's flow as it is drawn: without its SQL, which may name a patient."""

    step: int
    effect: str
    reason: str
    n_in: int
    n_out: int


def _flow(study: Study, cohort: str | None) -> tuple[Later, str]:
    if cohort is None:
        query = "SELECT cohort || '@' || version AS c FROM cohort_versions WHERE mode = "
        versions = [list(study.sql(f"{query}'{mode}' ORDER BY 1")["c"]) for mode in ("frozen", "live")]
        order = cohort_order(study)
        cohort = newest(versions[0], order) or newest(versions[1], order)
    if cohort is None:
        raise NoRows("no cohort has a version yet")
    version = version_of(study, cohort)
    if not version.flow:
        now = f"Its steps as they are now: tshdb cohort flow {version.cohort} --now"
        raise NotFound(f"{version.key} is older than the record of steps", repair=now)
    how_to_read = "From top to bottom: who is left; to the side: who was taken out, and why."
    moved = [Moved(step.step, step.effect, step.reason, step.n_in, step.n_out) for step in version.flow]
    return Later.of(drawings.flow, moved, version.key), how_to_read


def _features(study: Study, cohort: str | None) -> tuple[Later, str]:
    """Features of first examinations by the prognosis that the TSH score predicts, else that of the ratio."""
    from tshdb.figures import feature_drawings

    values = study.sql(
        "SELECT s.patient_id, s.study_uid, coalesce(t.prognosis, g.prognosis) AS prognosis, f.feature, f.value "
        "FROM radiomic_features f JOIN imaging_studies s USING (study_uid) "
        "LEFT JOIN (SELECT patient_id, arg_max(prognosis, unit_id) AS prognosis FROM tsh_scores GROUP BY 1) t USING (patient_id) "
        "LEFT JOIN (SELECT patient_id, arg_max(prognosis, unit_id) AS prognosis FROM survival_groups GROUP BY 1) g "
        "USING (patient_id) WHERE s.time_point = 'T0' AND f.value IS NOT NULL ORDER BY ALL"
    )
    values = values[values["prognosis"].notna()]
    if cohort is not None:
        values = values[values["patient_id"].isin(members(study, cohort))]
    if not len(values):
        makers = ("radiomic_features", "survival_groups", "tsh_scores")
        reasons = "SELECT patient_id AS cohort, reason FROM tsh_scores WHERE reason IS NOT NULL ORDER BY patient_id"
        nothing = "no patient has both features and a prognosis" + of_name(cohort)
        raise NoRows(nothing, analyses=makers, reasons=reasons)
    examples = {
        group: example
        for group in feature_drawings.GROUPS
        if (example := _example(study, values[values["prognosis"] == group])) is not None
    }
    tests = study.sql("SELECT * FROM feature_tests WHERE grouping = 'label' AND asked IS NULL ORDER BY unit_id DESC")
    named = newest(tests["cohort"], cohort_order(study))
    tests = tests[tests["cohort"] == named]
    title = "Radiomic features by predicted prognosis (TSH score)"
    behind = (
        f"p between the classes of {named}, adjusted (Benjamini and Hochberg)"
        if len(tests)
        else "no test was made, so no p"
    )
    return Later.of(feature_drawings.by_group, values, tests, examples, title), (
        f"A point is a patient's first examination; {behind}. Right: the patient of each group whose IDMN is the group's median."
    )


def _example(study: Study, values: pd.DataFrame) -> Unread | None:
    """(SI of a slice, tumour in it, aspect) of the patient whose IDMN is in the middle of the group."""
    from tshdb.figures.feature_drawings import EXAMPLE
    from tshdb.figures.region_drawings import Regions, Rows

    of_example = values[values["feature"] == EXAMPLE].sort_values(["value", "patient_id"])
    if not len(of_example):
        return None
    study_uid = of_example.iloc[len(of_example) // 2]["study_uid"]
    rows = Rows(study, study_uid)
    rows.refuse_without_images()

    def read() -> tuple[np.ndarray, np.ndarray, float]:
        regions = Regions(study, study_uid, rows)
        at = regions.shown()[0]
        columns, lines, _ = regions.like.GetSpacing()
        return regions.maps()["SI"][at], regions.masks["tumor"][at], lines / columns

    return Unread((rows.images, rows.objects, rows.facts["stroma"].get("parenchyma_s0")), read)


FIGURES = (
    StudyFigure("flow", "How a cohort came about", _flow),
    StudyFigure("km", "Survival by the TSH ratio", _km("tsh_ratio", "the TSH ratio")),
    StudyFigure(
        "ph",
        "Proportional hazards of the TSH biomarker",
        _ph("ph_residuals", "NOT LIKE 'signature%'", "the TSH biomarker"),
    ),
    StudyFigure("compartments", "Abundances in tumour and stroma", _compartments),
    StudyFigure("s1", "Tumour and stroma in the same patients", _correlation),
    StudyFigure("networks", "Cell networks", _networks),
    StudyFigure("topology", "Topology of the cell networks", _topology),
    StudyFigure("roc", "ROC curve of the TSH model", _roc("tsh_model", "TSH model", "roc_points")),
    StudyFigure("features", "Radiomic features by group", _features),
    StudyFigure("score-km", "Survival by the TSH score", _km("tsh_score", "the TSH score")),
    StudyFigure("search", "The search for the signature", _search),
    StudyFigure(
        "signature-roc",
        "ROC curve of the signature",
        _roc("signature_model", "Radiogenomic signature", "signature_roc"),
    ),
    StudyFigure("ladder", "What else would have done as well as the signature", _ladder),
    StudyFigure("signature-km", "Survival by the signature", _signature_km),
    StudyFigure(
        "signature-ph",
        "Proportional hazards of the signature",
        _ph("signature_residuals", "LIKE 'signature%'", "the signature"),
    ),
    StudyFigure("calibration", "Calibration of the signature", _calibration),
)
