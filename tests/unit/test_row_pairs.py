"""Which row became which: every case by hand."""

from __future__ import annotations

from collections import Counter

import pytest

from tshdb.engine.changes import paired

# ------------------------------------------------------------------------------------------------- which became which

# rows that stood, rows that come -> the pairs; "A rsem" is the row of the key (A, rsem), - is nothing
PAIRS = {
    "nothing": ("", "", ""),
    "the same rows": ("A rsem, B rsem", "B rsem, A rsem", "A rsem > A rsem, B rsem > B rsem"),
    "one comes": ("A rsem", "A rsem, B rsem", "A rsem > A rsem, - > B rsem"),
    "one goes": ("A rsem, B rsem", "B rsem", "B rsem > B rsem, A rsem > -"),
    "all go": ("A rsem, B rsem", "", "A rsem > -, B rsem > -"),
    "another population": ("A rsem", "B rsem", "A rsem > B rsem"),
    "another unit": ("A rsem", "A tpm", "A rsem > A tpm"),
    "another population and another unit": ("A rsem", "B tpm", "A rsem > B tpm"),
    "another population, in each of two units": ("A rsem, A tpm", "B tpm, B rsem", "A rsem > B rsem, A tpm > B tpm"),
    "another unit, of each of two populations": ("A rsem, B rsem", "B tpm, A tpm", "A rsem > A tpm, B rsem > B tpm"),
    "one stays, the other is another": ("A rsem, B rsem", "A rsem, C tpm", "A rsem > A rsem, B rsem > C tpm"),
    "one shares more than the other": ("A rsem, B rsem", "A tpm, C fpkm", "A rsem > A tpm, B rsem > C fpkm"),
    "one became two, which of them is not known": ("A rsem", "B tpm, C tpm", "A rsem > -, - > B tpm, - > C tpm"),
    "one became two, one of which shares its population": ("A rsem", "A tpm, C tpm", "A rsem > A tpm, - > C tpm"),
    "one shares a part with each of two": ("A rsem", "A tpm, B rsem", "A rsem > -, - > A tpm, - > B rsem"),
    "crosswise": ("A rsem, B tpm", "A tpm, B rsem", "A rsem > -, B tpm > -, - > A tpm, - > B rsem"),
}  # fmt: skip


def rows_of(text: str) -> list[tuple[str, ...]]:
    return [tuple(row.split()) for row in text.split(", ") if row]


@pytest.mark.parametrize("case", PAIRS)
def test_which_row_became_which(case):
    before, after, expected = PAIRS[case]
    pairs = [
        tuple(None if p == "-" else tuple(p.split()) for p in pair.split(" > "))
        for pair in expected.split(", ")
        if pair
    ]
    assert Counter(paired(rows_of(before), rows_of(after))) == Counter(pairs)
    turned = [(old, new) for new, old in paired(rows_of(after), rows_of(before))]
    assert Counter(turned) == Counter(pairs), "the way back pairs the same rows"


def test_rows_with_one_key_part_and_with_none():
    assert paired([("A",)], [("B",)]) == [(("A",), ("B",))]
    assert paired([("A",), ("B",)], [("C",), ("D",)]) == [
        (("A",), None),
        (("B",), None),
        (None, ("C",)),
        (None, ("D",)),
    ]
    assert paired([()], [()]) == [((), ())]
