"""In which format something is written: as it is asked for, or as the end of a file's name says. The two must not disagree."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tshdb.errors import UsageError
from tshdb.near import did_you_mean

Suffixes = Mapping[str, tuple[str, ...]]
"""format -> the ends of names that mean it, the usual one first"""


def chosen(suffixes: Suffixes, asked: str | None, path: Path | None, usual: str) -> str:
    """The format. asked: by its name; path: the file that is written; usual: what is meant where neither says anything.

    Raises UsageError for a format that there is not, an end of a name that means none, and where name and format disagree.
    """
    if asked is not None and asked not in suffixes:
        known = f"Known: {', '.join(suffixes)}"
        raise UsageError(f"format '{asked}'", where="--format", repair=did_you_mean(asked, suffixes, known))
    if path is None:
        return asked or usual
    by_name = {end: name for name, ends in suffixes.items() for end in ends}
    meant = by_name.get(path.suffix.lower())
    if meant is None:
        ends = ", ".join(suffixes[asked] if asked else by_name)
        what = f"its name ends with '{path.suffix}'" if path.suffix else "its name has no end such as .pdf"
        raise UsageError(what, where=str(path), repair=f"Known: {ends}")
    if asked is not None and meant != asked:
        raise UsageError(
            f"its name says {meant}, and --format says {asked}", where=str(path),
            repair=f"Call it {path.with_suffix(suffixes[asked][0]).name}, or leave --format out",
        )  # fmt: skip
    return meant
