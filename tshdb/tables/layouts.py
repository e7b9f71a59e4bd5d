"""The paper's tables, laid out: a title, columns, cells, and what must be said about them."""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any, NamedTuple

from tshdb.tables import characteristics
from tshdb.tables import rows as read

PAPER_N = 112


class Layout(NamedTuple):
    """A table to show. right: the columns of numbers; None in a cell is a value that is not there."""

    title: str
    headers: tuple[str, ...]
    cells: list[tuple]
    right: tuple[int, ...]
    notes: tuple[str, ...] = ()


def table_1(rows: list[dict[str, Any]]) -> list[Layout]:
    """One table a cohort, the paper's column beside it where the paper has the cohort."""
    layouts = []
    for cohort in dict.fromkeys(r["cohort"] for r in rows):
        of_cohort = [r for r in rows if r["cohort"] == cohort]
        has_paper = any(r["paper"] for r in of_cohort)
        cells = [(r["row"], r["level"], r["value"], *([r["paper"] or None] if has_paper else [])) for r in of_cohort]
        headers = ("", "", "here", *(["paper"] if has_paper else []))
        layouts.append(Layout(cohort, headers, cells, (2, 3) if has_paper else (2,)))
    return layouts


def table_2(rows: list[dict[str, Any]]) -> list[Layout]:
    """Side by side with the paper, and what differs said."""
    first = rows[0]
    cells = []
    for row in rows:
        paper = row["paper"]
        cells.append(
            (
                row["term"],
                ratio(row) if row["coefficient"] is not None else row["reason"],
                p(row["p_value"]),
                p(row["p_adjusted"]),
                ratio(paper) if paper else None,
                p(paper["p_value"]) if paper else None,
                p(paper["p_adjusted"]) if paper else None,
            )
        )
    compared = [r for r in rows if r["paper"] and r["coefficient"] is not None]
    same = sum((r["coefficient"] < 0) == (r["paper"]["beta"] < 0) for r in compared)
    return [
        Layout(
            f"Univariable Cox of (A_tumor - A_stroma) / A_stroma, {_text(first['endpoint'])}, {first['cohort']}, "
            f"n = {first['n']}, {first['n_events']} events, {first['transform']} of {_text(first['unit']).upper()}",
            ("population", "HR (95 % CI)", "p", "BH", f"paper (n = {PAPER_N})", "p", "BH"),
            cells,
            (2, 3, 5, 6),
            (
                f"{same} of {len(compared)} directions agree with the paper. The size of a hazard ratio depends on the "
                "expression unit, and these patients, values and follow-up are not exactly the paper's: tshdb docs paper",
                *_left_out(rows),
            ),
        )
    ]


def cox(rows: list[dict[str, Any]], title: str, by_model: bool = False) -> list[Layout]:
    """Cox terms, with the test of proportional hazards."""
    first = rows[0]
    scale = f", {first['transform']} of {_text(first['unit']).upper()}" if first["unit"] is not None else ""
    cells = [
        (
            *([row["model"]] if by_model else []),
            row["term"],
            ratio(row) if row["coefficient"] is not None else None,
            p(row["p_value"]),
            *([] if by_model else [p(row["p_adjusted"])]),
            p(row["ph_p_value"]),
            row["n"],
            row["n_events"],
            row["reason"] or "",
        )
        for row in rows
    ]
    headers = (*(["model"] if by_model else []), "term", "HR (95 % CI)", "p", *([] if by_model else ["BH"]), "PH p", "n",
               "events", "")  # fmt: skip
    right = tuple(range(len(headers) - 5 - (not by_model), len(headers) - 1))
    title = f"Cox regression of {title}, {_text(first['endpoint'])}, {first['cohort']}{scale}"
    notes = _of_models(rows) if by_model else _left_out(rows)
    return [footnoted(Layout(title, headers, cells, right, notes))]


def _left_out(rows: list[dict[str, Any]]) -> tuple[str, ...]:
    """Who is not in models of one term each: a note for all that leave out the same."""
    notes = dict.fromkeys(r["left_out"] for r in rows if r["left_out"])
    terms = {note: [r["term"] for r in rows if r["left_out"] == note] for note in notes}
    return tuple(f"{'' if len(notes) == 1 else ', '.join(terms[note]) + ': '}{note}." for note in notes)


