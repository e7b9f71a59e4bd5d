"""The report: the study as one HTML file: sources, cohorts, tables, figures, models, the paper's numbers, what changed.

The bytes depend on what stands in the database, not on when or where the report is written. How a study was first made is not
in them; what changed after that is, with its time. The report of a variant begins with what is set in it and what differs from
the study; it has no history, which is the study's.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from tshdb import installed
from tshdb.errors import NotFound, TshdbError
from tshdb.figures import figure
from tshdb.next_step import NOTHING_YET, NextSteps, has_paper
from tshdb.pages.html import rendered
from tshdb.tables import table
from tshdb.tables.layouts import TABLES, Layout
from tshdb.tables.paper_claims import claims, counted
from tshdb.tables.rows import cohort_order, newest_of_each, place
from tshdb.text.controls import clean

if TYPE_CHECKING:
    from tshdb.study import Study
    from tshdb.variants.compared import TableDifference

TABLE_NAMES = {
    "1": "Table 1", "2": "Table 2", "s2": "Table S2", "s3": "Table S3", "s4": "Table S4", "s5": "Table S5", "s6": "Table S6",
    "ladder": "Ladder", "prognosis": "Prognosis",
}  # fmt: skip
OF_ANY_STUDY = {"1": "Patients"}
EVENTS_SHOWN = 20
MOVED_SHOWN = 100  # values that a variant has otherwise
OF_EVERY_COHORT = {
    "km": "km_points WHERE grouping = 'tsh_ratio'",
    "score-km": "km_points WHERE grouping = 'tsh_score'",
    "signature-km": "km_points WHERE grouping = 'signature'",
    "calibration": "calibration_groups WHERE seen IS NOT NULL",
}


VARIANT_NOTE = (
    "This is not the study itself: the same data by other settings. What is not its own are results of the study that its "
    "settings leave as they are."
)


@dataclass(frozen=True)
class Part:
    """A table, a figure (SVG, base64), or what is missing, with the command that would bring it."""

    title: str
    layout: Layout | None = None
    image: str | None = None
    how_to_read: str = ""
    missing: str = ""


@dataclass(frozen=True)
class Section:
    """A heading with its parts."""

    id: str
    title: str
    parts: list[Part]
    notes: tuple[str, ...] = ()


class OfVariant(NamedTuple):
    """What the report of a variant says of it. words: what is set, and whether it is behind the study.

    n_own, n_shared: units; settings: [TABLE] setting -> (in the study, in the variant); tables: what differs in rows.
    """

    name: str
    words: str
    n_own: int
    n_shared: int
    settings: dict[str, tuple[str, str]]
    tables: list[TableDifference]


def report(study: Study, variant: OfVariant | None = None) -> str:
    """The page as HTML. Reads the study's results; writes nothing.

    variant: what is said of the variant as which the study is seen.
    """
    from tshdb.status import status

    steps = NextSteps(study)
    sections = [
        *([Section("variant", f"Variant {variant.name}", _variant(variant), (VARIANT_NOTE,))] if variant is not None else []),
        Section("sources", "Sources", _sources(study), ("Every row of the study leads to one of these files, and to its line.",)),
        Section("cohorts", "Cohorts", _cohorts(study, steps)),
        Section("tables", "Tables", list(_tables(study, steps))),
        Section("figures", "Figures", list(_figures(study, steps))),
        Section("models", "Models", _models(study, steps), ("What was fitted, on which frozen cohort version.",)),
        *([Section("paper", "The paper's numbers", _paper(study))] if has_paper(study) else []),
        Section("provenance", "Code and parameters", _provenance(study, steps)),
    ]  # fmt: skip
    if variant is None:
        notes = ("Since it was first computed. All of it: tshdb history.",)
        sections.append(Section("changes", "What changed", _changes(study), notes))
    name = clean(study.settings.study.name) + (f", variant {variant.name}" if variant is not None else "")
    return rendered("report.html", title=name, counts=status(study.root)["counts"], sections=sections)


def _variant(variant: OfVariant) -> list[Part]:
    """What is set in a variant, how much is its own, and what it has otherwise than the study."""
    moved = [(name, before, after) for name, (before, after) in variant.settings.items()]
    units = [("of its own", f"{variant.n_own:,}"), ("the study's", f"{variant.n_shared:,}")]
    parts = [
        Part("Settings", Layout(variant.words, ("", "study", "variant"), moved, ())),
        Part("Results", Layout("", ("", "units"), units, (1,))),
    ]
    if not variant.tables:
        return [*parts, Part("Rows that differ from the study's", missing="none")]
    counts = [
        (t.table, f"{t.counts['differ']:,}", f"{t.counts['new']:,}", f"{t.counts['gone']:,}") for t in variant.tables
    ]
    headers = ("table", "differ", "in the variant alone", "in the study alone")
    parts.append(Part("Rows that differ from the study's", Layout("", headers, counts, (1, 2, 3))))
    values = [
        (t.table, row.unit if not row.row else f"{row.unit}: {row.row}", column, _shown(before), _shown(after))
        for t in variant.tables
        for row, of_row in t.of_interest()
        for column, before, after in of_row
    ]
    if values:
        more = len(values) - MOVED_SHOWN
        notes = (f"{more:,} more: tshdb variants diff {variant.name}",) if more > 0 else ()
        headers = ("table", "row", "", "study", "variant")
        parts.append(Part("Values that differ", Layout("", headers, values[:MOVED_SHOWN], (3, 4), notes)))
    return parts


def _shown(value: Any) -> str | None:
    return f"{value:.6g}" if isinstance(value, float) else None if value is None else clean(value)


def _sources(study: Study) -> list[Part]:
    frame = study.sql(
        "SELECT collection, reader, name, size_bytes, sha256 FROM source_files WHERE is_current "
        "ORDER BY collection, reader, name"
    )
    groups = frame.groupby(["collection", "reader"], sort=True)
    cells: list[tuple] = []
    for (collection, reader), of_reader in groups:
        if len(of_reader) > 20:  # a folder of the archive: its files are named in the database
            cells.append((collection, reader, f"{len(of_reader):,} files", f"{of_reader['size_bytes'].sum():,}", None))
        else:
            cells += [
                (collection, reader, clean(f.name), f"{f.size_bytes:,}", f.sha256)
                for f in of_reader.itertuples(index=False)
            ]
    if not cells:
        return [Part("Files", missing=NOTHING_YET)]
    files = Part("Files", Layout("", ("collection", "reader", "file", "bytes", "SHA-256"), cells, (3,)))
    return [files, *_undecided(study)]


def _undecided(study: Study) -> Iterator[Part]:
    """What is not known since sources disagree, by column; nothing where all is decided."""
    frame = study.sql(
        "SELECT table_name, column_name, count(DISTINCT row_key) AS n FROM conflicts WHERE held_source = '' "
        "GROUP BY 1, 2 ORDER BY 1, 2"
    )
    if len(frame):
        cells = [(f"{r.table_name}.{r.column_name}", f"{r.n:,}") for r in frame.itertuples(index=False)]
        note = "Sources disagree, and none is known to be the later one: these values count as not known."
        yield Part("Values that nobody has decided", Layout("", ("column", "rows"), cells, (1,), (note,)))


def _cohorts(study: Study, steps: NextSteps) -> list[Part]:
    """The newest version of every cohort with its flow, as a figure and in words."""
    frame = study.sql("SELECT cohort, max(version) AS version FROM cohort_versions GROUP BY cohort ORDER BY cohort")
    if not len(frame):
        return [Part("Cohorts", missing=f"none has a version yet. {steps.of_cohorts()}")]
    order = cohort_order(study)
    rows = sorted(frame.itertuples(), key=lambda row: place(row.cohort, order))
    return [_figure("flow", study, f"{row.cohort}@{row.version}", steps) for row in rows]


def _tables(study: Study, steps: NextSteps) -> Iterator[Part]:
    for number, name in TABLE_NAMES.items() if has_paper(study) else OF_ANY_STUDY.items():
        title = f"{name}. {TABLES[number].title}"
        try:
            shown = table(study, number, steps=steps).layouts
        except NotFound as error:
            yield Part(title, missing=clean(error))
            continue
        for layout in shown:
            yield Part(title, layout)


def _figures(study: Study, steps: NextSteps) -> Iterator[Part]:
    for name, record in installed.figures().items():
        is_paper = record.read.__module__.partition(".")[0] == "tshdb"
        if name == "flow" or is_paper and not has_paper(study):  # the flow stands with the cohorts
            continue
        cohorts: list[str | None] = [None]
        if name in OF_EVERY_COHORT:
            names = study.sql(f"SELECT DISTINCT cohort FROM {OF_EVERY_COHORT[name]} ORDER BY cohort")["cohort"]
            cohorts = newest_of_each(names, cohort_order(study)) or [None]
        for cohort in cohorts:
            yield _figure(name, study, cohort, steps)


def _figure(name: str, study: Study, cohort: str | None, steps: NextSteps) -> Part:
    title = installed.figures()[name].title + (f", {cohort}" if cohort else "")
    try:
        drawing = figure(study, name, cohort, steps=steps)
    except TshdbError as error:
        return Part(title, missing=clean(error))
    return Part(title, image=base64.b64encode(drawing.data).decode("ascii"), how_to_read=drawing.how_to_read)


def _models(study: Study, steps: NextSteps) -> list[Part]:
    from tshdb.corrections import in_words
    from tshdb.database import reading
    from tshdb.guests.listing import analyses_of
    from tshdb.models import list_models

    with reading(study.engine) as connection:
        models = list_models(connection, analyses_of(study))
    if not models:
        return [Part("Models", missing=f"none yet. {steps.of_models()}")]
    cells = [
        (m["model"], m["state"], m["n_members"], (m["fingerprint"] or "")[:16],
         in_words(m["n_corrections"]) if m["is_flagged"] else "", m["message"] or "")
        for m in models
    ]  # fmt: skip
    headers = ("model version", "", "members", "content", "since then", "")
    return [Part("Model versions", Layout("", headers, cells, (2, 4)))]


def _paper(study: Study) -> list[Part]:
    checked = claims(study)
    counts = ", ".join(f"{n} {verdict}" for verdict, n in counted(checked).items())
    cells = [(f"{c.where}: {c.what}", c.printed, c.here, c.verdict, c.why) for c in checked]
    return [Part(counts[:1].upper() + counts[1:], Layout("", ("", "printed", "here", "", "why"), cells, ()))]


def _provenance(study: Study, steps: NextSteps) -> list[Part]:
    """By which code and parameters the current results were computed."""
    frame = study.sql(
        "SELECT u.analysis, s.code_fingerprint, s.params, count(*) AS n FROM units u JOIN specs s USING (spec_id) "
        "WHERE u.state = 'current' GROUP BY ALL ORDER BY ALL"
    )
    if not len(frame):
        return [Part("Results", missing=f"nothing was computed yet. {steps.of_analyses()}")]
    cells = []
    for row in frame.itertuples():
        values = json.loads(row.params)
        text = ", ".join(f"{k} = {v}" for k, v in values.items())
        cells.append((row.analysis, f"{row.n:,}", row.code_fingerprint[:16], text))
    headers = ("analysis", "units", "code", "parameters")
    return [Part("Current results", Layout("", headers, cells, (1,))), *_damaged(study)]


def _changes(study: Study) -> list[Part]:
    """The last events of the study's history, the newest first."""
    from tshdb.database import reading
    from tshdb.guests.listing import analyses_of
    from tshdb.story import what_changed

    with reading(study.engine) as connection:
        events = what_changed(connection, analyses_of(study), EVENTS_SHOWN)
    if not events:
        return [Part("Events", missing="nothing has changed since")]
    cells = [(e.at[:16].replace("T", " "), clean(e.by), clean(e.says)) for e in reversed(events)]
    return [Part("Events", Layout("", ("when (UTC)", "by", "what"), cells, ()))]


def _damaged(study: Study) -> Iterator[Part]:
    """Results that were found lost, edited or damaged, and are not made again yet."""
    frame = study.sql("SELECT analysis, key, damage FROM units WHERE damage IS NOT NULL ORDER BY ALL")
    if len(frame):
        cells = [(f"{row.analysis}/{clean(row.key)}", row.damage) for row in frame.itertuples()]
        yield Part("Results that are not as they were made", Layout("", ("result", "what happened to it"), cells, ()))
