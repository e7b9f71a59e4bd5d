"""Histology of a breast cancer as one of four classes, by its ICD-O-3 morphology, else by its name."""

from __future__ import annotations

_CLASSES = {"8500": "ductal", "8520": "lobular", "8522": "mixed", "8523": "mixed", "8524": "mixed"}


def histology(morphology: str | None, diagnosis: str | None) -> str | None:
    """ductal, lobular, mixed or other; None when neither is known. morphology: such as 8500/3."""
    if morphology and morphology[:4].isdigit():
        return _CLASSES.get(morphology[:4], "other")
    if not diagnosis:
        return None
    name = diagnosis.lower()
    is_ductal, is_lobular = "duct" in name, "lobular" in name
    if "mixed" in name or (is_ductal and is_lobular):
        return "mixed"
    return "ductal" if is_ductal else "lobular" if is_lobular else "other"