def _of_models(rows: list[dict[str, Any]], place=lambda r: (r["model"],)) -> tuple[str, ...]:
    """Notes on Cox models: who is left out for want of what, what was imputed, proportional hazards of all terms together.

    place: row -> what says which model it is of.
    """
    notes = []
    for row in (r for r in rows if r["n"]):
        where = ", ".join(map(_text, place(row)))
        if row["left_out"]:
            notes.append(f"{where}: {row['left_out']}.")
        if row["n_imputations"]:
            notes.append(f"{where}: {imputed(row)}.")
    for row in (r for r in rows if r["ph_global_p_value"] is not None):
        where = ", ".join(map(_text, place(row)))
        notes.append(f"{where}: proportional hazards of all terms together, p = {p(row['ph_global_p_value'])}.")
    return tuple(dict.fromkeys(notes))


def imputed(row: dict[str, Any]) -> str:
    """What was imputed for a row of cox_terms, in words."""
    return (
        f"covariates are imputed ({row['imputed']}), {row['n_imputations']:.0f} data sets pooled; "
        f"of {row['n_complete']:.0f} of {row['n']} patients every covariate is known"
    )


def networks(rows: list[dict[str, Any]]) -> list[Layout]:
    """Good beside poor, in the tumour and in the stroma."""
    by_place = {(r["compartment"], r["parameter"], r["prognosis"]): r for r in rows}
    names = dict.fromkeys(
        (r["compartment"], r["parameter"]) for r in sorted(rows, key=lambda r: r["compartment"] != "tumor")
    )
    cells = []
    for compartment, parameter in names:
        good, poor = (by_place[compartment, parameter, group] for group in ("good", "poor"))
        cells.append((compartment, parameter, "yes" if good["is_in_paper"] else "", number(good["value"]),
                      number(poor["value"]), p(good["p_value"]), p(good["p_adjusted"])))  # fmt: skip
    n = {r["prognosis"]: r["n"] for r in rows}
    title = f"Cell networks (Pearson r above the threshold), {rows[0]['cohort']}; p by permutation of the groups"
    headers = ("compartment", "parameter", "in the paper", f"good (n = {n['good']})", f"poor (n = {n['poor']})", "p",
               "BH")  # fmt: skip
    return [Layout(title, headers, cells, (3, 4, 5, 6))]


def features(rows: list[dict[str, Any]]) -> list[Layout]:
    """All features, a line each; the classes with how many."""
    cells = [
        (r["feature"], r["feature_class"], r["n"] or None, number(r["mean"]), number(r["sd"]), number(r["lowest"]),
         number(r["highest"]), r["n_missing"] or None)
        for r in rows
    ]  # fmt: skip
    n, measured = len(rows), max((r["n"] for r in rows), default=0)
    title = f"The {n} radiomic features, of {measured} examinations"
    headers = ("feature", "class", "n", "mean", "SD", "lowest", "highest", "missing")
    notes = (
        "region.map.class.name; the values are PyRadiomics'. S0 before contrast, SI = intermediate - S0, SL = last - S0, "
        "divided by the parenchyma's mean in S0.",
    )
    return [Layout(title, headers, cells, (2, 3, 4, 5, 6, 7), notes)]


def signature_features(rows: list[dict[str, Any]]) -> list[Layout]:
    """The signature's features; what became of the others in one line; how good it is, the honest figure first."""
    chosen = [r for r in rows if r["status"] == "selected"]
    cells = [
        (r["feature"], number(r["auc"]), number(r["mean_good"]), number(r["mean_poor"]), number(r["importance"]),
         f"{r['frequency']:.0%}" if r["frequency"] is not None else None)
        for r in chosen
    ]  # fmt: skip
    n = {status: sum(r["status"] == status for r in rows) for status in ("candidate", "dropped")}
    notes = [
        f"{len(rows)} features: {n['dropped']} dropped (too like a better one, no value, no spread), {n['candidate']} not taken "
        "by the search.",
        "folds: in how many outer folds the search chose it. auc: of the feature alone, not corrected for choosing.",
    ]
    for scheme, words in (
        ("nested", "{} of patients that the signature had not seen (nested)"),
        ("search", "{} that the search optimised, mean over its own folds, as the paper's: optimistic"),
        ("refolded", "{} of the same features on other folds, chosen by these patients: optimistic"),
    ):
        if row := rows[0]["performance"].get(scheme):
            measure = "AUC" if row["measure"] == "auc" else _text(row["measure"]).replace("_", " ").capitalize()
            notes.append(f"{words.format(measure)}: {with_intervals(row)}")
    label = rows[0]["label"]
    notes += labelled(label)
    title = f"The radiogenomic signature of {rows[0]['cohort']}: {len(chosen)} features"
    means = (f"mean, {label['foretold']}", f"mean, {label['against']}")
    headers = ("feature", "auc", *means, "importance", "folds")
    return [Layout(title, headers, cells, (1, 2, 3, 4, 5), tuple(notes))]


