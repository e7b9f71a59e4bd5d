"""What the Methods are made of: sentences in paragraphs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sentence:
    """A sentence, and the keys of the works that it cites (`references.known`)."""

    text: str
    cites: tuple[str, ...] = ()


@dataclass(frozen=True)
class Paragraph:
    """A heading with its sentences."""

    heading: str
    sentences: tuple[Sentence, ...]
