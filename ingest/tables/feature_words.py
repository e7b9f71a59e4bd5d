"""Visits, regions and maps of a table of features in the study's words: baseline is T0, Tumor is tumor, si is SI.

Visits   T0, T1 … stand as they are; baseline, pre, before treatment … are T0. Numbers without a T (1, V1, visit 2, MRI 3)
         count from the smallest: 0 or 1 is the first visit, unless a word says which is. A table whose visits begin with T1
         has no first one: it is said, since trials count from T1 too.
Unknown  words are kept as they stand, with a finding each; two spellings of one are one, the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tshdb.file_content import FileContent
from tshdb.words import Vocabulary, key

FIRST = "T0"
_COUNTED = re.compile(r"(t|v|visit|tp|time ?point|mri|mr|exam|examination|scan|study|session|ses)? ?#?(\d{1,2})")


class FeatureWords:
    """The words of one table. visits: what its rows say, each with the line of the first that does."""

    def __init__(self, vocabulary: Vocabulary, visits: dict[str, int], content: FileContent):
        self._vocabulary, self._content = vocabulary, content
        self._spelt: dict[tuple[str, str], str] = {}
        self._told: set[tuple[str, str]] = set()
        self._visits = self._read_visits(visits)

    def visit(self, text: str) -> str:
        """The time point of a visit; T0 where a row says none."""
        return self._visits.get(text, FIRST)

    def region(self, text: str) -> str:
        """A region by the study's word."""
        word = self._vocabulary.understood("region", text)
        if word.value is not None and word.is_known:
            return word.value
        if ("region", key(text)) not in self._spelt:
            expected = self._vocabulary.expected("region")
            self._content.warn(
                None,
                "region",
                text,
                "features.region-unknown",
                f"no region of the study's ({expected}); it is kept as one of its own",
            )
        return self._one_spelling("region", text)

    def map(self, text: str) -> str:
        """A map by the study's word. Tables have maps that the study does not know: they are no finding."""
        word = self._vocabulary.understood("map", text)
        return word.value if word.value is not None and word.is_known else self._one_spelling("map", text)

    def _one_spelling(self, column: str, text: str) -> str:
        spelt = self._spelt.setdefault((column, key(text)), text)
        if spelt != text and (column, text) not in self._told:
            self._told.add((column, text))
            self._content.warn(None, column, text, "features.spelt-twice", f"stands as {spelt} too: they are one")
        return spelt

    def _read_visits(self, all_lines: dict[str, int]) -> dict[str, str]:
        lines = {text: line for text, line in all_lines.items() if text}
        said = {text: self._vocabulary.understood("time_point", text) for text in lines}
        point = {text: word.value for text, word in said.items() if word.is_known and word.value is not None}
        counted = {t: match for t in lines if t not in point and (match := _COUNTED.fullmatch(key(t)))}
        named = {t: f"T{int(m[2])}" for t, m in counted.items() if m[1] == "t"}
        numbered = {t: int(m[2]) for t, m in counted.items() if m[1] != "t"}
        has_first = FIRST in {*point.values(), *named.values()}
        start = 0 if has_first or not numbered else min(numbered.values())
        if numbered and start > 1:
            numbered = {}
        point |= named | {text: f"T{n - start}" for text, n in numbered.items()}
        if start == 1 and numbered:
            first = min(numbered, key=lambda text: numbered[text])
            self._warn(
                lines, first, "features.visits-counted", f"visits are counted from {first}, which is read as {FIRST}"
            )
        for text in lines:
            if text not in point:
                self._warn(
                    lines, text, "features.visit-unknown",
                    f"no visit that is known ({FIRST}, T1 …; baseline, pre): its rows are of no first examination",
                )  # fmt: skip
                point[text] = text
        if lines and FIRST not in point.values() and "" not in all_lines:
            first = min(lines, key=lambda text: lines[text])
            self._warn(
                lines,
                first,
                "features.no-first-visit",
                f"no row is of {FIRST}, so that no patient has a first examination",
            )
        return point

    def _warn(self, lines: dict[str, int], text: str, rule: str, message: str) -> None:
        self._content.warn(lines[text], "time_point", text, rule, message)


def first_lines(texts: Iterable[tuple[int, str]]) -> dict[str, int]:
    """text -> the line of the first row that has it. texts: (line, text)."""
    lines: dict[str, int] = {}
    for line, text in texts:
        lines.setdefault(text, line)
    return lines