def labelled(label: dict[str, Any]) -> list[str]:
    """What a signature foretells, if it is not the TSH score's classes, and how many of its cohort have which."""
    if label["asked"] is None:
        return []
    counted = "; ".join(f"{n} {what}" for what, n in label["counts"].items())
    return [
        f"It foretells {label['foretold']} against {label['against']}, of {label['asked']}. Of its cohort: {counted}."
    ]


def signature_prognosis(rows: list[dict[str, Any]]) -> list[Layout]:
    """Log-rank tests, quantiles, competing events, Cox models, what the score adds, C-indices, calibration: of each endpoint."""

    def of(kind: str) -> list[dict[str, Any]]:
        return [r for r in rows if r["kind"] == kind]

    def place(r: dict[str, Any]) -> tuple:
        return r["cohort"], r["endpoint"]

    label = rows[0]["label"]
    good, poor = label["foretold"], label["against"]
    against = f"{good} against {poor}"
    layouts = [
        Layout(
            f"{against[0].upper()}{against[1:]} by the signature score, log-rank test",
            ("cohort", "endpoint", "from", good, "events", "median days (95 % CI)", poor, "events", "median days (95 % CI)",
             "p", "difference of means (95 % CI)", "until day", ""),
            [
                (*place(r), r["time_origin"], r["n_good"], r["n_good_events"], median(r, "good"), r["n_poor"],
                 r["n_poor_events"], median(r, "poor"), p(r["p_value"]), difference(r), number(r["mean_until_days"]),
                 r["reason"] or "")
                for r in of("test")
            ],
            (3, 4, 5, 6, 7, 8, 9, 10, 11),
            tuple(labelled(label)),
        ),
        Layout(
            "Days by which a quarter, a half and three quarters have had the event (95 % CI)",
            ("cohort", "endpoint", "group", "n", "events", "25 %", "50 %", "75 %", ""),
            [(*place(r[25]), good if r[25]["prognosis"] == "good" else poor, r[25]["n"], r[25]["n_events"],
              *map(quantile, r.values()), _reasons(r))
             for r in by_percent(of("quantile"))],
            (3, 4, 5, 6, 7),
        ),
        Layout(
            f"Which event came first: Gray's test of {against}",
            ("cohort", "endpoint", "first", good, "events", "other kind", poor, "events", "other kind", "p", ""),
            [
                (*place(r), r["cause"], r["n_good"], r["n_good_events"], r["n_good_competing"], r["n_poor"], r["n_poor_events"],
                 r["n_poor_competing"], p(r["p_value"]),
                 "; ".join(filter(None, [r["reason"], f"left out: {r['left_out']}" if r["left_out"] else None])))
                for r in of("gray")
            ],
            (3, 4, 5, 6, 7, 8, 9),
        ),
        Layout(
            "Cox regression of the signature",
            ("cohort", "endpoint", "model", "term", "HR (95 % CI)", "p", "PH p", "n", "events", ""),
            [
                (*place(r), r["model"].removeprefix("signature "), r["term"],
                 ratio(r) if r["coefficient"] is not None else None, p(r["p_value"]), p(r["ph_p_value"]), r["n"], r["n_events"],
                 r["reason"] or "")
                for r in of("cox")
            ],
            (5, 6, 7, 8),
            _of_models(of("cox"), lambda r: (*place(r), r["model"].removeprefix("signature "))),
        ),
        Layout(
            "Does the score add to the clinical variables: likelihood ratio test on the same patients",
            ("cohort", "endpoint", "clinical variables", "chi2", "p", "n", "events", ""),
            [
                (*place(r), r["covariates"], number(r["chi2"]), p(r["p_value"]), r["n"], r["n_events"], r["reason"] or "")
                for r in of("added")
            ],
            (3, 4, 5, 6),
        ),
        Layout(
            "Harrell's C",
            ("cohort", "endpoint", "model", "C (95 % CI)", "n", "events", "less clinical (95 % CI)", ""),
            [
                (*place(r), r["model"], interval(r, "c_index"), r["n"], r["n_events"], less_clinical(r),
                 "; ".join(filter(None, ["fitted on these patients: optimistic" if r["is_optimistic"] else "", r["reason"]])))
                for r in of("concordance")
            ],
            (4, 5),
        ),
        Layout(
            "Survival foretold (by models that had not seen the patient) and seen, by parts of the score",
            ("cohort", "endpoint", "days", "part", "n", "mean score", "foretold", "seen (95 % CI)", ""),
            [
                (*place(r), f"{r['at_days']:.0f}", r["part"], r["n"], number(r["mean_score"]), number(r["foretold"]),
                 interval(r, "seen"), r["reason"] or "")
                for r in of("calibration")
            ],
            (2, 3, 4, 5, 6),
        ),
    ]  # fmt: skip
    return [footnoted(layout) for layout in layouts if layout.cells]


