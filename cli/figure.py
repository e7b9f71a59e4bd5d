"""tshdb figure: the paper's figures from this study's result tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import out
from cli.files import complete
from cli.options import StudyOption

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

FORMATS = (".svg", ".pdf", ".png")


def add_to(app: typer.Typer) -> None:
    app.command("figure")(draw)


def draw(
    name: Annotated[str, typer.Argument(help="km, score-km, roc, compartments or networks.")],
    cohort: Annotated[str | None, typer.Option(help="cohort@version (default: the newest).")] = None,
    to: Annotated[
        Path | None, typer.Option("--out", help="The file (.svg, .pdf, .png); default figures/NAME.svg.")
    ] = None,
    study: StudyOption = None,
) -> None:
    """A figure of the paper, from this study's results; the same rows give the same bytes.

    Example: tshdb figure km --cohort tumor_stroma_development@1
    """
    from matplotlib import rc_context

    from cli.drawings import STYLE
    from tshdb.errors import UsageError
    from tshdb.study import Study

    if name not in FIGURES:
        raise UsageError(f"figure {name}", where="tshdb figure", repair=f"Known: {', '.join(FIGURES)}")
    opened = Study.find(study)
    path = to or opened.root / "figures" / f"{name}.svg"
    if path.suffix not in FORMATS:
        raise UsageError(f"format '{path.suffix}'", where=str(path), repair=f"Known: {', '.join(FORMATS)}")
    with rc_context(STYLE):
        figure, how_to_read = FIGURES[name](opened, cohort)
        path.parent.mkdir(parents=True, exist_ok=True)
        dates = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}, ".png": {}}[path.suffix]
        with complete(path) as written:
            figure.savefig(written, format=path.suffix[1:], metadata=dates, dpi=150)
    out(path)
    out(f"  {how_to_read}")


def _rows(study, query: str, cohort: str | None, nothing: str) -> tuple[pd.DataFrame, str]:
    """The rows of one cohort (the newest, if none is named) and its name. Raises NotFound without any."""
    from cli.tables import newest
    from tshdb.errors import NotFound

    frame = study.sql(query)
    name = cohort or newest(list(frame["cohort"]))
    mine = frame[frame["cohort"] == name]
    if not len(mine):
        raise NotFound(nothing + (f" of {cohort}" if cohort else ""), repair="Run: tshdb rebuild")
    return mine, name


def _one(frame: pd.DataFrame) -> pd.Series | None:
    return frame.iloc[0] if len(frame) else None


def _km(grouping: str, said: str):
    def read(study, cohort: str | None) -> tuple[Figure, str]:
        from cli.drawings import kaplan_meier

        query = f"SELECT * FROM km_points WHERE grouping = '{grouping}'"
        points, name = _rows(study, query, cohort, f"no survival curves by {said}")
        tests = study.sql("SELECT * FROM logrank_tests WHERE cohort = $c AND grouping = $g", {"c": name, "g": grouping})
        endpoint = points["endpoint"].iloc[0]
        figure = kaplan_meier(points, _one(tests), f"{endpoint} by {said}, {name}")
        return figure, "Share alive over time; the band is the 95 % interval, a tick a patient censored there."

    return read


def _roc(study, cohort: str | None) -> tuple[Figure, str]:
    from cli.drawings import roc

    points, name = _rows(study, "SELECT * FROM roc_points", cohort, "no ROC curve")
    query = "SELECT * FROM model_performance WHERE cohort = $c AND scheme = 'nested' AND measure = 'auc'"
    figure = roc(points, _one(study.sql(query, {"c": name})), f"TSH model, nested cross-validation\n{name}")
    return figure, "Every score is by models that never saw the patient; the dotted line is guessing."


def _compartments(study, cohort: str | None) -> tuple[Figure, str]:
    from cli.drawings import compartments

    tests, name = _rows(
        study, "SELECT * FROM wilcoxon_tests ORDER BY unit_id, grouping", cohort, "no tests of compartments"
    )
    values = study.sql(
        "SELECT r.patient_id, r.population, r.tumor_abundance, r.stroma_abundance, g.prognosis FROM tsh_ratios r "
        "JOIN survival_groups g ON g.patient_id = r.patient_id AND g.unit = r.unit JOIN cohort_members m "
        "ON m.patient_id = r.patient_id AND m.cohort || '@' || m.version = $c OR m.patient_id = r.patient_id AND m.cohort = $c "
        "ORDER BY ALL",
        {"c": name},
    )
    figure = compartments(values, tests, name)
    return figure, "Box: the middle half of the patients; stars: tumour and stroma of the same patients differ."


def _networks(study, cohort: str | None) -> tuple[Figure, str]:
    from cli.drawings import networks

    parameters, name = _rows(study, "SELECT * FROM network_parameters", cohort, "no networks")
    edges = study.sql("SELECT * FROM network_edges WHERE cohort = $c ORDER BY ALL", {"c": name})
    populations = list(study.sql("SELECT DISTINCT population FROM tsh_ratios ORDER BY 1")["population"])
    counts = dict(zip(parameters["prognosis"], parameters["n"].astype(int), strict=True))
    figure = networks(edges, populations, counts, f"Cell networks, {name}")
    return (
        figure,
        "A line joins two populations whose abundances correlate (Pearson r above the threshold); thicker is stronger.",
    )


FIGURES = {
    "km": _km("tsh_ratio", "the TSH ratio"),
    "score-km": _km("tsh_score", "the TSH score"),
    "roc": _roc,
    "compartments": _compartments,
    "networks": _networks,
}
