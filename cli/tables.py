"""tshdb table: the paper's tables, from the study's results, beside the paper's values where it prints them."""

from __future__ import annotations

import csv
from importlib import resources
from typing import Annotated, Any

import typer

from cli.console import out, out_json, table
from cli.options import JsonOption, StudyOption

PAPER_N = 112
NUMBERS = ("1", "2", "s2", "s3", "s4", "s5")


def add_to(app: typer.Typer) -> None:
    app.command("table")(print_table)


def print_table(
    number: Annotated[str, typer.Argument(help="Which table of the paper: 1, 2, s2, s3, s4 or s5.")],
    cohort: Annotated[str | None, typer.Option(help="cohort@version (default: the newest).")] = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """A table of the paper, from this study's results.

    Example: tshdb table 2 --cohort tumor_stroma_development@1
    """
    from tshdb.errors import UsageError
    from tshdb.study import Study

    shown = {
        "1": (table_1, show_table_1),
        "2": (table_2, show_table_2),
        "s2": (
            lambda s, c: cox_rows(s, c, ("tumor",)),
            lambda rows: show_cox(rows, "abundance in the tumour, one by one"),
        ),
        "s3": (
            lambda s, c: cox_rows(s, c, ("stroma",)),
            lambda rows: show_cox(rows, "abundance in the stroma, one by one"),
        ),
        "s4": (
            lambda s, c: cox_rows(s, c, TSH_MODELS),
            lambda rows: show_cox(rows, "the TSH biomarker", by_model=True),
        ),
        "s5": (network_rows, show_networks),
    }
    if number.lower() not in shown:
        raise UsageError(f"table {number}", where="tshdb table", repair=f"Known: {', '.join(NUMBERS)}")
    read, show = shown[number.lower()]
    rows = read(Study.find(study), cohort)
    if as_json:
        out_json(rows)
    else:
        show(rows)


TSH_MODELS = (
    "group", "continuous", "multivariable", "score group", "score continuous", "score multivariable",
)  # fmt: skip


def _paper(name: str) -> list[dict[str, str]]:
    text = resources.files("cli").joinpath(f"data/fan2023/{name}").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


# ----------------------------------------------------------------------------------------------------------- Table 1


def table_1(study, cohort: str | None) -> list[dict[str, Any]]:
    """What the members of each cohort are, by the newest version of each (or of the one that is named)."""
    from tshdb.errors import NotFound

    newest = "SELECT cohort, max(version) AS version FROM cohort_versions GROUP BY cohort"
    if cohort is not None:
        name, _, version = cohort.partition("@")
        newest = (
            "SELECT cohort, max(version) AS version FROM cohort_versions WHERE cohort = $name "
            "AND ($version = 0 OR version = $version) GROUP BY cohort"
        )
        parameters = {"name": name, "version": int(version) if version.isdigit() else 0}
    frame = study.sql(
        f"WITH v AS ({newest}) SELECT m.cohort, m.version, p.*, f.event, f.duration_days FROM v "
        "JOIN cohort_members m ON m.cohort = v.cohort AND m.version = v.version JOIN patients p USING (patient_id) "
        "LEFT JOIN follow_ups f ON f.patient_id = p.patient_id AND f.endpoint = 'OS'",
        parameters if cohort is not None else None,
    )
    if not len(frame):
        raise NotFound("no cohort with members", repair="Run: tshdb cohort freeze NAME, or tshdb rebuild for live ones")
    paper = _paper("table1.csv")
    rows = []
    for (name, version), mine in frame.groupby(["cohort", "version"], sort=True):
        printed = {(r["row"], r["level"]): r.get(name) for r in paper}
        for (row, level), text in _characteristics(mine).items():
            rows.append(
                {
                    "cohort": f"{name}@{version}",
                    "row": row,
                    "level": level,
                    "value": text,
                    "paper": printed.get((row, level)),
                }
            )
    return rows


def _characteristics(members) -> dict[tuple[str, str], str]:
    n = len(members)
    found = {("n", ""): str(n)}

    def numbers(title: str, values) -> None:
        values = values.dropna().astype(float)
        if len(values):
            found[title, "median (range)"] = f"{values.median():.3g} ({values.min():.3g}–{values.max():.3g})"
            spread = values.std(ddof=1) if len(values) > 1 else 0.0
            found[title, "mean ± SD"] = f"{values.mean():.3g} ± {spread:.3g}"

    def classes(title: str, values) -> None:
        known = values.dropna().astype(str)
        order = ["positive", "negative", *sorted(set(known) - {"positive", "negative"})]
        for level in order:
            if (known == level).any():
                found[title, level] = f"{(known == level).sum()} ({(known == level).sum() / n:.0%})"
        if len(known) < n and len(known):
            found[title, "not known"] = f"{n - len(known)} ({(n - len(known)) / n:.0%})"

    numbers("Age (years)", members["age_years"])
    for title, column in (
        ("ER", "er_status"), ("PR", "pr_status"), ("HER2", "her2_status"), ("Menopause", "menopausal_status"),
        ("Race", "race"), ("Family history", "family_history"), ("Histology", "histology"), ("pT", "t_stage"),
    ):  # fmt: skip
        classes(title, members[column])
    numbers("Tumour size (mm)", members["tumor_size_mm"])
    numbers("Follow-up (years)", members["duration_days"] / 365.25)
    events = members["event"].dropna().astype(bool)
    if len(events):
        found["Death", "event"] = f"{events.sum()} ({events.sum() / n:.0%})"
        found["Death", "no event"] = f"{(~events).sum()} ({(~events).sum() / n:.0%})"
    return found


def show_table_1(rows: list[dict[str, Any]]) -> None:
    """One block a cohort, the paper's column beside it where the paper has the cohort."""
    for cohort in dict.fromkeys(r["cohort"] for r in rows):
        mine = [r for r in rows if r["cohort"] == cohort]
        has_paper = any(r["paper"] for r in mine)
        out(f" {cohort}")
        cells = [(r["row"], r["level"], r["value"], *([r["paper"] or None] if has_paper else [])) for r in mine]
        table(("", "", "here", *(["paper"] if has_paper else [])), cells, right=(2, 3) if has_paper else (2,))


# ----------------------------------------------------------------------------------------------------------- Table 2


def paper_table_2() -> dict[str, dict[str, float]]:
    """The paper's Table 2: population -> column -> value as printed."""
    return {row.pop("term"): {k: float(v) for k, v in row.items()} for row in _paper("table2.csv")}


def cox_rows(study, cohort: str | None, models: tuple[str, ...]) -> list[dict[str, Any]]:
    """The Cox terms of these models in one cohort (if none is named: `newest`). Raises NotFound without any."""
    from sqlalchemy import select

    from tshdb.database import reading
    from tshdb.errors import NotFound
    from tshdb.schema import CoxTerm

    with reading(study.engine) as connection:
        rows = (
            connection.execute(
                select(*CoxTerm.__table__.columns).where(CoxTerm.model.in_(models)).order_by(CoxTerm.unit_id.desc())
            )
            .mappings()
            .fetchall()
        )
    wanted = cohort or newest([r["cohort"] for r in rows])
    found = [dict(r) for r in rows if r["cohort"] == wanted]
    if not found:
        raise NotFound("no such Cox terms" + (f" of {cohort}" if cohort else ""), repair="Run: tshdb rebuild")
    return sorted(found, key=lambda r: (models.index(r["model"]), r["position"]))


def newest(names: list[str]) -> str | None:
    """The newest frozen version among these cohorts, named cohort@version; without one, the first live cohort.

    Of several frozen cohorts the one with most versions wins, and then the first by name.
    """
    frozen = [n for n in names if "@" in n]
    return min(frozen, key=lambda n: (-int(n.partition("@")[2]), n)) if frozen else next(iter(sorted(names)), None)


def table_2(study, cohort: str | None) -> list[dict[str, Any]]:
    """The univariable Cox terms of one cohort version, each with the paper's row. Raises NotFound without any."""
    paper = paper_table_2()
    return [row | {"paper": paper.get(row["term"])} for row in cox_rows(study, cohort, ("univariable",))]


def show_table_2(rows: list[dict[str, Any]]) -> None:
    """Side by side, with what differs said."""
    first = rows[0]
    out(
        f" Univariable Cox of (A_tumor - A_stroma) / A_stroma, {first['endpoint'].value}, {first['cohort']}, "
        f"n = {first['n']}, {first['n_events']} events, {first['transform']} of {first['unit'].value.upper()}"
    )
    cells = []
    for row in rows:
        paper = row["paper"]
        cells.append(
            (
                row["term"],
                _ratio(row) if row["coefficient"] is not None else row["reason"],
                _p(row["p_value"]),
                _p(row["p_adjusted"]),
                _ratio(paper) if paper else None,
                _p(paper["p_value"]) if paper else None,
                _p(paper["p_adjusted"]) if paper else None,
            )
        )
    headers = ("population", "HR (95 % CI)", "p", "BH", f"paper (n = {PAPER_N})", "p", "BH")
    table(headers, cells, right=(2, 3, 5, 6))
    compared = [r for r in rows if r["paper"] and r["coefficient"] is not None]
    same = sum((r["coefficient"] < 0) == (r["paper"]["beta"] < 0) for r in compared)
    out(
        f" {same} of {len(compared)} directions agree with the paper. The size of a hazard ratio depends on the expression"
    )
    out(" unit, and these patients, values and follow-up are not exactly the paper's: docs/paper.md#table-2")


# ------------------------------------------------------------------------------------------------ Tables S2, S3, S4, S5


def show_cox(rows: list[dict[str, Any]], title: str, by_model: bool = False) -> None:
    """Cox terms, with the test of proportional hazards."""
    first = rows[0]
    scale = f", {first['transform']} of {first['unit'].value.upper()}" if first["unit"] is not None else ""
    out(f" Cox regression of {title}, {first['endpoint'].value}, {first['cohort']}{scale}")
    cells = [
        (
            *([row["model"]] if by_model else []),
            row["term"],
            _ratio(row) if row["coefficient"] is not None else None,
            _p(row["p_value"]),
            *([] if by_model else [_p(row["p_adjusted"])]),
            _p(row["ph_p_value"]),
            row["n"],
            row["n_events"],
            row["reason"] or "",
        )
        for row in rows
    ]
    headers = (*(["model"] if by_model else []), "term", "HR (95 % CI)", "p", *([] if by_model else ["BH"]), "PH p", "n",
               "events", "")  # fmt: skip
    table(headers, cells, right=tuple(range(len(headers) - 5 - (not by_model), len(headers) - 1)))


def network_rows(study, cohort: str | None) -> list[dict[str, Any]]:
    """The parameters of the cell networks of one cohort. Raises NotFound without any."""
    from tshdb.errors import NotFound

    frame = study.sql("SELECT * FROM network_parameters ORDER BY unit_id DESC, compartment, parameter, prognosis")
    if len(frame):
        frame = frame[frame["cohort"] == (cohort or newest(list(frame["cohort"])))]
    if not len(frame):
        raise NotFound("no network parameters", repair="Run: tshdb rebuild")
    return frame.drop(columns="unit_id").astype(object).where(frame.notna(), None).to_dict("records")


def show_networks(rows: list[dict[str, Any]]) -> None:
    """Good beside poor, in the tumour and in the stroma."""
    out(f" Cell networks (Pearson r above the threshold), {rows[0]['cohort']}; p by permutation of the groups")
    by_place = {(r["compartment"], r["parameter"], r["prognosis"]): r for r in rows}
    names = dict.fromkeys(
        (r["compartment"], r["parameter"]) for r in sorted(rows, key=lambda r: r["compartment"] != "tumor")
    )
    cells = []
    for compartment, parameter in names:
        good, poor = (by_place[compartment, parameter, p] for p in ("good", "poor"))
        cells.append((compartment, parameter, "yes" if good["is_in_paper"] else "", _number(good["value"]),
                      _number(poor["value"]), _p(good["p_value"])))  # fmt: skip
    n = {r["prognosis"]: r["n"] for r in rows}
    table(("compartment", "parameter", "in the paper", f"good (n = {n['good']})", f"poor (n = {n['poor']})", "p"), cells,
          right=(3, 4, 5))  # fmt: skip


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.3g}"


def _ratio(row: dict[str, Any]) -> str:
    return f"{row['hazard_ratio']:.2f} ({row['ci_lower']:.2f}–{row['ci_upper']:.2f})"


def _p(value: float | None) -> str | None:
    if value is None:
        return None
    return f"{value:.2g}" if value < 0.001 else f"{value:.4f}"
