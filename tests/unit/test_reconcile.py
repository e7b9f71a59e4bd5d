"""Which value holds: by hand for every kind of sources that agree, follow each other, or disagree; a name never decides."""

from __future__ import annotations

from itertools import permutations

import pytest

from tshdb.loading.believed import DECIDED, NOBODY_KNOWS, precedence_rule
from tshdb.loading.reconcile import reconcile
from tshdb.loading.sources import Source, SourceRow
from tshdb.schema import FollowUp, Patient

NAMES = ("a", "b", "c")


def patient(reader: str, as_of: str | None = None, **columns) -> tuple:
    return reader, {"patient_id": "P", "collection": "c", **columns}, as_of


def seen(
    reader: str, event: bool | None, days: float | None, as_of: str | None = None, origin: str = "diagnosis"
) -> tuple:
    values = {"patient_id": "P", "endpoint": "OS", "event": event, "duration_days": days, "time_origin": origin,
              "reason": None if event is not None and days is not None else "not said", "rule": "os-1"}  # fmt: skip
    return reader, values, as_of


def decided(**columns) -> tuple:
    key = (
        {"patient_id": "P", "endpoint": "OS"}
        if "event" in columns or "duration_days" in columns
        else {"patient_id": "P"}
    )
    return "settlements", {**key, **columns, DECIDED: dict.fromkeys(columns, ["B. Meyer", "chart"])}, None


def rows_of(words) -> list[list[SourceRow]]:
    """The words under all names, in all orders."""
    return [
        [
            SourceRow(Source("c", reader, name), values, 1, 1, None, None, as_of)
            for (reader, values, as_of), name in order
        ]
        for names in permutations(NAMES[: len(words)])
        for order in permutations(list(zip(words, names, strict=True)))
    ]


def held(table, *words):
    """(row, {(column, is undecided, other value)}), which must be the same whatever sources are called, in any order."""
    outcomes = []
    for rows in rows_of(words):
        row, disagreements = reconcile(table, rows)
        outcomes.append((row, sorted({(d.column, d.is_undecided, str(d.other_value)) for d in disagreements})))
    assert all(outcome == outcomes[0] for outcome in outcomes), "a name, or an order, decided"
    return outcomes[0]


def test_of_one_reader_the_later_word_holds_and_the_other_is_told():
    row, told = held(
        Patient, patient("clinical", "2024-05-01", age_years=60.0), patient("clinical", "2025-06-01", age_years=66.0)
    )
    assert row["age_years"] == 66 and told == [("age_years", False, "60.0")]


def test_what_the_later_word_does_not_say_stays():
    row, told = held(
        Patient,
        patient("clinical", "2024-05-01", age_years=60.0, sex="female"),
        patient("clinical", "2025", sex="female"),
    )
    assert (row["age_years"], row["sex"], told) == (60, "female", [])


def test_undated_words_that_differ_are_not_known_and_those_that_agree_are():
    row, told = held(
        Patient,
        patient("clinical", er_status="positive", sex="female"),
        patient("clinical", er_status="negative", sex="female"),
    )
    assert row["er_status"] is None and row["er_status_reason"] == NOBODY_KNOWS and row["sex"] == "female"
    assert told == [("er_status", True, "negative"), ("er_status", True, "positive")]


def test_a_lower_reader_does_not_fill_in_what_is_undecided():
    row, told = held(
        Patient,
        patient("clinical", age_years=60.0),
        patient("clinical", age_years=66.0),
        patient("biotab", age_years=60.0),
    )
    assert row["age_years"] is None and len(told) == 2 and all(is_open for _, is_open, _ in told)


def test_one_of_three_undated_is_not_outvoted():
    row, _ = held(
        Patient,
        patient("clinical", age_years=60.0),
        patient("clinical", age_years=60.0),
        patient("clinical", age_years=6.0),
    )
    assert row["age_years"] is None


def test_a_dated_word_does_not_beat_one_without_a_date():
    row, _ = held(Patient, patient("clinical", "2025", age_years=60.0), patient("clinical", age_years=66.0))
    assert row["age_years"] is None


def test_readers_are_believed_in_their_order_whatever_the_dates():
    row, told = held(Patient, patient("clinical", "2020", age_years=60.0), patient("biotab", "2025", age_years=66.0))
    assert row["age_years"] == 60 and told == [("age_years", False, "66.0")]
    assert precedence_rule().startswith("workbook before gdc-cases before clinical")


def test_a_person_decides():
    words = (
        patient("clinical", age_years=60.0, er_status="positive"),
        patient("clinical", age_years=66.0, er_status="negative"),
    )
    row, told = held(Patient, *words, decided(age_years=66.0))
    assert row["age_years"] == 66 and row["er_status"] is None
    assert told == [("age_years", False, "60.0"), ("er_status", True, "negative"), ("er_status", True, "positive")]
    row, told = held(Patient, *words, decided(er_status=None))
    assert row["er_status"] is None and ("er_status", True, "positive") not in told
    assert held(Patient, decided(age_years=66.0)) == (None, [])


