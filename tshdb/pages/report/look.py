"""What all sections of a report share: the study, what was asked of the page, and one look at labels, steps and drawings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tshdb import installed
from tshdb.database import reading
from tshdb.errors import TshdbError
from tshdb.figures import figure
from tshdb.guests.listing import Listing, listing_of
from tshdb.models import list_models
from tshdb.next_step import NextSteps, has_paper
from tshdb.optimism import Labels
from tshdb.pages.report.inline import has_pixels, inline_svg
from tshdb.pages.report.parts import MOST_CSV, Drawn, Ids, Section, Shown, Words, csv_text
from tshdb.pages.report.passing_on import Names, names_of
from tshdb.tables.rows import cohort_order
from tshdb.text.controls import clean
from tshdb.written_files import is_of_patients

if TYPE_CHECKING:
    import pandas as pd

    from tshdb.figures.kept import KeptDrawings
    from tshdb.study import Study

MOST_UNITS = 12  # results of which a part names each


@dataclass
class Look:
    """A report in the making.

    with_patients   single patients may be named, and their rows be taken along
    figures, tables the ids of what is shown, by name and cohort: what statements lead to
    """

    study: Study
    kept: KeptDrawings | None = None
    with_patients: bool = False
    ids: Ids = field(default_factory=Ids)
    figures: dict[tuple[str, str | None], str] = field(default_factory=dict)
    tables: dict[str, str] = field(default_factory=dict)

    @cached_property
    def names(self) -> Names:
        """What names single patients, for a page that is passed on."""
        return names_of(self.study)

    def said(self, text: object) -> str:
        """A text as it may stand on the page."""
        plain = clean(text)
        return plain if self.with_patients else self.names.without(plain)

    @cached_property
    def steps(self) -> NextSteps:
        return NextSteps(self.study)

    @cached_property
    def labels(self) -> Labels:
        return Labels(self.study)

    @cached_property
    def listing(self) -> Listing:
        """The analyses that the study has here."""
        return listing_of(self.study)

    @cached_property
    def models(self) -> list[dict[str, Any]]:
        """Every model version, as `tshdb model list` has it."""
        with reading(self.study.engine) as connection:
            return list_models(connection, self.listing.analyses)

    @cached_property
    def has_paper(self) -> bool:
        return has_paper(self.study)

    @cached_property
    def order(self) -> list[str]:
        return cohort_order(self.study)

    def drawn(self, name: str, cohort: str | None) -> Drawn | Words:
        """A figure of the study, or why there is none."""
        title = installed.figures()[name].title + (f", {cohort}" if cohort else "")
        try:
            made = figure(self.study, name, cohort, steps=self.steps, kept=self.kept)
        except TshdbError as error:
            return Words(f"{title}: {error}", "warning")
        return self.picture(self.ids.of("figure", name, cohort or ""), title, made.data, made.how_to_read, made.rows)

    def picture(self, id: str, title: str, svg: bytes, how_to_read: str, rows: Sequence[pd.DataFrame]) -> Drawn:
        """A drawing with its rows, where they may be on the page."""
        if not self.with_patients and has_pixels(svg):
            how_to_read = f"{how_to_read.rstrip('.')}. Pictures of patients are left out of this page."
        how_to_read = self.said(how_to_read)
        csv, why = self._csv(rows)
        alt = f"{self.said(title)}. {how_to_read}"
        return Drawn(
            id,
            self.said(title),
            inline_svg(svg, id, alt, self.said, self.with_patients),
            how_to_read,
            csv,
            why,
            units_of(id, rows),
        )

    def _csv(self, rows: Sequence[pd.DataFrame]) -> tuple[str | None, str]:
        """(the rows as CSV, "") or (None, why they are not here)."""
        if not rows:
            return None, ""
        if not self.with_patients and any(map(is_of_patients, rows)):
            return None, "Its rows are of single patients: tshdb figure NAME --data FILE.csv"
        text = "\n".join(csv_text(frame.drop(columns="unit_id", errors="ignore")) for frame in rows)
        if not self.with_patients and self.names.is_in(text):
            return None, "Its rows name patients: tshdb figure NAME --data FILE.csv"
        if len(text) > MOST_CSV:
            return None, "Its rows are too many for a page: tshdb figure NAME --data FILE.csv"
        return text, ""

    def file_name(self, name: str) -> str:
        """A file's name as it may stand on the page."""
        return clean(name) if self.with_patients else self.names.of_file(name)

    def passed_on(self, section: Section) -> Section:
        """The section with its texts as they may stand on the page; drawings are so already."""
        return replace(
            section, parts=[self._part(part) for part in section.parts], notes=tuple(map(self.said, section.notes))
        )

    def _part(self, part: Shown | Drawn | Words) -> Shown | Drawn | Words:
        if isinstance(part, Words):
            return replace(part, text=self.said(part.text))
        if isinstance(part, Drawn):
            return part
        layouts = [
            layout._replace(
                title=self.said(layout.title),
                cells=[tuple(self.said(v) if isinstance(v, str) else v for v in row) for row in layout.cells],
                notes=tuple(map(self.said, layout.notes)),
            )
            for layout in part.layouts
        ]
        csv = part.csv if part.csv is None or self.with_patients or not self.names.is_in(part.csv) else None
        return replace(
            part, title=self.said(part.title), layouts=layouts, csv=csv, labels=tuple(map(self.said, part.labels))
        )


def units_of(name: str, frames: Sequence[pd.DataFrame]) -> tuple[tuple[str, int], ...]:
    """The results that some rows are of, where they say so; of many single results none."""
    found = {int(unit) for frame in frames if "unit_id" in frame.columns for unit in frame["unit_id"].dropna()}
    return tuple((name, unit) for unit in sorted(found)) if len(found) <= MOST_UNITS else ()
