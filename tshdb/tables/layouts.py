"""The paper's tables, laid out: a title, columns, cells, and what must be said about them."""

from __future__ import annotations

import string
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
    return [footnoted(Layout(title, headers, cells, right, _left_out(rows)))]


def _left_out(rows: list[dict[str, Any]]) -> tuple[str, ...]:
    """A note a model that leaves members out for want of a clinical variable."""
    return tuple(f"{note}." for note in dict.fromkeys(r.get("left_out") for r in rows) if note)


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
                      number(poor["value"]), p(good["p_value"])))  # fmt: skip
    n = {r["prognosis"]: r["n"] for r in rows}
    title = f"Cell networks (Pearson r above the threshold), {rows[0]['cohort']}; p by permutation of the groups"
    headers = ("compartment", "parameter", "in the paper", f"good (n = {n['good']})", f"poor (n = {n['poor']})", "p")
    return [Layout(title, headers, cells, (3, 4, 5))]


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
        ("nested", "AUC of patients that the signature had not seen (nested)"),
        ("search", "AUC on the folds that the search optimised, as the paper's: optimistic"),
    ):
        if row := rows[0]["performance"].get(scheme):
            notes.append(
                f"{words}: {row['value']:.3f} (95 % CI {row['ci_lower']:.3f} to {row['ci_upper']:.3f}, n = {row['n']})"
            )
    title = f"The radiogenomic signature of {rows[0]['cohort']}: {len(chosen)} features"
    headers = ("feature", "auc", "mean, good", "mean, poor", "importance", "folds")
    return [Layout(title, headers, cells, (1, 2, 3, 4, 5), tuple(notes))]


def signature_prognosis(rows: list[dict[str, Any]]) -> list[Layout]:
    """Log-rank tests, Cox models, what the score adds, C-indices and calibration of every cohort and endpoint."""

    def of(kind: str) -> list[dict[str, Any]]:
        return [r for r in rows if r["kind"] == kind]

    def place(r: dict[str, Any]) -> tuple:
        return r["cohort"], r["endpoint"]

    layouts = [
        Layout(
            "Good against poor by the signature score, log-rank test",
            ("cohort", "endpoint", "from", "good", "events", "poor", "events", "p", ""),
            [
                (*place(r), r["time_origin"], r["n_good"], r["n_good_events"], r["n_poor"], r["n_poor_events"], p(r["p_value"]),
                 r["reason"] or "")
                for r in of("test")
            ],
            (3, 4, 5, 6, 7),
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
            _left_out(of("cox")),
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
            ("cohort", "endpoint", "model", "C (95 % CI)", "n", "events", ""),
            [
                (*place(r), r["model"], interval(r, "c_index"), r["n"], r["n_events"],
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
    """How one of the paper's tables is read and laid out."""

    title: str
    rows: Any
    layout: Any


TABLES = {
    "1": PaperTable("Patient characteristics", characteristics.table_1, table_1),
    "2": PaperTable("Relative abundances and survival", read.table_2, table_2),
    "s1": PaperTable("Radiomic features", read.feature_rows, features),
    "s2": PaperTable(
        "Abundances in the tumour and survival",
        lambda study, cohort: read.cox_rows(study, cohort, ("tumor",), "abundance_cox"),
        lambda rows: cox(rows, "abundance in the tumour, one by one"),
    ),
    "s3": PaperTable(
        "Abundances in the stroma and survival",
        lambda study, cohort: read.cox_rows(study, cohort, ("stroma",), "abundance_cox"),
        lambda rows: cox(rows, "abundance in the stroma, one by one"),
    ),
    "s4": PaperTable(
        "The TSH biomarker beside clinical variables",
        lambda study, cohort: read.cox_rows(study, cohort, read.TSH_MODELS, "tsh_cox"),
        lambda rows: cox(rows, "the TSH biomarker", by_model=True),
    ),
    "s5": PaperTable("Topology of the cell networks", read.network_rows, networks),
    "s6": PaperTable("The radiogenomic signature", read.selected_rows, signature_features),
    "prognosis": PaperTable("What the signature foretells", read.signature_rows, signature_prognosis),
}


def _text(value) -> str:
    return getattr(value, "value", value)


def number(value: float | None) -> str | None:
    """Three significant digits."""
    return None if value is None else f"{value:.3g}"


def ratio(row: dict[str, Any]) -> str:
    """A hazard ratio with its interval."""
    return f"{row['hazard_ratio']:.2f} ({row['ci_lower']:.2f}–{row['ci_upper']:.2f})"


def interval(row: dict[str, Any], name: str) -> str | None:
    """A value with its interval, where it has one."""
    if row[name] is None:
        return None
    if row["ci_lower"] is None or row["ci_upper"] is None:
        return number(row[name])
    return f"{row[name]:.2f} ({row['ci_lower']:.2f}–{row['ci_upper']:.2f})"


def p(value: float | None) -> str | None:
    """A p value: four decimals, or two digits below .001."""
    if value is None:
        return None
    return f"{value:.2g}" if value < 0.001 else f"{value:.4f}"
