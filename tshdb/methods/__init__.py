"""The Methods of a manuscript, from the study's provenance: what ran with which parameters, on whom, and what must be said of it.

parts       what the text is made of
asked       numbers, each with the query that gives it
texts       what each analysis does, in a sentence, with its parameters
paragraphs  the paragraphs, of what has current results here
references  the works that are cited
written     md, latex, docx

    study = tshdb.open("brca")
    methods(study).save("methods.docx")
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tshdb.errors import NotFound
from tshdb.files import complete, made_for
from tshdb.formats import chosen
from tshdb.methods.asked import Asked, Number
from tshdb.methods.parts import Paragraph, Sentence
from tshdb.methods.references import Reference
from tshdb.written_files import Holds, note_written

if TYPE_CHECKING:
    from tshdb.study import Study

__all__ = ["SUFFIXES", "Methods", "Number", "Paragraph", "Sentence", "methods"]

SUFFIXES = {"md": (".md",), "latex": (".tex",), "docx": (".docx",)}


@dataclass(frozen=True)
class Methods:
    """The Methods of a study.

    references  the works that are cited, in the order of their first citation; a citation is its place in it
    numbers     every number of the text, with what was asked for it
    """

    study_name: str
    paragraphs: tuple[Paragraph, ...]
    references: tuple[Reference, ...]
    numbers: tuple[Number, ...]
    root: Path | None = field(default=None, compare=False, repr=False)

    def cited(self, sentence: Sentence) -> list[int]:
        """The numbers of the works that a sentence cites."""
        keys = [reference.key for reference in self.references]
        return sorted(keys.index(key) + 1 for key in sentence.cites)

    @property
    def facts(self) -> dict[str, Any]:
        """Plain values: paragraphs with their sentences, the works, and every number with what was asked for it."""
        return {
            "paragraphs": [
                {"heading": one.heading, "sentences": [{"text": s.text, "cites": self.cited(s)} for s in one.sentences]}
                for one in self.paragraphs
            ],
            "references": [one._asdict() for one in self.references],
            "numbers": [one._asdict() for one in self.numbers],
        }

    @property
    def sentences(self) -> Iterator[Sentence]:
        """All sentences, in order."""
        for paragraph in self.paragraphs:
            yield from paragraph.sentences

    def to(self, form: str) -> bytes:
        """The bytes of a file of it: md, latex or docx. Raises UsageError for another form."""
        from tshdb.methods.written import WRITERS

        return WRITERS[chosen(SUFFIXES, form, None, form)](self)

    def save(self, path: str | Path, form: str | None = None) -> str | None:
        """Write it to a file. Gives what must be said where the study could not note that. Raises UsageError as `to`."""
        place = Path(path)
        data = self.to(chosen(SUFFIXES, form, place, "md"))
        with complete(made_for(place)) as written:
            written.write_bytes(data)
        return None if self.root is None else note_written(Holds(self.root, "methods", "methods", False), place)


def methods(study: Study) -> Methods:
    """The Methods, of analyses that have current results here. Raises NotFound, with the next step, where there are none."""
    from tshdb.database import reading
    from tshdb.methods.paragraphs import paragraphs
    from tshdb.methods.references import known
    from tshdb.next_step import NextSteps

    with reading(study.engine) as connection:
        asked = Asked(connection)
        made = tuple(paragraphs(study, asked)) if asked.analyses else ()
    if not made:
        raise NotFound(
            "nothing was computed yet, so that there are no methods to tell", repair=NextSteps(study).of_analyses()
        )
    keys = dict.fromkeys(key for paragraph in made for sentence in paragraph.sentences for key in sentence.cites)
    return Methods(study.name, made, tuple(known(key) for key in keys), tuple(asked.numbers), study.root)
