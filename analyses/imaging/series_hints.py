"""Hints by which imaging series are told apart: a bundled table, or a study's own.

File     csv with the columns role, column_name (of imaging_series), pattern (regular expression), weight, meaning.
Bundled  breast_dce_hints: collected from the series of TCGA-BRCA, ISPY1 and Breast-MRI-NACT-Pilot as the IDC lists them.
"""

from __future__ import annotations

import csv
import re
from functools import lru_cache
from importlib import resources
from pathlib import Path

from tshdb.errors import InvalidInput
from tshdb.vocabulary import SeriesRole
from tshdb.written import written_text

BUNDLED = ("breast_dce_hints",)
COLUMNS = ("role", "column_name", "pattern", "weight", "meaning")


def read(hints: str, root: Path) -> tuple[str, list[dict]]:
    """(name, rows of series_hints) of a bundled table by name, or of a csv by its path in the study folder.

    Raises InvalidInput with the line for a table that is not as the module says.
    """
    if hints in BUNDLED:
        path = resources.files("analyses").joinpath(f"data/{hints}.csv")
        return hints, _parse(path.read_text(encoding="utf-8"), hints, str(path))
    path = root / hints
    if not path.is_file():
        raise InvalidInput(
            f"no table of hints '{hints}'",
            where="study.toml: [series_roles] hints",
            repair=f"Name a csv in the study folder, or one of {', '.join(BUNDLED)}",
        )
    return path.stem, _parse(written_text(path), path.stem, str(path))


@lru_cache(maxsize=4)
def _parse(text: str, name: str, where: str) -> list[dict]:
    reader = csv.DictReader(text.splitlines())
    if missing := [c for c in COLUMNS if c not in (reader.fieldnames or ())]:
        raise InvalidInput(
            f"no column {', '.join(missing)}", where=f"{where}:1", repair=f"Expected {','.join(COLUMNS)}"
        )
    rows = []
    for position, row in enumerate(reader):
        try:
            re.compile(row["pattern"])
            weight = float(row["weight"])
            SeriesRole(row["role"])
        except (re.error, ValueError) as error:
            raise InvalidInput(str(error), where=f"{where}:{reader.line_num}", repair="Mend the row") from None
        rows.append({"hints": name, "position": position, **row, "weight": weight})
    return rows
