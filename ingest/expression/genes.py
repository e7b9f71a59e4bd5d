"""Names of genes, as sources write them and as the study stores them.

Stored: a HUGO symbol; an Ensembl id without version; `entrez:<id>`; or a probe set. `SYMBOL|ENTREZ` (TCGA's RSEM) is its
symbol, `?|ENTREZ` its Entrez id. Symbols that were renamed are stored by today's name where `data/legacy_symbols.csv`
has them; the source's spelling stays in `genes.source_name`.
"""

import csv
import re
from functools import cache
from importlib import resources
from typing import NamedTuple

_ENSEMBL = re.compile(r"(ENS[A-Z]*G\d{11})(?:\.\d+)?")
_PROBESET = re.compile(r"(?:AFFX-.+|\d+(?:_[a-z])?(?:_[a-z]+)*_at)")
_DATE = re.compile(r"\d{1,2}-(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)", re.IGNORECASE)


class GeneName(NamedTuple):
    gene_id: str
    id_type: str
    source_name: str | None


@cache
def legacy_symbols() -> dict[str, str]:
    """Symbol that was -> symbol that is."""
    text = resources.files("ingest").joinpath("data/legacy_symbols.csv").read_text(encoding="utf-8")
    return {row["legacy"]: row["symbol"] for row in csv.DictReader(text.splitlines())}


def gene_name(text: str) -> GeneName:
    """The stored name of a gene that a source calls `text`."""
    if match := _ENSEMBL.fullmatch(text):
        return GeneName(match[1], "ensembl", text if match[1] != text else None)
    if text.isdigit():
        return GeneName(f"entrez:{text}", "entrez", text)
    if "|" in text:
        symbol, _, entrez = text.partition("|")
        if symbol == "?" and entrez.isdigit():
            return GeneName(f"entrez:{entrez}", "entrez", text)
        return GeneName(legacy_symbols().get(symbol, symbol), "symbol", text)
    if _PROBESET.fullmatch(text):
        return GeneName(text, "probeset", None)
    today = legacy_symbols().get(text, text)
    return GeneName(today, "symbol", text if today != text else None)


def is_date(text: str) -> bool:
    """Whether a spreadsheet has turned a gene symbol into a date (SEPT2 -> 2-Sep)."""
    return _DATE.fullmatch(text) is not None


def is_y_copy(text: str) -> bool:
    """Ensembl's second copy of a gene of the pseudoautosomal region, which would duplicate the first."""
    return text.startswith("ENSG") and text.endswith("_PAR_Y")
