"""Visits, regions and maps of tables of features: which is which, and what is said."""

from __future__ import annotations

import pytest

from ingest.tables.feature_words import FeatureWords, first_lines
from tshdb.file_content import FileContent
from tshdb.words import Vocabulary


def words_of(visits: list[str], added: dict | None = None) -> tuple[FeatureWords, FileContent]:
    content = FileContent()
    return FeatureWords(Vocabulary(added), first_lines(enumerate(visits, 2)), content), content


@pytest.mark.parametrize(
    ("visits", "points", "rules"),
    [
        (["T0", "T1"], ["T0", "T1"], []),
        (["baseline", "T1"], ["T0", "T1"], []),
        (["Pre-treatment", "pre"], ["T0", "T0"], []),
        (["V1", "V2"], ["T0", "T1"], ["features.visits-counted"]),
        (["0", "1"], ["T0", "T1"], []),
        (["1"], ["T0"], ["features.visits-counted"]),
        (["baseline", "visit 1"], ["T0", "T1"], []),
        (["MRI1", "MRI 2", "MRI3"], ["T0", "T1", "T2"], ["features.visits-counted"]),
        (["t0", "t1"], ["T0", "T1"], []),
        (["T1", "T2"], ["T1", "T2"], ["features.no-first-visit"]),
        (["", "T1"], ["T0", "T1"], []),
        (["pre", "mid"], ["T0", "mid"], ["features.visit-unknown"]),
        (["surgery"], ["surgery"], ["features.visit-unknown", "features.no-first-visit"]),
        (["3", "4"], ["3", "4"], ["features.visit-unknown", "features.visit-unknown", "features.no-first-visit"]),
    ],
)
def test_visits(visits, points, rules):
    words, content = words_of(visits)
    assert [words.visit(v) for v in visits] == points
    assert [f.rule for f in content.findings] == rules


def test_regions_and_maps_have_one_spelling():
    words, content = words_of([])
    assert [words.region(r) for r in ("Tumor", "tumour", "STROMA", "Lesion")] == ["tumor", "tumor", "stroma", "tumor"]
    assert [words.map(m) for m in ("si", "S0", "adc", "ADC", "ADC")] == ["SI", "S0", "adc", "adc", "adc"]
    assert [words.region(r) for r in ("Necrosis", "necrosis")] == ["Necrosis", "Necrosis"]
    assert [(f.rule, f.value) for f in content.findings] == [
        ("features.spelt-twice", "ADC"), ("features.region-unknown", "Necrosis"), ("features.spelt-twice", "necrosis"),
    ]  # fmt: skip


def test_a_study_may_say_what_its_words_mean():
    words, content = words_of(["T1", "T2"], {"time_point": {"T1": "T0", "T2": "T1"}, "region": {"mass": "mass"}})
    assert (
        [words.visit(v) for v in ("T1", "T2")] == ["T0", "T1"]
        and words.region("mass") == "mass"
        and not content.findings
    )
