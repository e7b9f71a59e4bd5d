"""Names that are known by their tokens alone, looked for in texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import Connection, select

from tshdb.schema import ExpressionProfile, Patient, Sample
from tshdb.withdrawal.identifiers import SAFE_LENGTH, finding, identifiers, loose_token_of, token_of

WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
PHRASE = re.compile(r"[A-Za-z0-9][\w.-]*(?: [\w.-]+)+")  # of names with blanks
REMEMBERED = 500_000  # runs of letters that are known to be no name


@dataclass
class Tokens:
    """The tokens of one patient. lengths: of the names' spellings; none in certificates from before 2026-12.

    others: names that are somebody else's.
    """

    key: bytes
    tokens: set[str]
    lengths: tuple[int, ...] = ()
    others: frozenset[str] = frozenset()
    are_numbers: bool = False
    _known: set[str] = field(default_factory=set)

    def is_one(self, name: str) -> bool:
        """Whether a whole name has one of the tokens."""
        return token_of(self.key, name) in self.tokens

    def are_in(self, text: str) -> bool:
        """Whether a word of a text has one of the tokens, and is no part of somebody else's name.

        A word that is too short is no proof.
        """
        if not self.lengths:
            return any(map(self._begins, _words(text)))
        for run in self._runs(text.lower()):
            if len(self._known) > REMEMBERED:
                self._known.clear()
            if run not in self._known:
                if loose_token_of(self.key, run) in self.tokens and self._is_hers(run, text):
                    return True
                self._known.add(run)
        return False

    @cached_property
    def _patterns(self) -> list[re.Pattern[str]]:
        return [
            re.compile(rf"(?<![a-z0-9])(?=(.{{{n}}})(?![a-z0-9\u0300-\u036f]))", re.DOTALL)
            for n in self.lengths if n >= SAFE_LENGTH
        ]  # fmt: skip

    def _runs(self, small: str) -> Iterator[str]:
        for pattern in self._patterns:
            yield from set(pattern.findall(small))

    def _is_hers(self, run: str, text: str) -> bool:
        """Whether a run of letters that has a token stands somewhere else than in another's name."""
        foreign = [name for name in self.others if run in name.lower()]
        return not foreign or finding([run], foreign).search(text) is not None

    def _begins(self, word: str) -> bool:
        """Whether a word, or what it begins with, has a token."""
        cuts = [m.start() for m in re.finditer(r"[^A-Za-z0-9]+", word)]
        for stem in (word, *(word[:at] for at in reversed(cuts))):
            if len(stem) < SAFE_LENGTH or stem in self.others:
                return False
            if self.is_one(stem):
                return True
        return False


def _words(text: str) -> set[str]:
    found = {*WORD.findall(text), *(PHRASE.findall(text) if " " in text else ())}
    return {word for word in found if len(word) >= SAFE_LENGTH}


def names_in(connection: Connection, of: Tokens) -> frozenset[str]:
    """The names by which the study knows the patients that it has, but for one who withdrew and is there again."""
    columns = (Patient.patient_id, Sample.sample_id, ExpressionProfile.aliquot_id, ExpressionProfile.profile_id)
    names = {name for column in columns for name in connection.execute(select(column)).scalars()}
    for patient in connection.execute(select(Patient.patient_id)).scalars().all():
        if of.is_one(patient):
            names -= set(identifiers(connection, patient).names)
    return frozenset(names)
