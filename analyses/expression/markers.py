"""Marker genes of cell populations: a bundled table, or a study's own.

File     csv with the columns population and marker (HUGO symbol or probe set); optional: entrez, ensembl.
Bundled  mcp_counter: the 111 genes of MCP-counter 1.2.0 (Becht et al. 2016, doi:10.1186/s13059-016-1070-5; the table is
         CC0), with `C`, a misspelt symbol upstream, corrected to CAVIN2 by its Entrez and Ensembl ids;
         mcp_counter_upstream: the same with `C`; mcp_counter_affy133: its 177 probe sets.
"""

from __future__ import annotations

import csv
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from tshdb.errors import InvalidInput
from tshdb.written import written_text

if TYPE_CHECKING:
    import pandas as pd

BUNDLED = ("mcp_counter", "mcp_counter_upstream", "mcp_counter_affy133")
REQUIRED = ("population", "marker")


def read(markers: str, root: Path) -> tuple[str, list[dict]]:
    """(signature, rows of marker_genes) of a bundled table by name, or of a csv by its path in the study folder.

    Raises InvalidInput with the line for a table that is not as the module says.
    """
    if markers in BUNDLED:
        path = resources.files("analyses").joinpath(f"data/{markers}.csv")
        return markers, _parse(path.read_text(encoding="utf-8"), markers, str(path))
    path = root / markers
    if not path.is_file():
        raise InvalidInput(
            f"no marker table '{markers}'",
            where="study.toml: [cell_abundances] markers",
            repair=f"Name a csv in the study folder, or one of {', '.join(BUNDLED)}",
        )
    return Path(markers).stem, _parse(written_text(path), Path(markers).stem, str(path))


@lru_cache(maxsize=16)
def _parse(text: str, signature: str, where: str) -> list[dict]:
    reader = csv.DictReader(text.splitlines())
    missing = [c for c in REQUIRED if c not in (reader.fieldnames or ())]
    if missing:
        raise InvalidInput(f"no column {', '.join(missing)}", where=f"{where}:1", repair="Expected population,marker")
    rows: dict[tuple[str, str], dict] = {}
    for line, row in enumerate(reader, 2):
        key = (row["population"], row["marker"])
        if not all(key) or key in rows:
            what = "an empty population or marker" if not all(key) else f"{key[1]} of {key[0]} stands twice"
            raise InvalidInput(what, where=f"{where}:{line}", repair="Mend the row")
        rows[key] = {
            "signature": signature,
            "population": row["population"],
            "marker": row["marker"],
            "entrez": row.get("entrez") or None,
            "ensembl": row.get("ensembl") or None,
            "position": len(rows),
        }
    return list(rows.values())


def gene_ids(markers: pd.DataFrame) -> list[str]:
    """All names under which the study may store the markers: symbol or probe set, Ensembl id, entrez:<id>."""
    names = list(markers["marker"])
    names += list(markers["ensembl"].dropna())
    names += [f"entrez:{e}" for e in markers["entrez"].dropna()]
    return sorted(set(names))
