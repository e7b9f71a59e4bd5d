"""Rows orders of magnitude off, and rows under two names: what is one, and what is not."""

from __future__ import annotations

import numpy as np
import pytest

from tshdb.file_content import FileContent, RawValue
from tshdb.loading.odd_rows import note_odd_rows
from tshdb.outlying_rows import outlying_rows

RNG = np.random.default_rng(3)


def table(n_rows: int = 36, n_columns: int = 20) -> np.ndarray:
    """Columns of sizes from 1e-3 to 1e6, with signs, some heavy-tailed, some half zero."""
    values = RNG.normal(0, 1, (n_rows, n_columns)) * np.logspace(-3, 6, n_columns)
    values[:, 3] = np.exp(RNG.normal(0, 2, n_rows))
    values[RNG.random(n_rows) < 0.5, 4] = 0
    return values


@pytest.mark.parametrize("factor", [1e5, 1e-4])
def test_rows_whose_decimal_points_are_lost(factor):
    values = table()
    values[[0, 7, 20]] *= factor
    off = outlying_rows(values)
    assert [row.row for row in off] == [0, 7, 20]
    assert all(abs(abs(row.orders) - abs(np.log10(factor))) < 1.5 and (row.orders > 0) == (factor > 1) for row in off)


def test_one_number_is_not_a_row_and_a_plain_table_has_none():
    assert outlying_rows(table()) == []
    values = table()
    values[5, 2] *= 1e6
    values[6, :8] *= 1e5
    assert outlying_rows(values) == [], "8 of 20 columns are not most"
    assert outlying_rows(table(4)) == [] and outlying_rows(np.full((10, 10), np.nan)) == []


def rows_of(patients: dict[str, dict[str, str | None]]) -> FileContent:
    content = FileContent()
    for line, (patient, fields) in enumerate(patients.items(), 2):
        content.raw_values += [
            RawValue(patient, line, f, v, None if v else "empty in the source") for f, v in fields.items()
        ]
    note_odd_rows(content)
    return content


def people(n: int = 12) -> dict[str, dict[str, str | None]]:
    return {
        f"P-{i:02d}": {
            "case_uuid": f"u{i}", "age": f"{RNG.uniform(30, 80):.1f}", "days": str(RNG.integers(10, 4000)), "er": "+-"[i % 2],
            "size": str(RNG.integers(5, 60)), "ki67": str(RNG.integers(1, 90)), "note": None,
        }
        for i in range(n)
    }  # fmt: skip


def test_two_patients_with_one_row():
    twins = people()
    twins["P-07"] = twins["P-03"] | {"case_uuid": "u7"}
    (finding,) = rows_of(twins).findings
    assert (finding.rule, finding.value, finding.line) == (
        "patient.same-row",
        "P-07",
        9,
    ) and "P-03, P-07" in finding.message
    assert rows_of(people()).findings == []
    other = people()
    other["P-07"] = other["P-03"] | {"case_uuid": "u7", "days": "77777"}
    assert rows_of(other).findings == []


def test_rows_of_few_words_are_alike_by_chance():
    alike = {
        f"P-{i:02d}": {"er": "+-"[i % 2], "pr": "+", "t": f"T{i % 3}", "n": "N0", "sex": "female"} for i in range(40)
    }
    assert rows_of(alike).findings == []


def test_a_patient_whose_numbers_are_off():
    lost = people(20)
    lost["P-04"] |= {"age": "511234", "days": "12340000", "size": "234567", "ki67": "999999"}
    (finding,) = rows_of(lost).findings
    assert (finding.rule, finding.line) == ("clinical.row-off", 6) and "P-04" in finding.message


def test_columns_that_say_one_thing_are_one():
    """As in the CDR: four times that are mostly one, the same in years, and four flags: patients are alike in them by chance."""
    rows = {}
    for i in range(300):
        days = str(RNG.integers(300, 420))
        dead = str(RNG.integers(0, 2))
        times = {f"{e}.time": days for e in ("OS", "DSS", "DFI", "PFI")} | {"years": f"{int(days) / 365.25:.3f}"}
        rows[f"P-{i:03d}"] = times | {e: dead for e in ("OS", "DSS", "DFI", "PFI")}
    rows["P-001"] |= {f"{e}.time": "1" for e in ("OS", "DSS", "DFI", "PFI")} | {"years": "0.003"}
    assert rows_of(rows).findings == []
