"""Drawings that are kept, so that a report of results that have not changed draws nothing.

A file is named by the digest of all that the drawing depends on (`Later.digest`, the style, the form). It lies in
reports/drawings of the study, where a withdrawal takes it: what a patient's values drew is not kept after her. It is sealed
(`tshdb.sealed`).
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from tshdb.places import DRAWINGS, REPORTS, made_in
from tshdb.sealed import Sealed

if TYPE_CHECKING:
    from tshdb.figures.later import Later


class KeptDrawings:
    """The drawings of a study that were made before. n_made, n_taken: how many were drawn, and how many were there."""

    def __init__(self, root: Path):
        self.folder = made_in(root, REPORTS) / DRAWINGS
        self.n_made = self.n_taken = 0
        self._sealed = Sealed(self.folder)

    def drawing(self, asked: Later, form: str) -> tuple[bytes, list[str]]:
        """A drawing in the house's style, and what must be said of it: of before, if it is whole; else it is drawn, and kept."""
        from tshdb.figures.drawings import STYLE
        from tshdb.figures.printed import drawn_in_style

        digest = sha256(f"{asked.digest} {sorted(STYLE.items())}".encode()).hexdigest()
        name = f"{digest}.{form}.kept"
        if (content := self._sealed.take(name)) is not None:
            self.n_taken += 1
            said, _, data = content.partition(b"\n")
            return data, json.loads(said)
        remarks: list[str] = []
        data = drawn_in_style(asked.figure, form, remarks=remarks)
        self.n_made += 1
        self._sealed.keep(name, json.dumps(remarks).encode() + b"\n" + data)
        return data, remarks

    def forget_unused(self) -> None:
        """Remove what no report has shown for a month."""
        self._sealed.forget_unused()
