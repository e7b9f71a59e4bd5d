"""The first section of a variant's report: what is set in it, and what it has otherwise than the study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tshdb.pages.report.parts import Section, Shown, Words
from tshdb.tables.layouts import Layout
from tshdb.text.controls import clean

if TYPE_CHECKING:
    from tshdb.pages.report.look import Look
    from tshdb.variants.compared import TableDifference

MOVED_SHOWN = 100  # values that a variant has otherwise
NOTE = (
    "This is not the study itself: the same data by other settings. What is not its own are results of the study that its "
    "settings leave as they are."
)


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


def of_variant(look: Look, variant: OfVariant) -> Section:
    """What is set in a variant, how much is its own, and what it has otherwise than the study."""
    moved = [(name, before, after) for name, (before, after) in variant.settings.items()]
    units = [("of its own", f"{variant.n_own:,}"), ("the study's", f"{variant.n_shared:,}")]

    def shown(title: str, one_row: str, layout: Layout) -> Shown:
        return Shown(look.ids.of("variant", title), title, one_row, [layout])

    parts: list[Shown | Words] = [
        shown("Settings", "a setting", Layout(variant.words, ("setting", "study", "variant"), moved, ())),
        shown("Results", "whose results they are", Layout("", ("whose", "results"), units, (1,))),
    ]
    if not variant.tables:
        return Section(
            "variant", f"Variant {variant.name}", [*parts, Words("No row differs from the study's.")], (NOTE,)
        )
    counts = [
        (t.table, f"{t.counts['differ']:,}", f"{t.counts['new']:,}", f"{t.counts['gone']:,}") for t in variant.tables
    ]
    headers = ("table", "differ", "in the variant alone", "in the study alone")
    parts.append(shown("Rows that differ from the study's", "a table", Layout("", headers, counts, (1, 2, 3))))
    values = [
        (t.table, row.unit if not row.row else f"{row.unit}: {row.row}", column, _shown(before), _shown(after))
        for t in variant.tables
        for row, of_row in t.of_interest()
        for column, before, after in of_row
    ]
    if values:
        more = len(values) - MOVED_SHOWN
        notes = (f"{more:,} more: tshdb variants diff {variant.name}",) if more > 0 else ()
        headers = ("table", "row", "column", "study", "variant")
        layout = Layout("", headers, values[:MOVED_SHOWN], (3, 4), notes)
        parts.append(shown("Values that differ", "a value", layout))
    return Section("variant", f"Variant {variant.name}", parts, (NOTE,))


def _shown(value: Any) -> str | None:
    return f"{value:.6g}" if isinstance(value, float) else None if value is None else clean(value)
