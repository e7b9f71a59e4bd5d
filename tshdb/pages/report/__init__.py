"""The report: the study as one HTML file that can be passed on.

parts      what a page is made of: tables, drawings, words, statements
look       what all sections share
headline, doubtful   the first screen
overview   what is in the study, and how cohorts came about
results    tables and figures of the paper's way
beside     the paper's numbers, multiverses, truths, guests' tables, checklists
sources    files, findings, code and parameters
of_variant what is set in a variant, and what it has otherwise
inline     a drawing in the text of a page
behind     the trees of the results that tables show
passing_on what may not stand on a page that is passed on
since      what is otherwise than in an earlier report
stamp, changes   of a page that says when it was made

The bytes depend on the results alone: no time, run, or number of a unit is in them. Nobody's id and no row of a single patient is
on it, so that it can be passed on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

from tshdb.figures.kept import KeptDrawings
from tshdb.pages.html import rendered
from tshdb.pages.report import since
from tshdb.pages.report.behind import Behind
from tshdb.pages.report.beside import checklists, guest_tables, multiverses, paper_numbers, truths
from tshdb.pages.report.changes import changes
from tshdb.pages.report.doubtful import doubtful
from tshdb.pages.report.headline import headline
from tshdb.pages.report.look import Look
from tshdb.pages.report.of_variant import OfVariant, of_variant
from tshdb.pages.report.overview import flows, overview
from tshdb.pages.report.parts import Drawn, Section, Shown, layout_csv
from tshdb.pages.report.results import of_guests, results
from tshdb.pages.report.sources import provenance, sources
from tshdb.pages.report.stamp import Stamp
from tshdb.tables.layouts import Layout
from tshdb.text.controls import clean

if TYPE_CHECKING:
    from tshdb.study import Study

__all__ = ["Beside", "OfVariant", "report"]


class Beside(NamedTuple):
    """What a page can say beside the study's results.

    variant    of the variant as which the study is seen
    stamp      when it was made, and what is stale
    earlier    what an earlier report showed, and where it lies
    """

    variant: OfVariant | None = None
    stamp: Stamp | None = None
    earlier: since.Shown | None = None
    earlier_page: Path | None = None


def report(
    study: Study, beside: Beside | None = None, kept: KeptDrawings | None = None, with_patients: bool = False
) -> str:
    """The page as HTML. Reads the study's results; writes nothing but drawings to be kept.

    kept           the drawings of former reports
    with_patients  patients may be named; else nobody is, and a page that would raises InvalidInput
    """
    beside = beside or Beside()
    variant = beside.variant
    look = Look(study, kept, with_patients)
    made = [
        *([of_variant(look, variant)] if variant is not None else []),
        overview(look),
        flows(look),
        *results(look),
        of_guests(look),
        guest_tables(look),
        multiverses(look),
        truths(look),
        paper_numbers(look),
        sources(look),
        provenance(look),
        checklists(look),
    ]
    sections = [look.passed_on(section) for section in made if section is not None]
    shown = since.Shown(look.said(study.settings.study.name), tuple(_listed(sections)), variant.name if variant else "")
    moved = _moved(beside, shown)
    behind = Behind(look, sections)
    sections += [*behind.sections, *([look.passed_on(changes(look))] if beside.stamp is not None else [])]
    name = clean(study.settings.study.name) + (f", variant {variant.name}" if variant is not None else "")
    first = headline(look)
    page = rendered(
        "report.html", title=name, facts=_facts(look), headline=first, doubts=doubtful(look, first.statements), sections=sections,
        csv_of=layout_csv, behind=behind, stamp=beside.stamp, moved=moved, earlier=beside.earlier_page,
        listed=Markup(f"{since.OPENS}{since.listed(shown)}</script>"), keys_of=_Keys(beside, shown),
    )  # fmt: skip
    if not with_patients:
        look.names.refuse(page)
    return page


def _listed(sections: Sequence[Section]) -> Iterator[since.Part]:
    """What the page shows, for a later one that is compared with it."""
    for section in sections:
        for part in section.parts:
            if isinstance(part, Shown):
                for i, layout in enumerate(part.layouts):
                    yield since.Part.of_table(f"{part.id}.{i}", part.title, layout)
            elif isinstance(part, Drawn):
                yield since.Part.of_figure(part.id, part.title, part.svg.encode())


def _moved(beside: Beside, shown: since.Shown) -> dict[str, since.Change]:
    """part -> what is otherwise than in the earlier report."""
    if beside.earlier is None or beside.earlier_page is None:
        return {}
    since.refuse_other_study(beside.earlier, shown, beside.earlier_page)
    return since.changed(beside.earlier, shown)


class _Keys:
    """How the rows and columns of a table are called where it is compared with an earlier page's."""

    def __init__(self, beside: Beside, shown: since.Shown):
        self.before = {part.id: part for part in beside.earlier.parts} if beside.earlier is not None else {}
        self.now = {part.id: part for part in shown.parts}

    def __call__(self, id: str, layout: Layout) -> tuple[list[str], list[str]]:
        part = self.now[id]
        width = since.width_of_keys(self.before[id], part)
        return since.keys(part.rows, width), since.keys([(column,) for column in part.columns], 1)


def _facts(look: Look) -> str:
    """One line below the name: what the study is about."""
    names = look.study.sql("SELECT DISTINCT collection FROM patients ORDER BY 1")["collection"]
    return f"Collections: {', '.join(map(clean, names))}" if len(names) else "Nothing was ingested yet."
