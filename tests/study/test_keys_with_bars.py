"""A key that holds the sign by which parts of keys are joined: of a study from before such names were refused, or of a file."""

from __future__ import annotations

from sqlalchemy import insert

from tshdb.database import reading, writing
from tshdb.loading.compare import _rows
from tshdb.schema import FollowUp, Patient


def test_the_rows_of_such_a_key_are_found(empty_study):
    """What is not found is taken for new, and logged so again and again."""
    keys = [("patients", "a|b"), ("patients", "a"), ("follow_ups", "a|b|OS"), ("follow_ups", "a|OS")]
    with writing(empty_study.engine) as connection:
        for who, years in (("a", 50.0), ("a|b", 61.0)):
            connection.execute(insert(Patient).values(patient_id=who, collection="c", age_years=years))
            connection.execute(
                insert(FollowUp).values(
                    patient_id=who, endpoint="OS", event=True, duration_days=years, time_origin="diagnosis", rule="none"
                )
            )
    with reading(empty_study.engine) as connection:
        found = _rows(connection, keys)
    assert set(found) == set(keys)
    assert found["patients", "a|b"]["age_years"] == 61 and found["follow_ups", "a|b|OS"]["duration_days"] == 61
