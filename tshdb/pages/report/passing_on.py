"""What may not stand on a page that is passed on: whatever names a single patient, her samples, images or files.

    known = names_of(study)
    known.without(text)          the text, with "(a patient)" where it names one
    known.of_file("p17.nii.gz")  "a file of one patient (.nii.gz)"
    known.leaks(page)            what a finished page still says: kinds and places, never the names

A report is written by the first two and refused by the third: a name that is found at the end is a mistake of the program or
comes by a way that nobody has thought of, and what has been sent cannot be called back. docs/decisions/0043.

Not looked into are pixels: a drawing with letters made of dots, a slice of an examination.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from html import unescape
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from tshdb.errors import InvalidInput
from tshdb.pages.report.looking import WORD, Looking, plain
from tshdb.pages.report.names import Read, read_names
from tshdb.text.controls import clean

if TYPE_CHECKING:
    from tshdb.study import Study

IDENTITY = re.compile(r"""\bid=["']([^"']+)["']""")
TAG = re.compile(r"<[^>]*>")
WITHIN_A_WORD = re.compile(
    r"</?(?:a|abbr|b|bdi|code|em|i|mark|q|s|small|span|strong|sub|sup|tspan|u|wbr)\b[^>]*>", re.I
)
DATA = re.compile(r"data:([\w.+/-]*)((?:;[\w.=-]+)*),([A-Za-z0-9+/=_%.~!*'():;,@&?$-]*)")
ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
ENDING = re.compile(r"(?:\.[A-Za-z][A-Za-z0-9]{0,7}){1,2}$")
DIGITS = re.compile(r"\d{3,}")
DEEPEST = 3  # a drawing in a drawing in a page
TEXTS = ("text/", "image/svg", "application/json", "application/xml", "application/javascript")
OF_PIXELS = 4096  # bytes of a picture in which its own words stand
FILE = "a file of one patient"


class Leak(NamedTuple):
    """A name that a page still says. kind: of what; where: the part of the page, by its anchor."""

    kind: str
    where: str


class Names:
    """What names single patients of a study, read once, and found in texts."""

    def __init__(self, read: Read):
        self.read = read
        self._looking = Looking({**read.names, **dict.fromkeys(read.archive_ids, "archive's id of a file")})
        tails = {run for name in read.patients for run in DIGITS.findall(name)[-1:]}
        self._tails = {tail.lstrip("0") or "0" for tail in tails}

    def without(self, text: str) -> str:
        """The text, with what it is in the place of each name: (a patient id), (a sample id) …"""
        found = self._looking.within(text)
        text = plain(text)
        for one in reversed(found):
            text = f"{text[: one.start]}({_article(one.kind)}){text[one.end :]}"
        return text

    def is_in(self, text: str) -> bool:
        """Whether a text names a patient."""
        return bool(self._looking.within(text))

    def of_file(self, name: str) -> str:
        """A file's name as it may be shown, without its folder: as it is, or what it is of."""
        bare = re.split(r"[/\\]", name.rstrip("/\\"))[-1]
        ending = ENDING.search(bare)
        stem = bare[: ending.start()] if ending else bare
        runs = {run.lstrip("0") or "0" for run in DIGITS.findall(stem)}
        is_hers = name in self.read.files or bare in self.read.files or self.is_in(bare) or self._looking.as_cell(stem)
        if is_hers or any(self._looking.as_cell(word) for word in WORD.findall(stem)) or runs & self._tails:
            return f"{FILE} ({ending[0].lower()})" if ending else FILE
        return clean(bare)

    def leaks(self, page: str) -> list[Leak]:
        """The names that a page says: in its text, its attributes, its drawings and data. Each kind once a place."""
        found: dict[Leak, None] = {}
        for where, text in _pieces(page):
            for one in self._looking.within(text):
                found[Leak(one.kind, where)] = None
            for line in text.splitlines() if len(text) > 40 else ():
                if kind := self._looking.as_cell(line.strip()):
                    found[Leak(kind, where)] = None
        return list(found)

    def refuse(self, page: str) -> None:
        """Raises InvalidInput for a page that names a patient. It does not say which one."""
        leaks = self.leaks(page)
        if leaks:
            more = f", and {len(leaks) - 1:,} more" if len(leaks) > 1 else ""
            raise InvalidInput(
                f"the page would name a patient ({leaks[0].kind}{more}); it was not written",
                where=f"report: {leaks[0].where}",
                repair="Take the name out of the file, reason or setting that is shown there, then run it again",
            )


def names_of(study: Study) -> Names:
    """What names single patients of a study. Reads the database once: keep it for all that a page shows."""
    return study.once("names", lambda: Names(read_names(study)))


def identifiers(study: Study) -> set[str]:
    """Everything that names a single patient: ids of patients, samples, profiles, examinations, masks and notices, UIDs,
    record numbers, ids in guests' tables, names and paths of files that are of one patient alone."""
    read = read_names(study, with_images=True)
    return {*read.names, *read.archive_ids, *read.files}


def _article(kind: str) -> str:
    return f"{'an' if kind[0].lower() in 'aeio' else 'a'} {kind}"


def _pieces(page: str, where: str = "top of the page", depth: int = 0) -> Iterator[tuple[str, str]]:
    """(where, text) of all that a page says, part by part: text, attributes, what is packed into data addresses."""
    places = [(m.start(), f"#{unescape(m[1])}") for m in IDENTITY.finditer(page)] if depth == 0 else []
    for (start, here), (end, _) in zip([(0, where), *places], [*places, (len(page), "")], strict=True):
        piece = page[start:end]
        packed = list(DATA.finditer(piece))
        if packed:
            piece = DATA.sub("data:", piece)
        text = TAG.sub("\n", WITHIN_A_WORD.sub("", piece))
        attributes = "\n".join(TAG.findall(piece))
        yield here, _unescaped(text)
        yield here, _unescaped(attributes.replace('"', "\n"))
        if depth < DEEPEST:
            for match in packed:
                yield from _packed(match, f"{here}, a drawing or data in it" if depth == 0 else where, depth)


def _unescaped(text: str) -> str:
    text = unescape(text) if "&" in text else text
    text = ESCAPE.sub(lambda m: chr(int(m[1], 16)), text) if "\\u" in text else text
    return f"{text}\n{unquote(text)}" if "%" in text and unquote(text) != text else text


def _packed(match: re.Match[str], where: str, depth: int) -> Iterator[tuple[str, str]]:
    kind, options, body = match.groups()
    if ";base64" in options.lower():
        try:
            content = base64.b64decode(unquote(body))
        except binascii.Error:
            return
        if not kind.startswith(TEXTS):  # pixels: the words that such a file has stand at its beginning
            yield where, content[:OF_PIXELS].decode("latin-1")
            return
        text = content.decode("utf-8", "replace")
    else:
        text = unquote(body)
    yield from _pieces(text, where, depth + 1)