def ladder(rows: list[dict[str, Any]]) -> list[Layout]:
    """The rungs, the signature first; draws by their mean and range; the verdict below."""
    first = rows[0]
    cells = [
        (r["rung"], r["way"], r["n"] or None, whole(r["n_features"]), interval(r, "auc"), of_draws(r), less_rung(r),
         r["reason"] or "")
        for r in rows
    ]  # fmt: skip
    searches = next((r["search"] for r in rows if r["search"]), None)
    worth = next((r["finding"] for r in rows[1:] if r["finding"]), None)
    notes = (
        f"Verdict: {first['finding']}.",
        *([f"{worth[0].upper()}{worth[1:]}."] if worth else []),
        f"{first['cohort']}: every AUC is of patients not seen, on the outer folds of the signature's nested validation. "
        f"Searches of the rungs (subsets x generations): {searches}. Intervals: DeLong; of differences, paired.",
        *labelled(first["label"]),
    )
    title = f"The ladder: what else would have done as well as the signature: {_text(first['verdict'])}"
    headers = ("rung", "way", "n", "features", "AUC (95 % CI)", "draws: range", "signature less rung (95 % CI)", "")
    return [footnoted(Layout(title, headers, cells, (2, 3), notes))]


def of_draws(row: Mapping[str, Any]) -> str | None:
    """The range of a rung's draws, and how many of them reach the signature's AUC."""
    if row["n_draws"] is None:
        return None
    reached = (
        "" if row["n_reached"] is None else f"; {row['n_reached']:.0f} of {row['n_draws']:.0f} reach the signature"
    )
    return f"{row['lowest']:.2f}–{row['highest']:.2f}{reached}"


def less_rung(row: Mapping[str, Any]) -> str | None:
    """How much larger the signature's AUC is than a rung's, on the patients whom both score."""
    if row["difference"] is None:
        return None
    ends, n = (row["difference_lower"], row["difference_upper"]), f"n = {row['n_shared']:.0f}"
    of = n if None in ends else f"{ends[0]:+.2f} to {ends[1]:+.2f}; {n}"
    return f"{row['difference']:+.2f} ({of})"


def whole(value: float | None) -> int | None:
    """A count, which comes as a fraction where another row has none."""
    return None if value is None else int(value)


def footnoted(layout: Layout) -> Layout:
    """The same with remarks that stand in several rows (parts of the last column, joined by "; ") once, below the table."""
    reasons = [part for row in layout.cells for part in row[-1].split("; ") if part]
    letters = dict(zip(dict.fromkeys(reasons), string.ascii_lowercase, strict=False))
    if len(letters) in (0, len(reasons)) or len(set(reasons)) > len(letters):
        return layout
    cells = [(*row[:-1], " ".join(letters[part] for part in row[-1].split("; ") if part)) for row in layout.cells]
    return layout._replace(
        cells=cells, notes=(*layout.notes, *(f"{letter}: {text}." for text, letter in letters.items()))
    )


class PaperTable(NamedTuple):
    """How one of the paper's tables is read and laid out. analyses: whose results it shows."""

    title: str
    rows: Any
    layout: Any
    analyses: tuple[str, ...] = ()


TABLES = {
    "1": PaperTable("Patient characteristics", characteristics.table_1, table_1),
    "2": PaperTable("Relative abundances and survival", read.table_2, table_2, ("univariable_cox",)),
    "s1": PaperTable("Radiomic features", read.feature_rows, features),
    "s2": PaperTable(
        "Abundances in the tumour and survival",
        lambda study, cohort: read.cox_rows(study, cohort, ("tumor",), "abundance_cox"),
        lambda rows: cox(rows, "abundance in the tumour, one by one"),
        ("abundance_cox",),
    ),
    "s3": PaperTable(
        "Abundances in the stroma and survival",
        lambda study, cohort: read.cox_rows(study, cohort, ("stroma",), "abundance_cox"),
        lambda rows: cox(rows, "abundance in the stroma, one by one"),
        ("abundance_cox",),
    ),
    "s4": PaperTable(
        "The TSH biomarker beside clinical variables",
        lambda study, cohort: read.cox_rows(study, cohort, read.TSH_MODELS, "tsh_cox"),
        lambda rows: cox(rows, "the TSH biomarker", by_model=True),
        ("tsh_cox",),
    ),
    "s5": PaperTable("Topology of the cell networks", read.network_rows, networks, ("network_parameters",)),
    "s6": PaperTable("The radiogenomic signature", read.selected_rows, signature_features),
    "ladder": PaperTable("What else would have done as well as the signature", read.ladder_rows, ladder),
    "prognosis": PaperTable(
        "What the signature foretells",
        read.signature_rows,
        signature_prognosis,
        ("signature_logrank", "signature_gray", "signature_cox", "likelihood_ratio_tests", "calibration_groups"),
    ),
}


