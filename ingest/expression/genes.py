"""Names of genes, as sources write them and as the study stores them.

Stored: a HUGO symbol; an Ensembl id without version; `entrez:<id>`; or a probe set. `SYMBOL|ENTREZ` (TCGA's RSEM) is its
symbol, `?|ENTREZ` its Entrez id. Symbols that were renamed are stored by today's name where `data/legacy_symbols.csv`
has them; the source's spelling stays in `genes.source_name`.
"""

import csv
import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

_ENSEMBL = re.compile(r"(ENS[A-Z]*G\d{11})(?:\.\d+)?")
_PROBESET = re.compile(
    r"(?:AFFX-.+|\d+(?:_[a-z])?(?:_[a-z]+)*_at|ILMN_\d+|A_\d+_[A-Z]+\d+)"
)  # Affymetrix, Illumina, Agilent
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Mrz|Mai|Okt|Dez)[a-z]*"
_DATE = re.compile(
    rf"\d{{1,2}}[-. /]{_MONTH}(?:[-. /]\d{{2,4}})?|{_MONTH}[-. /]\d{{1,4}}(?:[-. /,]+\d{{2,4}})?"
    r"|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[ T]00:00(?::00)?)?|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[-+]?(?:\d+[.,]\d*|\d+(?:[.,]\d+)?[eE][-+]?\d+)")
_SUMMARY = re.compile(
    r"__\w+|N_(?:unmapped|multimapping|noFeature|ambiguous)|no_feature|ambiguous|too_low_aQual|not_aligned|alignment_not_unique"
    r"|Assigned|Unassigned_\w+|ERCC-\d{5}"
    r"|(?:sub|grand )?totals?|sums?|means?|averages?|medians?|summe|gesamt|mittelwert|somme|moyenne|lib(?:rary)?[ ._]size",
    re.IGNORECASE,
)
_ERRORS = {
    "",
    "#N/A",
    "#NAME?",
    "#REF!",
    "#VALUE!",
    "#NUM!",
    "#DIV/0!",
    "?",
    "TRUE",
    "FALSE",
    "-",
    "---",
}  # NA may be a gene
_Y_COPY = re.compile(r"ENSGR\d{10}(?:\.\d+)?")


UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")
"""Characters that nobody sees: a name that holds one is another name"""


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
    """Whether a spreadsheet has turned a gene symbol into a date (SEPT2 -> 2-Sep, Sep-02, 2021-09-02)."""
    return _DATE.fullmatch(text) is not None


def is_y_copy(text: str) -> bool:
    """Ensembl's second copy of a gene of the pseudoautosomal region, which would duplicate the first: _PAR_Y, or ENSGR."""
    return (text.startswith("ENSG") and text.endswith("_PAR_Y")) or _Y_COPY.fullmatch(text) is not None


def not_a_gene(text: str, are_numbers: bool) -> tuple[str, str] | None:
    """(rule, message) of a name that is none of a gene; None for a gene's. are_numbers: the table's genes are Entrez numbers."""
    if is_date(text):
        return "rna.gene-is-a-date", "a spreadsheet has renamed this gene; it is left out"
    if _SUMMARY.fullmatch(text):
        return "rna.summary-row", "a count of reads, a control or a sum, no gene; it is left out"
    if text.upper() in _ERRORS:
        return "rna.no-gene", "no name of a gene; it is left out"
    if _NUMBER.fullmatch(text) or (text.isdecimal() and not are_numbers):
        is_day = text.isdecimal() and 20_000 < int(text) < 60_000
        what = "a date of a spreadsheet, counted in days" if is_day else "a number"
        return "rna.no-gene", f"{what} among names; it is left out"
    return None


def are_entrez(names: Sequence[str]) -> bool:
    """Whether the genes of a table are Entrez numbers: a number among symbols is a damaged name."""
    return sum(name.strip().isdigit() for name in names) > len(names) / 2
