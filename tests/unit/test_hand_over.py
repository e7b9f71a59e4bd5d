"""Values as they are handed to a program, and as they come back."""

from __future__ import annotations

import csv
import io
import struct
from random import Random

import numpy as np
import pandas as pd
import pytest

from tshdb.engine.outside.hand_back import parsed
from tshdb.engine.outside.hand_over import write_table, written

TEXTS = ["plain", "NA", "", 'a "quoted" word', "comma, and\nline", "ä β", "0012", "F", "TRUE"]


def test_texts_come_back_as_they_were_and_missing_stays_missing(tmp_path):
    frame = pd.DataFrame({"text": [*TEXTS, None, np.nan]}, dtype=object)
    write_table(tmp_path / "x.csv", frame, {"text": "text"})
    names, rows = parsed("x.csv", (tmp_path / "x.csv").read_bytes())
    assert names == ["text"] and [row[0] for row in rows] == [*TEXTS, None, None]
    # Python's own reader sees the same texts
    read = list(csv.reader(io.StringIO((tmp_path / "x.csv").read_text(), newline="")))
    assert [row[0] for row in read[1:-2]] == TEXTS


def test_doubles_come_back_bit_for_bit():
    random = Random(1)
    doubles = [struct.unpack("<d", random.randbytes(8))[0] for _ in range(5000)]
    doubles = [x for x in doubles if x == x and abs(x) != float("inf")]
    assert [float(written(x, "double")) for x in doubles] == doubles


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (True, "boolean", "TRUE"), (np.bool_(False), "boolean", "FALSE"), (None, "boolean", "NA"),
        (3.0, "integer", "3"), (np.int64(3), "integer", "3"), (float("nan"), "integer", "NA"),
        (float("inf"), "double", "Inf"), (-0.0, "double", "-0.0"), (np.float64(0.1), "double", "0.1"),
        (pd.NA, "text", "NA"), (pd.NaT, "text", "NA"), (5, "text", '"5"'),
    ],
)  # fmt: skip
def test_each_value_is_written_by_its_type(value, kind, text):
    assert written(value, kind) == text


def test_windows_line_ends_a_byte_order_mark_and_spaces_are_read():
    names, rows = parsed("x.csv", b'\xef\xbb\xbf"a",b\r\n1, NA\r\n"x",2 \r\n')
    assert (names, rows) == (["a", "b"], [["1", None], ["x", "2"]])