def _text(value) -> str:
    return getattr(value, "value", value)


def number(value: float | None) -> str | None:
    """Three significant digits."""
    return None if value is None else f"{value:.3g}"


def ratio(row: dict[str, Any]) -> str:
    """A hazard ratio with its interval."""
    return f"{row['hazard_ratio']:.2f} ({row['ci_lower']:.2f}–{row['ci_upper']:.2f})"


def median(row: dict[str, Any], group: str) -> str | None:
    """A group's median survival in days with its interval; NR is a limit that was not reached."""
    if row[f"median_{group}_days"] is None:
        return None
    ends = [f"{v:.0f}" if (v := row[f"median_{group}_{end}"]) is not None else "NR" for end in ("lower", "upper")]
    return f"{row[f'median_{group}_days']:.0f} ({'–'.join(ends)})"


def by_percent(rows: list[dict[str, Any]]) -> list[dict[int, dict[str, Any]]]:
    """Of every group its rows of survival_quantiles, by percent."""
    groups: dict[tuple, dict[int, dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["cohort"], row["endpoint"], row["prognosis"]), {})[row["percent"]] = row
    return list(groups.values())


def quantile(row: dict[str, Any]) -> str | None:
    """A day with its interval; NR is what was not reached."""
    if not row["is_reached"]:
        return None if row["is_reached"] is None else "NR"
    ends = [f"{end:.0f}" if end is not None else "NR" for end in (row["ci_lower"], row["ci_upper"])]
    return f"{row['days']:.0f} ({'–'.join(ends)})"


def _reasons(rows: dict[int, dict[str, Any]]) -> str:
    return "; ".join(dict.fromkeys(r["reason"] for r in rows.values() if r["reason"]))


def difference(row: dict[str, Any]) -> str | None:
    """Good less poor of the restricted means, in days."""
    names = ("mean_difference_days", "mean_difference_lower", "mean_difference_upper")
    value, low, high = (row[name] for name in names)
    return None if value is None else f"{value:.0f} ({low:.0f} to {high:.0f})"


def interval(row: dict[str, Any], name: str) -> str | None:
    """A value with its interval, where it has one."""
    if row[name] is None:
        return None
    if row["ci_lower"] is None or row["ci_upper"] is None:
        return number(row[name])
    return f"{row[name]:.2f} ({row['ci_lower']:.2f}–{row['ci_upper']:.2f})"


def less_clinical(row: dict[str, Any]) -> str | None:
    """How much larger a row's C is than that of the clinical model, on the patients whom both know."""
    if row["difference"] is None:
        return None
    ends = (row["difference_lower"], row["difference_upper"])
    of = f"n = {row['n_shared']}" if None in ends else f"{ends[0]:+.2f} to {ends[1]:+.2f}; n = {row['n_shared']}"
    return f"{row['difference']:+.2f} ({of})"


def intervals_of(row: Mapping[Any, Any]) -> list[str]:
    """The 95 % intervals that a row of model_performance has, each with how it was found."""
    from pandas import notna

    ends = (("bootstrap", "ci_lower", "ci_upper"), ("DeLong", "delong_lower", "delong_upper"))
    known = [(name, row[low], row[high]) for name, low, high in ends if notna(row[low]) and notna(row[high])]
    return [f"{low:.3f} to {high:.3f} ({name})" for name, low, high in known]


def with_intervals(row: dict[str, Any]) -> str:
    """A row of model_performance: the value, n and its 95 % intervals, the bootstrap's and DeLong's, where it has them."""
    if row["value"] is None:
        return row["reason"] or "no value"
    parts = intervals_of(row)
    intervals = f"95 % CI {', '.join(parts)}; " if parts else ""
    return f"{row['value']:.3f} ({intervals}n = {row['n']}{'; ' + row['reason'] if row['reason'] else ''})"


def p(value: float | None) -> str | None:
    """A p value: four decimals, or two digits below .001."""
    if value is None:
        return None
    return f"{value:.2g}" if value < 0.001 else f"{value:.4f}"
