"""The tables and figures of the paper's way, by subject; guests' figures; what stands beside the signature."""

from __future__ import annotations

from collections.abc import Iterator

from tshdb import installed
from tshdb.errors import NotFound
from tshdb.guests.listing import analyses_here
from tshdb.pages.report.look import Look
from tshdb.pages.report.parts import MOST_CSV, Drawn, Section, Shown, Words, csv_text
from tshdb.tables import table
from tshdb.tables.layouts import TABLES
from tshdb.tables.rows import newest_of_each
from tshdb.text.controls import clean
from tshdb.written_files import is_of_patients

NAMES = {
    "1": "Table 1", "2": "Table 2", "s2": "Table S2", "s3": "Table S3", "s4": "Table S4", "s5": "Table S5", "s6": "Table S6",
    "ladder": "Ladder", "prognosis": "Prognosis",
}  # fmt: skip
ONE_ROW = {
    "1": "a class or a number of a variable, in one cohort",
    "2": "a cell population",
    "s2": "a cell population",
    "s3": "a cell population",
    "s4": "a term of one model",
    "s5": "a parameter of the networks in one compartment",
    "s6": "a feature that the search chose",
    "ladder": "a way to foretell the same classes",
    "prognosis": "a cohort and endpoint, in each part as its columns say",
}
SUBJECTS = (  # id, heading, tables, figures
    ("patients", "Patients", ("1",), ()),
    ("tsh", "Tumour-stroma heterogeneity and survival", ("2", "s2", "s3", "s4"), ("km", "ph", "compartments", "s1")),
    ("networks", "Cell networks", ("s5",), ("networks", "topology")),
    ("model", "The TSH model", (), ("roc", "score-km", "features")),
    (
        "signature", "The radiogenomic signature", ("s6", "prognosis"),
        ("search", "signature-roc", "signature-km", "signature-ph", "calibration"),
    ),
    ("ladder", "Would something simpler have done as well?", ("ladder",), ("ladder",)),
)  # fmt: skip
OF_EVERY_COHORT = {
    "km": "km_points WHERE grouping = 'tsh_ratio'",
    "score-km": "km_points WHERE grouping = 'tsh_score'",
    "signature-km": "km_points WHERE grouping = 'signature'",
    "calibration": "calibration_groups WHERE seen IS NOT NULL",
}


def results(look: Look) -> Iterator[Section]:
    """A section a subject. A subject of which nothing is there says so in one line, with the next step."""
    if not look.has_paper:
        yield Section("patients", "Patients", list(_table(look, "1")))
        return
    for id, heading, tables, figures in SUBJECTS:
        parts: list[Shown | Drawn | Words] = [part for number in tables for part in _table(look, number)]
        parts += [part for name in figures for part in _figure(look, name)]
        yield Section(id, heading, _once(parts))


def of_guests(look: Look) -> Section | None:
    """The figures of installed packages and of the study's own code, where that is trusted; None without any."""
    parts: list[Shown | Drawn | Words] = []
    for name, record in installed.figures().items():
        if record.read.__module__.partition(".")[0] != "tshdb":
            parts.append(look.drawn(name, None))
    _, untrusted = analyses_here(look.study)
    if untrusted:
        files = ", ".join(clean(name) for name in untrusted)
        parts.append(Words(f"Code of the study that is not trusted, so that nothing of it runs: {files}.", "warning"))
    return Section("guests", "Figures of other packages", parts) if parts else None


def _once(parts: list[Shown | Drawn | Words]) -> list[Shown | Drawn | Words]:
    """The parts, with those that lack the same thing in one line."""
    kept: list[Shown | Drawn | Words] = []
    lacking: dict[str, list[str]] = {}
    for part in parts:
        if isinstance(part, Words) and part.kind == "warning" and ": " in part.text:
            title, _, why = part.text.partition(": ")
            lacking.setdefault(why, []).append(title)
        else:
            kept.append(part)
    return kept + [Words(f"{'; '.join(titles)}: {why}", "warning") for why, titles in lacking.items()]


def _table(look: Look, number: str) -> Iterator[Shown | Words]:
    title = f"{NAMES[number]}. {TABLES[number].title}"
    try:
        made = table(look.study, number, steps=look.steps)
    except NotFound as error:
        yield Words(f"{title}: {clean(error)}", "warning")
        return
    if not made.layouts:
        return
    id = look.ids.of("table", number)
    look.tables[number] = id
    frame = made.frame
    units = tuple(dict.fromkeys(int(u) for u in frame["unit_id"].dropna())) if "unit_id" in frame.columns else ()
    text = csv_text(frame.drop(columns="unit_id", errors="ignore"))
    of_patients = is_of_patients(frame) and not look.with_patients
    values = None if of_patients or len(text) > MOST_CSV else text
    behind = tuple((analysis, unit) for unit in units for analysis in TABLES[number].analyses[:1])
    yield Shown(id, title, ONE_ROW[number], made.layouts, values, units=behind)


def _figure(look: Look, name: str) -> Iterator[Drawn | Words]:
    cohorts: list[str | None] = [None]
    if name in OF_EVERY_COHORT:
        names = look.study.sql(f"SELECT DISTINCT cohort FROM {OF_EVERY_COHORT[name]} ORDER BY cohort")["cohort"]
        cohorts = newest_of_each(names, look.order) or [None]
    for i, cohort in enumerate(cohorts):
        part = look.drawn(name, cohort)
        if isinstance(part, Drawn):
            look.figures[name, cohort] = part.id
            if i == 0:
                look.figures[name, None] = part.id
        yield part