ALIVE, DEAD = False, True


@pytest.mark.parametrize(
    ("words", "event", "days", "told"),
    [
        # a death after the last contact of any other source is no disagreement
        ([seen("clinical", ALIVE, 900.0), seen("clinical", DEAD, 1500.0)], DEAD, 1500, []),
        ([seen("clinical", ALIVE, 900.0), seen("biotab", DEAD, 1500.0)], DEAD, 1500, []),
        ([seen("biotab", ALIVE, 900.0), seen("clinical", DEAD, 900.0)], DEAD, 900, []),
        ([seen("biotab", ALIVE, None), seen("clinical", DEAD, 900.0)], DEAD, 900, []),
        # the latest contact
        ([seen("clinical", ALIVE, 900.0), seen("biotab", ALIVE, 1500.0)], ALIVE, 1500, []),
        ([seen("clinical", ALIVE, 900.0), seen("gdc-follow-up", None, 1500.0)], ALIVE, 1500, []),
        # forms: what was seen on an earlier one stays seen; exports: the later one is what is known
        ([seen("biotab", ALIVE, 1200.0, "form 2012-01-01"), seen("biotab", ALIVE, 900.0, "form 2014-01-01")], ALIVE, 1200, []),
        ([seen("clinical", ALIVE, 1200.0, "2024-01-01"), seen("clinical", ALIVE, 900.0, "2025-01-01")], ALIVE, 900, []),
        ([seen("biotab", ALIVE, 900.0, "form v1.5"), seen("biotab", DEAD, 1500.0, "form v4.0")], DEAD, 1500, []),
        # a later export takes a death back, or moves it
        ([seen("clinical", DEAD, 800.0, "2024-01-01"), seen("clinical", ALIVE, 1500.0, "2025-01-01")], ALIVE, 1500,
         [("event", False, "True")]),
        ([seen("clinical", DEAD, 700.0, "2024-01-01"), seen("clinical", DEAD, 710.0, "2025-01-01")], DEAD, 710,
         [("duration_days", False, "700.0")]),
        ([seen("clinical", ALIVE, 1500.0, "2024-01-01"), seen("clinical", DEAD, 1200.0, "2025-01-01")], DEAD, 1200,
         [("event", False, "False")]),
        # alive after the death: by the order of readers, else not known
        ([seen("clinical", ALIVE, 2000.0), seen("biotab", DEAD, 1500.0)], ALIVE, 2000, [("event", False, "True")]),
        ([seen("clinical", DEAD, 1500.0), seen("biotab", ALIVE, 2000.0)], DEAD, 1500, [("event", False, "False")]),
        ([seen("clinical", ALIVE, 2000.0), seen("clinical", DEAD, 1500.0)], None, None,
         [("event", True, "False"), ("event", True, "True")]),
        # two days of one death
        ([seen("clinical", DEAD, 700.0), seen("clinical", DEAD, 710.0)], DEAD, None,
         [("duration_days", True, "700.0"), ("duration_days", True, "710.0")]),
        ([seen("clinical", DEAD, 700.0), seen("cdr", DEAD, 710.0)], DEAD, 700, [("duration_days", False, "710.0")]),
        ([seen("clinical", DEAD, None), seen("cdr", DEAD, 710.0)], DEAD, 710, []),
        # other clocks cannot be compared
        ([seen("clinical", ALIVE, 900.0), seen("biotab", DEAD, 300.0, origin="surgery")], ALIVE, 900,
         [("time_origin", False, "surgery")]),
        ([seen("clinical", ALIVE, 900.0), seen("clinical", DEAD, 300.0, origin="surgery")], None, None,
         [("time_origin", True, "diagnosis"), ("time_origin", True, "surgery")]),
        ([seen("clinical", None, None), seen("biotab", None, None)], None, None, []),
    ],
)  # fmt: skip
def test_outcomes(words, event, days, told):
    row, disagreements = held(FollowUp, *words)
    assert (row["event"], row["duration_days"], disagreements) == (event, days, told)
    is_known = event is not None and days is not None
    assert (row["reason"] is None) is is_known
    assert row["rule"] in ("os-1", "os-3")


def test_a_person_decides_on_an_outcome():
    words = (seen("clinical", ALIVE, 2000.0), seen("clinical", DEAD, 1500.0))
    row, told = held(FollowUp, *words, decided(event=DEAD))
    assert (row["event"], row["duration_days"], row["reason"]) == (DEAD, 1500, None)
    assert told == [("event", False, "False")]
    row, _ = held(FollowUp, *words, decided(event=DEAD, duration_days=1501.0))
    assert (row["event"], row["duration_days"]) == (DEAD, 1501)
