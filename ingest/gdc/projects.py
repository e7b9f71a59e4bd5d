"""Whether a row is of the collection that it is loaded into: its project against the collection's name.

A collection that bears the name of a project of the GDC or of its programmes (tcga-brca) takes rows of that project alone.
Collections with names of their own take what they are given.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from ingest.gdc.columns import missing_reason
from tshdb.file_content import FileContent

PROGRAMMES = (
    "tcga", "target", "cptac", "cgci", "hcmi", "mmrf", "beataml", "fm", "genie", "nciccr", "ohsu", "ctsp", "cddp", "wcdt",
    "mp2prt", "apollo", "cmi", "rebc", "trio", "varepop", "matchs", "matchw", "organoid",
)  # fmt: skip
_BIOTAB = re.compile(r"org_(?:clinical|biospecimen|ssf|auxiliary)_.*_(?P<project>[a-z]{2,4})\.txt", re.IGNORECASE)


def project_of(collection: str) -> str | None:
    """The GDC's project whose name a collection bears, such as TCGA-BRCA; None for a name of its own."""
    programme = collection.lower().partition("-")[0]
    return collection.upper() if programme in PROGRAMMES and "-" in collection else None


class Projects:
    """Rows while they are read: those of other projects are counted, and told once a project."""

    def __init__(self, collection: str, rule: str = "clinical.other-project"):
        self.collection, self.rule = collection, rule
        self.project = project_of(collection)
        self._lines: dict[str, list[int]] = defaultdict(list)

    def is_other(self, text: str | None, line: int) -> bool:
        """Whether a row names another project, which is counted."""
        if self.project is None or text is None or missing_reason(text) or text.strip().upper() == self.project:
            return False
        self._lines[text.strip()].append(line)
        return True

    def tell(self, content: FileContent, column: str = "project_id") -> None:
        """An error for each other project, with the number of its rows, which are withheld."""
        for project, lines in self._lines.items():
            content.withhold(
                lines[0], column, project, self.rule,
                f"{len(lines)} rows are of {project}; the collection {self.collection} is of {self.project}", len(lines),
            )  # fmt: skip


def project_of_biotab(path: Path) -> str | None:
    """The project that the name of a Biotab file ends with; None for another name. Nothing inside of one says it."""
    match = _BIOTAB.search(path.name)
    return None if match is None else f"TCGA-{match['project'].upper()}"
