"""What changed since the study was first computed, with its time: of a page that is stamped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tshdb.database import reading
from tshdb.pages.report.parts import Section, Shown, Words
from tshdb.story import what_changed
from tshdb.tables.layouts import Layout
from tshdb.text.controls import clean

if TYPE_CHECKING:
    from tshdb.pages.report.look import Look

EVENTS_SHOWN = 20


def changes(look: Look) -> Section:
    """The last events of the study's history, the newest first."""
    with reading(look.study.engine) as connection:
        events = what_changed(connection, look.listing.analyses, EVENTS_SHOWN)
    title, notes = "What changed", ("Since it was first computed. All of it: tshdb history.",)
    if not events:
        return Section("changes", title, [Words("Nothing has changed since.")], notes)
    cells = [(e.at[:16].replace("T", " "), clean(e.by), clean(e.says)) for e in reversed(events)]
    layout = Layout("", ("when (UTC)", "by", "what"), cells, ())
    return Section("changes", title, [Shown(look.ids.of("events"), "Events", "an event", [layout])], notes)
