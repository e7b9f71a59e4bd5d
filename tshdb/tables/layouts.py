"""The paper's tables, laid out: a title, columns, cells, and what must be said about them."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from typing import Any, NamedTuple

from tshdb.tables import characteristics
from tshdb.tables import rows as read
from tshdb.tables.numbers import (
    alike,
    counted,
    difference,
    interval,
    less,
    median,
    number,
    p,
    quantile,
    ratio,
    with_intervals,
    within,
)
from tshdb.text.counts import plural
from tshdb.text.labels import in_words

PAPER_N = 112


class Layout(NamedTuple):
    """A table to show. right: the columns of numbers; None in a cell is a value that is not there.

    is_grouped: rows that follow each other are of one variable, whose name is the first cell of each.
    """

    title: str
    headers: tuple[str, ...]
    cells: list[tuple]
    right: tuple[int, ...]
    notes: tuple[str, ...] = ()
    is_grouped: bool = False

    def as_printed(self) -> list[tuple]:
        """The cells where nothing can be sorted: the name of a variable stands in its first row alone."""
        if not self.is_grouped:
            return self.cells
        above = [None, *(row[0] for row in self.cells)]
        return [("", *row[1:]) if row[0] == name else row for row, name in zip(self.cells, above, strict=False)]


def table_1(rows: list[dict[str, Any]]) -> list[Layout]:
    """One table a cohort, the paper's column beside it where the paper has the cohort."""
    layouts = []
    for cohort in dict.fromkeys(r["cohort"] for r in rows):
        of_cohort = [r for r in rows if r["cohort"] == cohort]
        has_paper = any(r["paper"] for r in of_cohort)
        cells = [
            (r["row"], r["level"], r["value"], *([_with_sign(r["paper"])] if has_paper else [])) for r in of_cohort
        ]
        headers = ("", "", "here", *(["paper"] if has_paper else []))
        layouts.append(Layout(cohort, headers, cells, (2, 3) if has_paper else (2,), is_grouped=True))
    return layouts


def _with_sign(printed: str | None) -> str | None:
    """What the paper prints of a class, "13 (11)", as our own column has it: "13 (11%)"."""
    return "0 (0%)" if printed == "0" else re.sub(r"^(\d+) \(([\d.]+)\)$", r"\1 (\2%)", printed) if printed else None


def table_2(rows: list[dict[str, Any]]) -> list[Layout]:
    """Side by side with the paper, and what differs said. Rows have their patients and events where these are not the same."""
    in_rows = len({(r["n"], r["n_events"]) for r in rows if r["n"]}) > 1
    cells = []
    for row in rows:
        paper = row["paper"]
        cells.append(
            (
                row["term"],
                ratio(row) if row["coefficient"] is not None else row["reason"],
                p(row["p_value"]),
                p(row["p_adjusted"]),
                *([row["n"], row["n_events"]] if in_rows else []),
                ratio(paper) if paper else None,
                p(paper["p_value"]) if paper else None,
                p(paper["p_adjusted"]) if paper else None,
            )
        )
    compared = [r for r in rows if r["paper"] and r["coefficient"] is not None]
    same = sum((r["coefficient"] < 0) == (r["paper"]["beta"] < 0) for r in compared)
    agree = (
        f"{same} of {plural(len(compared), 'direction')} agree with the paper."
        if compared
        else "No row here has an estimate that could be compared with the paper's."
    )
    used = [r for r in rows if r["n"]] or rows
    title = (
        f"Univariable Cox of (A_tumor - A_stroma) / A_stroma, {_each(rows, 'endpoint')}, {_each(rows, 'cohort')}, "
        f"n = {counted([r['n'] for r in used])}, {counted([r['n_events'] for r in used], 'event')}, {_scale(rows)}"
    )
    headers = (
        "population",
        "HR (95 % CI)",
        "p",
        "BH",
        *(["n", "events"] if in_rows else []),
        f"paper (n = {PAPER_N})",
        "p",
        "BH",
    )
    right = (2, 3, 4, 5, 7, 8) if in_rows else (2, 3, 5, 6)
    notes = (
        f"{agree} The size of a hazard ratio depends on the expression unit, and these patients, values and follow-up are not "
        "exactly the paper's: tshdb docs paper",
        *_left_out(rows),
        *_until(rows),
    )
    return [Layout(title, headers, cells, right, notes)]


def _each(rows: list[dict[str, Any]], name: str) -> str:
    """What stands in a column: one word, or all that there are."""
    return ", ".join(dict.fromkeys(str(_text(r[name])) for r in rows if r[name] is not None))


def _scale(rows: list[dict[str, Any]]) -> str:
    """On which scale expression values are: one, or all that there are."""
    known = dict.fromkeys(f"{r['transform']} of {_text(r['unit']).upper()}" for r in rows if r["unit"] is not None)
    return ", ".join(known) or "no unit of expression"


def cox(rows: list[dict[str, Any]], title: str, by_model: bool = False) -> list[Layout]:
    """Cox terms, with the test of proportional hazards."""
    scale = f", {_scale(rows)}" if any(r["unit"] is not None for r in rows) else ""
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
    title = f"Cox regression of {title}, {_each(rows, 'endpoint')}, {_each(rows, 'cohort')}{scale}"
    notes = (*(_of_models(rows) if by_model else _left_out(rows)), *_until(rows))
    return [footnoted(Layout(title, headers, cells, right, notes))]


def _until(rows: list[dict[str, Any]]) -> tuple[str, ...]:
    """Until when events count, where that is the same in all rows."""
    days = {r["censored_at_days"] for r in rows if r["n"]}
    said = within(days.pop()) if len(days) == 1 else ""
    return (f"Counted are events{said}.",) if said else ()


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
        good, poor = (by_place.get((compartment, parameter, group)) for group in ("good", "poor"))
        said = good or poor
        cells.append((compartment, in_words(parameter), "yes" if said["is_in_paper"] else "", number(good and good["value"]),
                      number(poor and poor["value"]), p(said["p_value"]), p(said["p_adjusted"])))  # fmt: skip
    n = {group: counted([r["n"] for r in rows if r["prognosis"] == group] or [0]) for group in ("good", "poor")}
    title = f"Cell networks (correlation beyond the threshold), {rows[0]['cohort']}; p by permutation of the groups"
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
    n, measured = len(rows), counted([r["n"] for r in rows if r["n"]] or [0], "examination")
    title = f"The {plural(n, 'radiomic feature')}, of {measured}"
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
        f"{plural(len(rows), 'feature')}: {n['dropped']} dropped (too like a better one, no value, no spread), "
        f"{n['candidate']} not taken by the search.",
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
    title = f"The radiogenomic signature of {rows[0]['cohort']}: {plural(len(chosen), 'feature')}"
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
                (*place(r), r["model"], interval(r, "c_index"), r["n"], r["n_events"], less(r),
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
        (r["rung"], r["way"], r["n"] or None, whole(r["n_features"]), interval(r, "auc"), of_draws(r), less(r),
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
    return f"{'–'.join(alike([row['lowest'], row['highest']]))}{reached}"


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


def by_percent(rows: list[dict[str, Any]]) -> list[dict[int, dict[str, Any]]]:
    """Of every group its rows of survival_quantiles, by percent."""
    groups: dict[tuple, dict[int, dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["cohort"], row["endpoint"], row["prognosis"]), {})[row["percent"]] = row
    return list(groups.values())


def _reasons(rows: dict[int, dict[str, Any]]) -> str:
    return "; ".join(dict.fromkeys(r["reason"] for r in rows.values() if r["reason"]))
