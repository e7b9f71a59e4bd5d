"""What stands behind the tables of a page: of each its results' trees, the ways in which they were computed, and the code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tshdb.pages.report.parts import Drawn, Section, Shown, Tree, Words
from tshdb.pages.report.trees import Trees, trees

if TYPE_CHECKING:
    from tshdb.pages.report.look import Look


class Link(NamedTuple):
    """A link to a tree."""

    anchor: str
    text: str


class Behind:
    """The trees of the results that the tables and drawings of some sections show.

    links: id of a part -> links to its trees; trees: all of them, with what they share.
    """

    def __init__(self, look: Look, sections: Sequence[Section]):
        wanted = [unit for part in _computed(sections) for unit in part.units]
        self.trees: Trees = trees(look.study, wanted, look.names) if wanted else Trees()
        self.links = {
            part.id: [self._link(self.trees.anchor_of[unit]) for unit in part.units] for part in _computed(sections)
        }

    def _link(self, anchor: str) -> Link:
        tree = self.trees.trees[anchor]
        return Link(anchor, f"{tree.analysis}, {tree.of}")

    @property
    def sections(self) -> list[Section]:
        """The section of the trees; none where nothing was computed."""
        parts: list[Tree | Words] = [Tree(anchor, tree) for anchor, tree in self.trees.trees.items()]
        if not parts:
            return []
        note = (
            "Each result with what it was computed from: inputs by role, down to files and lines. An analysis that stands above "
            "in a tree is not taken apart again. Patients are counted and not named."
        )
        return [Section("trees", "Where the numbers come from", parts, (note,), is_folded=True)]


def _computed(sections: Sequence[Section]) -> Iterator[Shown | Drawn]:
    for section in sections:
        yield from (part for part in section.parts if isinstance(part, Shown | Drawn))
