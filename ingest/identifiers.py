"""Identifiers at the door: what surrounds one is mended with a warning, what is in one is an error.

A patient whose identifier is spelt in two ways is two patients, and nothing later can tell: so letters, digits and
hyphens are never changed here.
"""

from __future__ import annotations

import re
import unicodedata

from ingest.gdc.columns import missing_reason
from tshdb.file_content import FileContent

_HYPHENS = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
_TCGA_LIKE = re.compile(r"tcga[-_. ]", re.IGNORECASE)
_TCGA = re.compile(r"TCGA-[A-Z0-9]{2}-[A-Z0-9]{4}(-.*)?")
_PLAIN_BLANKS = re.compile(r"[^ ]+( [^ ]+)*")
_ALTERED = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d+|\d+[.,]0+")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ].*)?|\d{1,2}[./]\d{1,2}[./]\d{4}")
_SUMS = {
    "total",
    "totals",
    "sum",
    "sums",
    "mean",
    "median",
    "average",
    "summe",
    "gesamt",
    "mittelwert",
    "somme",
    "moyenne",
    "合计",
}
_FORMULA = ("=", "+", "@", "-")
LONGEST = 64


def checked_patient(text: str, line: int | None, column: str, content: FileContent) -> str | None:
    """The identifier of a patient without what surrounds it; None after an error."""
    return _checked(text, line, column, content, "patient")


def checked_sample(text: str, line: int | None, column: str, content: FileContent) -> str | None:
    """As checked_patient, for a sample or aliquot."""
    return _checked(text, line, column, content, "sample")


def _checked(text: str, line: int | None, column: str, content: FileContent, what: str) -> str | None:
    name = text.strip()
    if missing_reason(name):
        content.error(line, column, text, f"id.no-{what}", f"expected a {what}'s identifier")
        return None
    problem = _problem(name, what)
    if problem is not None:
        rule, message = problem
        content.error(line, column, text, rule, message)
        return None
    if name != text:
        blank = "a no-break space" if "\u00a0" in text else "a blank"
        content.warn(line, column, text, "id.blank-around", f"{blank} around it was taken off")
    if " " in name:
        content.warn(
            line, column, text, "id.blank-inside", f"holds a blank, and is kept; is it a {what}'s number, no name?"
        )
    return name


def _problem(name: str, what: str) -> tuple[str, str] | None:
    """(rule, message), or None."""
    if _ALTERED.fullmatch(name):
        return "id.number", "a program or a spreadsheet has made a number of it: digits or zeros are lost, or added"
    if _DATE.fullmatch(name):
        return "id.date", "a date: a spreadsheet has made one of the identifier, or it is no identifier"
    if name.casefold() in _SUMS:
        return "id.summary", f"a line or column that sums up, no {what}"
    if _HYPHENS.search(name):
        return "id.other-hyphen", "holds a dash that is no hyphen; write '-'"
    if any(c in name for c in "'\";`<>|"):
        return "id.quote", "holds a quotation mark, a semicolon, an angle bracket or a bar"
    if len(name) > LONGEST:
        return "id.too-long", f"has {len(name)} characters; at most {LONGEST}"
    if "/" in name or "\\" in name or ".." in name:
        return "id.path", "looks like a path; identifiers have no / and no .."
    if name[0] in _FORMULA:
        return "id.formula", "begins like a spreadsheet formula"
    plain = name.replace(" ", "") if _PLAIN_BLANKS.fullmatch(name) and not _TCGA_LIKE.match(name) else name
    if any(unicodedata.category(c) in ("Cc", "Cf", "Zs", "Zl", "Zp") for c in plain):
        return "id.blank-inside", "holds a blank or a control character"
    if _TCGA_LIKE.match(name) and not _TCGA.fullmatch(name):
        if name != name.upper() and _TCGA.fullmatch(name.upper()):
            return "id.lower-case", f"TCGA barcodes are upper case; write {name.upper()}"
        return "id.tcga-barcode", "no TCGA barcode, such as TCGA-A7-A0CE; a group may lack its leading zero"
    return None
