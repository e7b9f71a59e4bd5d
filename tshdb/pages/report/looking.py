"""Names looked for in texts, however they are written: other separators, other capitals, beginnings of longer barcodes.

A name is known by its letters and digits alone, in small letters: TCGA-A7-A0CE, tcga.a7.a0ce and TCGAA7A0CE are one. A text is
gone through once, word by word; what a name may begin with is looked up in a set, so that the time does not grow with the
number of names.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tshdb.withdrawal.identifiers import SAFE_LENGTH, spelt

WORD = re.compile(r"[^\W_]+")
JOINED = re.compile(r"[-_./:\\|+~ \u00a0\u2010-\u2015\u2212]{1,3}")  # what may stand between the parts of a name
UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")  # letters without width
UID = re.compile(r"(?<![\w.])(?:2\.25\.[1-9][0-9]{15,}|[0-2](?:\.(?:0|[1-9][0-9]*)){4,})(?![\w]|\.[0-9])")
UID_LENGTH = 20
UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")  # Thai, Lao, Kana, Han
DICOMS_OWN = "1.2.840.10008."  # UIDs of the standard itself: of nobody's images
CALLED = re.compile(r"(?i)\b(?:patient|subject|participant)(?:[ _-]?id)?[\s:#=]{1,3}([^\W_][\w.-]*)")
OF_IMAGES = "UID of images"


class Found(NamedTuple):
    """A name in a text: from letter `start` to before `end`, and what kind of name it is."""

    start: int
    end: int
    kind: str


class Looking:
    """Finds some names. names: each -> its kind.

    A name of fewer than 6 letters and digits is no proof: it is found where it is a whole cell (and no number), or where a
    text calls somebody so ("patient 17"). A name without digits is found as it is written. Of a script without blanks
    between words (患者甲), two letters are enough, wherever they stand.
    """

    def __init__(self, names: Mapping[str, str]):
        self._whole: dict[str, str] = {}
        self._begins: set[str] = set()
        self._numbers: dict[str, str] = {}
        self._short: dict[str, str] = {}
        self._as_written: dict[str, set[str]] = {}
        self._unspaced: dict[
            str, list[tuple[str, str]]
        ] = {}  # first two letters -> names that begin so, and their kinds
        for name in sorted(names, key=len):
            if not self._is_covered(name):
                if UNSPACED.search(name) and len(name) > 1:
                    self._unspaced.setdefault(plain(name)[:2], []).append((plain(name), names[name]))
                for form in [name] if name.isascii() and not name.isdecimal() else spelt(name):
                    self._add(form, names[name])

    def _is_covered(self, name: str) -> bool:
        """Whether a name begins with one that is found anyway, as a sample's barcode does with the patient's."""
        first = next(self._in_words(name), None)
        return first is not None and first.start == 0

    def _add(self, name: str, kind: str) -> None:
        bare = bare_of(name)
        digits = "".join(filter(str.isdecimal, bare))
        if len(digits) >= SAFE_LENGTH:
            self._numbers.setdefault(digits.lstrip("0"), kind)
        if bare.isdecimal() and len(bare) >= SAFE_LENGTH:
            return
        if len(bare) < SAFE_LENGTH:
            self._short.setdefault(bare, kind)
            return
        self._whole.setdefault(bare, kind)
        self._begins.update(bare[:i] for i in range(1, len(bare)))
        if not digits:
            self._as_written.setdefault(bare, set()).add(name)

    def within(self, text: str) -> list[Found]:
        """All names in a text, in their order. Positions are those of `plain(text)`."""
        text = plain(text)
        found = [*self._in_words(text), *_uids(text), *self._called(text)]
        if kind := self.as_cell(text):
            found.append(Found(0, len(text), kind))
        found += self._in_runs(text)
        return _apart(found)

    def as_cell(self, text: str) -> str | None:
        """The kind of name that a whole cell is, of those too short for texts; numbers are counts."""
        bare = bare_of(text) if self._short and len(text) < 40 else ""
        return self._short.get(bare) if bare and not bare.isdecimal() else None

    def _called(self, text: str) -> Iterator[Found]:
        """Short names behind a word that says whose they are."""
        if self._short:
            for match in CALLED.finditer(text):
                if kind := self._short.get(bare_of(match[1].rstrip(".-"))):
                    yield Found(*match.span(1), kind)

    def _in_runs(self, text: str) -> Iterator[Found]:
        """Names of scripts without blanks, wherever they stand."""
        if not self._unspaced or not UNSPACED.search(text):
            return
        for at in range(len(text) - 1):
            for name, kind in self._unspaced.get(text[at : at + 2], ()):
                if text.startswith(name, at):
                    yield Found(at, at + len(name), kind)

    def _in_words(self, text: str) -> Iterator[Found]:
        said = WORD.findall(text)
        may_begin = {word for word in set(said) if self._may_begin(word.lower())}
        if not may_begin:
            return
        words, after = list(WORD.finditer(text)), 0
        for at in [i for i, word in enumerate(said) if word in may_begin]:
            if at < after:  # within the name before
                continue
            start, end = words[at].span()
            word = said[at].lower()
            if (kind := self._number(word)) and not _is_part_of_number(text, start, end):
                yield Found(start, end, kind)
            last = self._walk(text, words, at) if word in self._begins or word in self._whole else None
            if last is not None:
                at = _end_of_barcode(text, words, last[0])
                yield Found(start, words[at].end(), last[1])
                after = at + 1

    def _may_begin(self, word: str) -> bool:
        """Whether a name may begin with a word, which most texts have none of."""
        return word in self._begins or word in self._whole or self._number(word) is not None

    def _number(self, word: str) -> str | None:
        is_long = len(word) >= SAFE_LENGTH and word.isdecimal()
        return self._numbers.get(word.lstrip("0")) if is_long else None

    def _walk(self, text: str, words: Sequence[re.Match[str]], at: int) -> tuple[int, str] | None:
        """(last word, kind) of the longest name that begins with word `at`; None without one."""
        joined, best = words[at][0].lower(), None
        for here in range(at, len(words)):
            if here > at:
                if not JOINED.fullmatch(text, words[here - 1].end(), words[here].start()):
                    break
                joined += words[here][0].lower()
            if kind := self._whole.get(joined):
                written = self._as_written.get(joined)
                if written is None or text[words[at].start() : words[here].end()] in written:
                    best = here, kind
            if joined not in self._begins:
                break
        return best


def plain(text: str) -> str:
    """A text without letters that are not seen, accents as parts of their letters."""
    return text if text.isascii() else unicodedata.normalize("NFC", UNSEEN.sub("", text))


def bare_of(name: str) -> str:
    """The letters and digits of a name, in small letters."""
    return "".join(WORD.findall(plain(name))).lower()


def _uids(text: str) -> Iterator[Found]:
    """What looks like a UID of images, known to the study or not."""
    for match in UID.finditer(text):
        if len(match[0]) >= UID_LENGTH and not match[0].startswith(DICOMS_OWN):
            yield Found(*match.span(), OF_IMAGES)


def _end_of_barcode(text: str, words: Sequence[re.Match[str]], last: int) -> int:
    """The last word of what hangs on a name without a blank, as -01A-11R does on a patient's."""
    while last + 1 < len(words) and text[words[last].end() : words[last + 1].start()] in ("-", "_", ":", "|"):
        last += 1
    return last


def _is_part_of_number(text: str, start: int, end: int) -> bool:
    """Whether digits are a part of a decimal or of a number with thousands apart."""
    before = start > 1 and text[start - 1] in ".," and text[start - 2].isdecimal()
    return before or text[end : end + 1] in (".", ",") and text[end + 1 : end + 2].isdecimal()


def _apart(found: list[Found]) -> list[Found]:
    """In order, without those that lie in others."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda f: (f.start, -f.end)):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept
