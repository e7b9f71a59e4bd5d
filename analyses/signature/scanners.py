"""One name for one make of scanner, whatever its headers write: for harmonisation, which needs patients of each. Helpers.

SIEMENS, Siemens Healthineers and SIEMENS HEALTHCARE are one maker; 1.494 T and 1.5 T are one field, 2.89 T and 3 T another. What
is not known keeps its own words, in which case and blanks count nothing. The header's words stand beside them
(`feature_sets.scanner`).
"""

from __future__ import annotations

import re

MAKERS = {  # a word of the header -> the maker's name; companies that were bought stand under one name with their buyer
    "siemens": "Siemens", "ge": "GE", "general electric": "GE", "gems": "GE", "philips": "Philips", "picker": "Philips",
    "marconi": "Philips", "toshiba": "Canon", "canon": "Canon", "hitachi": "Fujifilm", "fujifilm": "Fujifilm",
    "uih": "United Imaging", "united imaging": "United Imaging", "aurora": "Aurora", "esaote": "Esaote", "hologic": "Hologic",
    "mindray": "Mindray", "neusoft": "Neusoft", "bruker": "Bruker", "sim": "SIM",
}  # fmt: skip
FIELDS_T = (0.064, 0.2, 0.23, 0.25, 0.3, 0.35, 0.4, 0.5, 0.55, 0.6, 0.7, 1.0, 1.2, 1.5, 3.0, 5.0, 7.0, 9.4, 11.7)
WITHIN = 0.05  # of the nominal field: magnets are built a little below it


def maker(words: str) -> str:
    """The maker's one name; else the words in one spelling."""
    plain = re.sub(r"[^a-z0-9]+", " ", words.casefold()).strip()
    for word, name in MAKERS.items():
        if re.search(rf"(^| ){word}( |$)", plain):
            return name
    return " ".join(_in_one_case(word) for word in words.split())


def _in_one_case(word: str) -> str:
    """Words in lower case, single letters and numbers in upper case: site A, agency 3, S2."""
    return word.upper() if len(word) == 1 or any(c.isdigit() for c in word) else word.casefold()


def nominal_field(tesla: float) -> float:
    """The field that a magnet is sold as; one that none is near stays as it is."""
    nearest = min(FIELDS_T, key=lambda f: abs(f - tesla))
    return nearest if abs(nearest - tesla) <= WITHIN * nearest else tesla


def group(words: str, tesla: float | None) -> str:
    """What scanners are grouped by: Siemens 1.5 T."""
    return maker(words) if tesla is None else f"{maker(words)} {nominal_field(tesla):g} T"


def group_of_text(text: str) -> str:
    """The same of one text, as a table of features has it: `GE MEDICAL SYSTEMS 1.5T`, `Site A`."""
    found = re.fullmatch(r"(.+?)[\s,_-]*([0-9]+(?:\.[0-9]+)?)\s*(?:t|tesla)", text.strip(), re.IGNORECASE)
    return maker(text) if found is None else group(found[1], float(found[2]))
