"""The words of closed columns: what a source may write, and the one word that the study keeps for it.

`words.csv` lists, for each column, its words with their synonyms in the languages that tables are written in; stages are
understood by their form (pT2 is T2, IIA is Stage IIA). Upper case, blanks and underscores do not count. A study adds words:

    [vocabulary.sex]
    "weibl." = "female"
    "9" = ""              # says that the value is not known

The rule for what nobody decided: equivocal, indeterminate, borderline, 2+ and the like are no value, as `unknown` is none. The
column is empty, the word is the reason, and there is no finding. A word that the table does not know is a finding, and the
column is empty too: nothing is guessed. Numbers are words only where they can mean one thing (family_history 1, t_stage 2);
elsewhere they are codes, and a map says what they mean.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

ANY = "(any)"
OPEN = frozenset({"race", "ethnicity", "time_origin", "region", "map", "time_point"})
"""Columns whose words are known, and that keep a word which is not, with a finding"""
OF_FEATURES = ("region", "map", "time_point")
AMBIGUOUS = {("sex", "m"): {"h", "v"}}
"""(column, word) -> words beside which it means another thing: M beside H is a mujer, beside V somebody else again"""
ONLY_BESIDE = {"-": "+"}
"""A word that means something only where another one is in the column: a dash alone is an empty cell"""
NOT_PATHOLOGIC = re.compile(r"(?i)\s*[yrm]*c(?=\s*[tn]?\d|\s*tis|\s*[tn]x)|\s*[yrm]+p?(?=[tn])")

_T = re.compile(r"(?i)(?:[yrma]*[pc])?[yrma]*\s*t?\s*(0|is|x|[1-4](?:mi|[a-d]\d?)?)\s*(?:\((?:m|s|is|\d+)\))?")
_N = re.compile(
    r"(?i)(?:[yrma]*[pc])?[yrma]*\s*n?\s*(0|x|[1-3](?:mi|[a-c])?)\s*((?:\((?:i|mol)[-+]\)\s*)*)(?:\((?:sn|f)\))?"
)
_M = re.compile(r"(?i)(?:[pc])?\s*m?\s*(0|x|1[a-d]?)")
_M_CELLS = re.compile(r"(?i)c?m0\s*\((i|mol)\+\)")
_STAGE = re.compile(
    r"(?i)(?:(?:ajcc|pathologic|clinical|anatomic)?\s*stage\s*)?(0|i{1,3}|iv|[1-4]|x|tis)\s*([a-c]?\d?)"
)
_ROMAN = {"1": "I", "2": "II", "3": "III", "4": "IV"}


class Word(NamedTuple):
    """What a word of a source is. value: the study's word; reason: why there is none, known to the table.

    is_known: whether the table has it. note: what must be said though there is a value.
    """

    value: str | None
    reason: str | None = None
    is_known: bool = True
    note: str | None = None


def key(text: str) -> str:
    """A word without what does not count: case, blanks around, underscores, a hyphen between letters, a full stop at its end."""
    plain = unicodedata.normalize("NFKC", text).strip().casefold()
    plain = re.sub(r"(?<=\w)[-\u2010-\u2015](?=\w)", " ", plain.replace("_", " "))
    plain = re.sub(r"\s+", " ", plain)
    return plain.rstrip(". ") if len(plain) > 1 and not plain.endswith(".a.") and plain != "n.d." else plain


def _t(text: str) -> str | None:
    match = _T.fullmatch(text)
    if match is None:
        return None
    size = match[1].lower()
    return f"T{'X' if size == 'x' else size}"


def _n(text: str) -> str | None:
    match = _N.fullmatch(text)
    if match is None:
        return None
    nodes, cells = match[1].lower(), match[2].replace(" ", "").lower()
    return f"N{'X' if nodes == 'x' else nodes}" + (f" {cells.replace(')(', ') (')}" if cells else "")


def _m(text: str) -> str | None:
    if cells := _M_CELLS.fullmatch(text):
        return f"cM0 ({cells[1].lower()}+)"
    match = _M.fullmatch(text)
    return None if match is None else f"M{'X' if match[1].lower() == 'x' else match[1].lower()}"


def _stage(text: str) -> str | None:
    match = _STAGE.fullmatch(text)
    if match is None:
        return None
    number = match[1].lower()
    return f"Stage {'Tis' if number == 'tis' else _ROMAN.get(number, number.upper())}{match[2].upper()}"


FORMS: dict[str, tuple[Callable[[str], str | None], str]] = {
    "t_stage": (_t, "TX, T0, Tis, T1 to T4 with a letter"),
    "n_stage": (_n, "NX, N0, N1 to N3 with a letter"),
    "m_stage": (_m, "MX, M0, M1"),
    "stage": (_stage, "Stage 0, I to IV with a letter, X"),
}
CLOSED = (
    "sex", "race", "ethnicity", "menopausal_status", "er_status", "pr_status", "her2_status", "t_stage", "n_stage", "m_stage",
    "stage", "histology", "family_history", "laterality",
)  # fmt: skip


@lru_cache(maxsize=1)
def _table() -> tuple[dict[str, tuple[str, ...]], dict[tuple[str, str], str]]:
    """(column -> its words, (column, key) -> word or nothing) of words.csv."""
    text = resources.files("tshdb").joinpath("words/words.csv").read_text(encoding="utf-8")
    words: dict[str, list[str]] = {}
    meaning: dict[tuple[str, str], str] = {}
    for row in csv.DictReader(text.splitlines()):
        column, word = row["column"], row["word"]
        words.setdefault(column, [])
        if column != ANY:
            words[column].append(word)
        for each in filter(None, [word, *row["synonyms"].split("|")]):
            if meaning.setdefault((column, key(each)), word) != word:
                raise ValueError(f"words.csv: {each} of {column} means two things")
    return {column: tuple(each) for column, each in words.items()}, meaning


class Vocabulary:
    """The table, with the words that a study adds. added: column -> what a source writes -> the word, or nothing."""

    def __init__(self, added: Mapping[str, Mapping[str, str]] | None = None):
        self.added = {column: dict(words) for column, words in (added or {}).items() if words}
        self._meaning = {(c, key(text)): word for c, words in self.added.items() for text, word in words.items()}

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that have words."""
        return (*CLOSED, "time_origin", *OF_FEATURES)

    def words(self, column: str) -> tuple[str, ...]:
        """The words of a column, without their synonyms."""
        own = _table()[0].get(column, ())
        return (*own, *(w for w in dict.fromkeys(self.added.get(column, {}).values()) if w and w not in own))

    def synonyms(self, column: str) -> dict[str, list[str]]:
        """word -> what is read as it, as the tables write it."""
        read_as: dict[str, list[str]] = {word: [] for word in self.words(column)}
        for (of, text), word in {**_table()[1], **self._meaning}.items():
            if of == column and word and text != key(word):
                read_as.setdefault(word, []).append(text)
        return read_as

    def expected(self, column: str) -> str:
        """The words of a column, in a sentence."""
        return FORMS[column][1] if column in FORMS else ", ".join(self.words(column))

    def refusal(self, column: str, word: str) -> str | None:
        """Why a study cannot add a word to a column; None where it can. A closed column gets synonyms, no new word."""
        if column not in self.columns:
            return f"{column} is no column with words; there are {', '.join(self.columns)}"
        is_word = not word or column in OPEN or (Vocabulary().understood(column, word).value == word)
        return None if is_word else f"'{word}' is no {column}: {self.expected(column)}"

    def understood(self, column: str, text: str, beside: Collection[str] = ()) -> Word:
        """What a word of a source is. beside: the keys of all words of the column in the source."""
        plain = key(text)
        if (column, plain) in self._meaning:
            word = self._meaning[column, plain]
            return Word(word or None, None if word else text.strip())
        is_alone = ONLY_BESIDE.get(plain, plain) not in {plain, *beside}
        if is_alone or AMBIGUOUS.get((column, plain), frozenset()) & set(beside):
            return Word(None, is_known=False)
        known = _table()[1]
        if (column, plain) in known:
            return Word(known[column, plain])
        if column in FORMS and (value := FORMS[column][0](unicodedata.normalize("NFKC", text).strip())) is not None:
            is_other = column in ("t_stage", "n_stage") and NOT_PATHOLOGIC.match(text) is not None
            return Word(
                value, note="clinical, or after treatment, where the column is of pathology" if is_other else None
            )
        if (ANY, plain) in known or (ANY, plain.strip("[]").strip()) in known:
            return Word(None, plain.strip("[]").strip())
        return Word(text.strip() if column in OPEN else None, is_known=False)


def keys(texts: Iterable[str]) -> set[str]:
    """The keys of words."""
    return {key(text) for text in texts}
