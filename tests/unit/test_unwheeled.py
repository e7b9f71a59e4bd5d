"""What is said where PyRadiomics is not installed: on 3.11 how to build it, on later Pythons that it cannot be."""

from __future__ import annotations

import pytest

from tshdb.unwheeled import missing

HOW = "pip install setuptools wheel && pip install --no-build-isolation 'tshdb[pyradiomics]'"
CANNOT = "PyRadiomics is not installed: it can be built on Python 3.11 alone, and this is 3.13"


@pytest.mark.parametrize(
    ("module", "python", "said"),
    [
        ("radiomics", (3, 11), f"PyRadiomics is not installed, and needs a C compiler: {HOW}"),
        ("radiomics.featureextractor", (3, 13), CANNOT),
        ("radiomics_of_others", (3, 13), None),
        ("numba", (3, 11), None),
    ],
)
def test_the_line_says_whether_it_can_be_built_here(module, python, said):
    assert missing(ModuleNotFoundError(name=module), python) == said
