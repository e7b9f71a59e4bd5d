"""The history of a study as a story: what changed, when, by which run, from what cause, with before and after.

`story` tells it; `event` is one line of it, `scope` what a table's or a key's part is. `data` finds what came in and who is
in cohorts, `rebuilds` what was computed, and which groups and numbers moved by it.
"""

from tshdb.story.event import Event, EventKind
from tshdb.story.tell import since, story, what_changed

__all__ = ["Event", "EventKind", "since", "story", "what_changed"]
