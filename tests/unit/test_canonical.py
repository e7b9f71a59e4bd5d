"""Fingerprints of data: equal data, equal fingerprint; other data, another one."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.calm import calm
from tshdb.canonical import encode, json_text, rows_fingerprint, to_significant

VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5))


@calm
@given(st.lists(st.tuples(VALUES, VALUES), max_size=6), st.randoms())
def test_order_of_rows_does_not_count(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert rows_fingerprint("ab", rows) == rows_fingerprint("ab", shuffled)


@calm
@given(VALUES, VALUES)
def test_different_values_have_different_encodings(a, b):
    same = (type(a) is type(b) and (a == b or (a != a and b != b))) or (a is None and b is None)
    assert (encode(a) == encode(b)) == same


def test_zero_and_nan_are_one_value_each():
    assert encode(-0.0) == encode(0.0) == encode(np.float64(-0.0))
    assert encode(math.nan) == encode(-math.nan) == encode(np.float64("nan"))


def test_concatenation_cannot_collide():
    assert rows_fingerprint("ab", [("a", "bc")]) != rows_fingerprint("ab", [("ab", "c")])
    assert rows_fingerprint(["a", "b"], []) != rows_fingerprint(["ab"], [])
    assert rows_fingerprint("a", [("x",), ("x",)]) != rows_fingerprint("a", [("x",)])


def test_the_encoding_is_pinned():
    """Stored fingerprints must hold for ever: this one was computed by hand with hashlib from the documented layout."""
    import hashlib

    row = b"S1:aB1F" + bytes.fromhex("3ff8000000000000") + b"NI-7;"
    columns = "\x1f".join(["p", "q", "r", "s", "t"]).encode()
    h = hashlib.blake2b(digest_size=16)
    for part in (columns, row):
        h.update(len(part).to_bytes(8, "big") + part)
    assert rows_fingerprint(["p", "q", "r", "s", "t"], [("a", True, 1.5, None, -7)]) == h.hexdigest()


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        (1.23456, 3, 1.23),
        (0.000123456, 2, 0.00012),
        (-99.96, 3, -100.0),
        (0.0, 5, 0.0),
        (None, 3, None),
        (math.nan, 3, None),
    ],
)
def test_significant_digits(value, digits, expected):
    assert to_significant(value, digits) == expected


def test_json_has_one_spelling():
    assert json_text({"b": 1, "a": [1.5, None]}) == '{"a":[1.5,null],"b":1}'
    with pytest.raises(ValueError):
        json_text(math.nan)
