"""The words of closed columns: what is understood, what is nobody's word, and what a study may add."""

from __future__ import annotations

import pytest

from tshdb.config import Settings
from tshdb.errors import InvalidInput
from tshdb.words import CLOSED, FORMS, Vocabulary

UNDERSTOOD = [
    ("sex", "Female", "female"), ("sex", "F", "female"), ("sex", " weiblich ", "female"), ("sex", "FEMME", "female"),
    ("sex", "女", "female"), ("sex", "M", "male"), ("sex", "Mann", "male"),
    ("er_status", "Pos", "positive"), ("er_status", "+", "positive"), ("pr_status", "Negative.", "negative"),
    ("her2_status", "3+", "positive"), ("her2_status", "1+", "negative"),
    ("menopausal_status", "Post-menopausal", "post"), ("menopausal_status", "PRE", "pre"),
    ("laterality", "Left", "left"), ("laterality", "R", "right"), ("laterality", "rechts", "right"),
    ("family_history", "TRUE", "yes"), ("family_history", "1", "yes"), ("family_history", "nein", "no"),
    ("t_stage", "pT2", "T2"), ("t_stage", "T1C", "T1c"), ("t_stage", "2", "T2"), ("t_stage", "tis", "Tis"),
    ("t_stage", "pT1mi", "T1mi"), ("t_stage", "T2 (m)", "T2"), ("t_stage", "TX", "TX"), ("t_stage", "ypT1", "T1"),
    ("n_stage", "pN1a(sn)", "N1a"), ("n_stage", "N0 (i+)", "N0 (i+)"), ("n_stage", "N0(i-)", "N0 (i-)"), ("n_stage", "1", "N1"),
    ("m_stage", "cM0 (i+)", "cM0 (i+)"), ("m_stage", "cM0", "M0"), ("m_stage", "MX", "MX"),
    ("stage", "IIA", "Stage IIA"), ("stage", "2a", "Stage IIA"), ("stage", "Stage X", "Stage X"),
    ("stage", "stage iv", "Stage IV"),
    ("histology", "IDC", "ductal"), ("histology", "Invasive lobular carcinoma", "lobular"), ("race", "Caucasian", "white"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "text", "word"), UNDERSTOOD)
def test_what_is_understood(column, text, word):
    assert Vocabulary().understood(column, text).value == word
    assert Vocabulary().understood(column, text).is_known


@pytest.mark.parametrize(
    ("column", "text"),
    [("sex", "X"), ("sex", "1"), ("sex", "banana"), ("er_status", "Positve"), ("er_status", "1"), ("her2_status", "0"),
     ("laterality", "bilateral"), ("t_stage", "T5"), ("t_stage", "large"), ("n_stage", "N4"), ("stage", "VI"), ("stage", "IIIV"),
     ("menopausal_status", "premature"), ("histology", "ductal carcinoma in situ"), ("er_status", "-")],
)  # fmt: skip
def test_what_is_no_word(column, text):
    """A number that may be a code or a score, and a dash that may be an empty cell, are no words either."""
    assert Vocabulary().understood(column, text)[:3] == (None, None, False)


@pytest.mark.parametrize("text", ["equivocal", "Indeterminate", "2+", "[Not Available]", "not reported", "unbekannt"])
def test_what_nobody_decided_is_known_to_be_none(text):
    word = Vocabulary().understood("her2_status", text)
    assert word.value is None and word.is_known and word.reason == text.lower().strip("[]")


def test_a_dash_is_negative_beside_a_plus_and_m_is_nobody_beside_h():
    words = Vocabulary()
    assert words.understood("er_status", "-", {"+", "-"}).value == "negative"
    assert words.understood("sex", "M", {"f", "m"}).value == "male"
    assert words.understood("sex", "M", {"h", "m"}) == (None, None, False, None)  # hombre, mujer


def test_a_stage_that_is_not_of_pathology_is_noted():
    assert [bool(Vocabulary().understood("t_stage", t).note) for t in ("T2", "pT2", "cT2", "ypT2", "yT2", "Tis")] == [
        False, False, True, True, True, False,
    ]  # fmt: skip


def test_every_word_is_read_as_itself_and_every_closed_column_says_what_it_expects():
    words = Vocabulary()
    for column in words.columns:
        assert all(words.understood(column, word).value == word for word in words.words(column))
        assert words.expected(column)
    assert all(words.words(c) or c in FORMS for c in CLOSED)


def test_a_study_adds_words(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(
        '[study]\nname = "x"\n[vocabulary.sex]\n"weibl." = "female"\n"9" = ""\n[vocabulary.race]\nHan = "han"\n'
    )
    words = Settings(path).vocabulary
    assert words.understood("sex", "Weibl.").value == "female"
    assert words.understood("sex", "9") == (None, "9", True, None)
    assert words.understood("race", "HAN").value == "han" and "han" in words.words("race")
    assert words.synonyms("sex")["female"][-1] == "weibl"


@pytest.mark.parametrize(
    ("text", "said"),
    [('[vocabulary.sex]\nX = "other"', "'other' is no sex: female, male"), ('[vocabulary.colour]\nX = "y"', "no column with"),
     ("[vocabulary.sex]\nX = 1", "expected words"), ('vocabulary = "x"', "expected words")],
)  # fmt: skip
def test_what_a_study_cannot_add(tmp_path, text, said):
    path = tmp_path / "study.toml"
    path.write_text(f'{text}\n[study]\nname = "x"\n')
    with pytest.raises(InvalidInput, match=said):
        Settings(path)
