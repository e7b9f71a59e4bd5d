"""Values of DICOM headers as columns: what is no number is said, and is nothing."""

from __future__ import annotations

import pytest

from ingest.imaging.elements import INSTANCE, converted


@pytest.mark.parametrize(
    ("text", "value"), [("2.5", 2.5), ("2.5\\3", 2.5), ("nan", None), ("inf", None), ("1e999", None), ("x", None)]
)
def test_a_number_is_finite_or_said(text, value):
    """A slope that is not known would be taken for 1, without a word."""
    findings: list = []
    row = converted({"rescale_slope": INSTANCE["rescale_slope"]}, {"RescaleSlope": text}, findings)
    assert row == {"rescale_slope": value}
    assert [f[1:3] for f in findings] == ([] if value else [("dicom.bad-value", "RescaleSlope")])
