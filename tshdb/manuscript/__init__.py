"""All that a manuscript takes from a study, in one folder: tables, figures, Methods, references, and what is missing and why.

files   which files there are, each with what it is
folder  the folder: whole or not at all; files of others in it stay

    study = tshdb.open("brca")
    manuscript(study, Path("manuscript"))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tshdb.manuscript.files import Missing, Part, parts
from tshdb.manuscript.folder import lay, refuse_others
from tshdb.written_files import Holds, note_written

if TYPE_CHECKING:
    from tshdb.study import Study

__all__ = ["Manuscript", "Missing", "Part", "manuscript"]


@dataclass(frozen=True)
class Manuscript:
    """What was written. unnoted: what must be said where the study could not note it; None elsewhere."""

    folder: Path
    parts: tuple[Part, ...]
    missing: tuple[Missing, ...]
    unnoted: str | None


def manuscript(
    study: Study,
    folder: Path,
    *,
    width: float | None = None,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> Manuscript:
    """Write everything into a folder, which is new, empty, or one that this wrote before.

    width: of figures, inches; None: as they were designed. progress: is called with (what, done, in all).

    Raises InvalidInput for a folder that holds something else; then nothing was written.
    """
    refuse_others(folder)
    made, missing = parts(study, width, progress)
    lay(folder, made, study.name)
    of_patients = (
        True if any(part.of_patients for part in made) else None if any(p.of_patients is None for p in made) else False
    )
    unnoted = note_written(Holds(study.root, "manuscript", "manuscript", of_patients), folder)
    return Manuscript(folder, tuple(made), tuple(missing), unnoted)
