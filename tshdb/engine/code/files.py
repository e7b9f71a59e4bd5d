"""Code that is not Python: the texts of a program's files beside the code of its record, and the digest of both.

A text counts as it stands, to the last comment: what it says is known to its interpreter alone. `leads["files"]` names those
that count; what else is kept among the sources is there to be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from tshdb.canonical import digest
from tshdb.engine.code.follow import Code

FILES = "files"  # in the leads of a code


def with_files(code: Code, counted: Mapping[str, str], beside: Mapping[str, str]) -> Code:
    """The code, with texts that count and others that are kept beside it."""
    if not counted:
        return code
    return replace(
        code,
        sources={**code.sources, **counted, **beside},
        leads=code.leads | {FILES: sorted(counted)},
        fingerprint=fingerprint_with(code.fingerprint, counted),
    )


def fingerprint_with(fingerprint: str, counted: Mapping[str, str]) -> str:
    """The fingerprint of a code of that fingerprint, with texts that count."""
    parts = (f"{name}\0{digest(text.encode())}" for name, text in sorted(counted.items()))
    return digest(fingerprint.encode(), *(part.encode() for part in parts))


def counted_of(sources: Mapping[str, str], leads: Mapping) -> dict[str, str]:
    """The texts of a kept code that count and are no Python. Raises KeyError for one that is not kept."""
    return {name: sources[name] for name in leads.get(FILES, ())}


def files_changed(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[tuple[str, str | None, str | None]]:
    """(name, text before, text after) of those that differ."""
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield name, before.get(name), after.get(name)
