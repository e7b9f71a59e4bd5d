"""The folder of a manuscript: its files and a README, whole or not at all (`tshdb.laid_folders`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tshdb import laid_folders
from tshdb.text.markdown import escaped

if TYPE_CHECKING:
    from tshdb.manuscript.files import Part

KIND = laid_folders.Kind(".tshdb-manuscript.json", "manuscript")
README = "README.md"


def refuse_others(folder: Path) -> None:
    """Raises InvalidInput for a folder that is neither new nor empty nor of an earlier manuscript."""
    laid_folders.refuse_others(folder, KIND)


def lay(folder: Path, parts: Sequence[Part], study_name: str) -> None:
    """Write the files beside, then put them in their place. What an earlier manuscript has there goes; others' files stay."""
    with laid_folders.laid(folder, KIND) as writing:
        for part in parts:
            place = writing / part.name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(part.data)
        (writing / README).write_text(_readme(parts, study_name), encoding="utf-8", errors="backslashreplace")


def _readme(parts: Sequence[Part], study_name: str) -> str:
    lines = [
        f"# Manuscript of the study {escaped(study_name)}",
        "",
        "Written by `tshdb manuscript`: the same results give the same files. MISSING.md says what could not be made.",
        "",
        "| file | what it is |",
        "| --- | --- |",
        *(f"| {escaped(part.name)} | {escaped(part.about)} |" for part in parts),
        "",
        "LaTeX tables need the packages booktabs and array, long ones longtable. TIFF has 300 dots an inch.",
        "",
    ]
    return "\n".join(lines)
