"""Libraries that no wheel brings, so that no extra of the program does: docs/decisions/0004-installing-pyradiomics.md"""

from __future__ import annotations

import sys

BUILD = "pip install setuptools wheel && pip install --no-build-isolation 'tshdb[pyradiomics]'"


def missing(error: ModuleNotFoundError, python: tuple[int, int] = sys.version_info[:2]) -> str | None:
    """One line for such a library that is not installed: where it can be, and how; None for any other."""
    if (error.name or "").partition(".")[0] != "radiomics":
        return None
    if python >= (3, 12):
        return (
            f"PyRadiomics is not installed: it can be built on Python 3.11 alone, and this is {python[0]}.{python[1]}"
        )
    return f"PyRadiomics is not installed, and needs a C compiler: {BUILD}"
