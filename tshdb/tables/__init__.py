"""The paper's tables again, from a study's results, beside what the paper prints.

rows             the rows behind the tables, and what the paper prints
characteristics  the rows of Table 1
layouts          tables laid out as the paper has them
undecided        what the patients of a table lack, since sources disagree
written          a table as a file: csv, xlsx, json, md, latex, docx
paper_claims     every printed number beside the study's own: does it hold

    study = tshdb.open("brca")
    tables.table(study, "2").frame
    tables.claims(study)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tshdb.errors import UsageError
from tshdb.files import complete, made_for
from tshdb.near import did_you_mean
from tshdb.next_step import NextSteps, naming_next_step
from tshdb.optimism import notes_of
from tshdb.tables.layouts import TABLES, Layout
from tshdb.tables.paper_claims import Checked, Verdict, claims
from tshdb.tables.undecided import noted
from tshdb.tables.written.values import flat
from tshdb.text.controls import clean
from tshdb.text.tabular import laid_out
from tshdb.text.widths import fill
from tshdb.written_files import Holds, note_written

if TYPE_CHECKING:
    import pandas as pd

    from tshdb.study import Study

__all__ = ["TABLES", "Checked", "Layout", "Table", "Verdict", "claims", "table"]


@dataclass(frozen=True)
class Table:
    """One of the paper's tables.

    number    as the paper has it
    facts     its rows as plain values
    layouts   how they are shown: one layout a printed table
    root      the study's folder, which notes files that are written outside of it
    """

    number: str
    title: str
    facts: list[dict[str, Any]]
    layouts: list[Layout]
    root: Path | None = field(default=None, compare=False, repr=False)

    @property
    def frame(self) -> pd.DataFrame:
        """The facts, a row each; what the paper prints stands in columns such as paper.beta."""
        import pandas as pd

        return pd.DataFrame([flat(row) for row in self.facts])

    def text(self, width: int | None = None) -> str:
        """The table in lines. width: of the terminal in columns; without it nothing wraps."""
        return "\n".join(line for layout in self.layouts for line in _lines(layout, width))

    @property
    def cohorts(self) -> list[str]:
        """The cohort versions that its rows are of, cohort@version; none where they do not say it."""
        return _cohorts_of(self.facts)

    def to(self, form: str) -> bytes:
        """The bytes of a file of it: csv, xlsx, json, md, latex or docx. The same results give the same bytes.

        Raises UsageError for another form.
        """
        from tshdb.tables.written import written

        return written(self, form)

    def save(self, path: str | Path, form: str | None = None) -> str | None:
        """Write it to a file, which is whole or not there. form: if the end of its name does not say it.

        Gives what must be said where the study could not note the file. Raises UsageError for a name that says no form, or
        another one.
        """
        from tshdb.tables.written import format_of

        place = Path(path)
        data = self.to(format_of(form, place))
        with complete(made_for(place)) as written_to:
            written_to.write_bytes(data)
        if self.root is None:
            return None
        return note_written(Holds(self.root, "table", self.number, False, self.cohorts or None), place)

    def _repr_html_(self) -> str:
        return "".join(_html(layout) for layout in self.layouts)


def refuse_unknown(number: str) -> None:
    """Raises UsageError for a table that there is not."""
    if number.lower() not in TABLES:
        known = f"Known: {'; '.join(f'{name} ({each.title})' for name, each in TABLES.items())}"
        raise UsageError(f"table {number}", where="tshdb table", repair=did_you_mean(number, TABLES, known))


def table(study: Study, number: str, cohort: str | None = None, steps: NextSteps | None = None) -> Table:
    """A table of the paper: 1, 2, s1 to s6, or ladder and prognosis, of the signature.

    cohort   cohort@version, or a name for its newest version; None for the cohort that study.toml names first
    steps    the study's next steps, so that several tables share one look at it

    Raises UsageError for a table that there is not, and NotFound, with the next step, where there are no rows.
    """
    refuse_unknown(number)
    paper_table = TABLES[number.lower()]
    with naming_next_step(study, steps):
        facts = paper_table.rows(study, cohort)
    cohorts = _cohorts_of(facts)
    layouts = noted(study, paper_table.layout(facts), cohorts)
    if layouts and (notes := notes_of(study, paper_table.analyses, cohorts)):
        layouts = [*layouts[:-1], layouts[-1]._replace(notes=(*layouts[-1].notes, *notes))]
    return Table(number.lower(), paper_table.title, facts, layouts, study.root)


def _cohorts_of(facts: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(row["cohort"] for row in facts if row.get("cohort")))


def _html(layout: Layout) -> str:
    def line(cells: Sequence[object], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape('·' if c is None else clean(c))}</{tag}>" for c in cells) + "</tr>"

    rows = "".join([line(layout.headers, "th"), *(line(row, "td") for row in layout.cells)])
    notes = "".join(f"<p>{escape(clean(note))}</p>" for note in layout.notes)
    return f"<p>{escape(clean(layout.title))}</p><table>{rows}</table>{notes}"


def _lines(layout: Layout, width: int | None) -> list[str]:
    def wrapped(text: str) -> list[str]:
        line = f" {clean(text)}"
        return [line] if width is None else fill(line, width)

    cells = [[None if v is None else clean(v) for v in row] for row in layout.cells]
    lines = laid_out([clean(h) for h in layout.headers], cells, layout.right, " ", width)
    return [*wrapped(layout.title), *lines, *(line for note in layout.notes for line in wrapped(note))]
