"""How many days a unit of time is."""

from __future__ import annotations

from ingest.tables.maps import DAYS


def test_a_month_is_a_twelfth_of_a_year():
    """365.25 days a year, by hand: 30.4375 a month."""
    assert DAYS == {"days": 1, "weeks": 7, "months": 365.25 / 12, "years": 365.25}
