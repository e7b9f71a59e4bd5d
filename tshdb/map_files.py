"""Maps as they lie in files: the map of one table, or those of a folder's files, each in a section `[[file]]`.

[[file]]
name = "rna/tpm.tsv"         # from the folder on; * and ? stand for what differs: mrt/*/mask.nii.gz
[file.expression]            # what a map of this file alone would say, with `file.` before it
unit = "tpm"

[[file]]
name = "drafts.csv"
leave_out = true
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from tshdb.errors import InvalidInput, NotFound
from tshdb.near import did_you_mean
from tshdb.written import written_text

SECTION = "file"
OF_SECTION = ("name", "leave_out")
_HEAD = re.compile(rf"\s*\[\[\s*{SECTION}\s*\]\]")


class WrittenMap(NamedTuple):
    """What a map says, before anybody knows whether it is one.

    values: without the words of the section itself. where: the file; section: the name of it there. undecided: the line of its
    first `?`.
    """

    values: dict[str, Any]
    path: str
    undecided: int | None = None
    section: str = ""

    @property
    def where(self) -> str:
        """The place, as a message names it."""
        return f"{self.path} [{self.section}]" if self.section else self.path


class FolderMap:
    """The map of a folder's files. Raises NotFound, or InvalidInput for what is no such map."""

    def __init__(self, path: Path):
        self.path = path
        text, written = _parsed(path)
        if set(written) != {SECTION} or not isinstance(written[SECTION], list):
            raise InvalidInput(
                "no map of a folder's files", where=str(path),
                repair=f"Expected sections [[{SECTION}]] alone, each with a name; write one with --guess",
            )  # fmt: skip
        self.sections: list[dict[str, Any]] = written[SECTION]
        lines = text.splitlines()
        self._begins = [i for i, line in enumerate(lines) if _HEAD.match(line)]
        self._lines = lines
        for i, section in enumerate(self.sections):
            if not isinstance(section.get("name"), str):
                raise InvalidInput(
                    f"a section [[{SECTION}]] without a name", where=f"{path}:{self._line(i)}",
                    repair='Say which file it is for: name = "table.csv"',
                )  # fmt: skip
            if not isinstance(section.get("leave_out", False), bool):
                raise InvalidInput(
                    "leave_out is true or false", where=f"{path}:{self._line(i)}",
                    repair="Columns are left out in its table: [file.table] leave_out",
                )  # fmt: skip

    @property
    def names(self) -> list[str]:
        """Of the files, as the sections give them."""
        return [section["name"] for section in self.sections]

    def section_of(self, file: str) -> WrittenMap | None:
        """What is said of a file, by its path below the folder or its name; None where nothing is. InvalidInput for two."""
        hits = [i for i, name in enumerate(self.names) if _is_of(name, file)]
        exact = [i for i in hits if self.names[i] == file]
        hits = exact or hits
        if len(hits) > 1:
            both = " and ".join(self.names[i] for i in hits[:2])
            raise InvalidInput(
                f"two sections are of {file}: {both}", where=f"{self.path}:{self._line(hits[1])}", repair="Take one out"
            )
        if not hits:
            return None
        (i,) = hits
        values = {key: value for key, value in self.sections[i].items() if key not in OF_SECTION}
        return WrittenMap(values, str(self.path), self._undecided(i), self.names[i])

    def is_left_out(self, file: str) -> bool:
        """Whether the map says that a file is not loaded."""
        return any(s.get("leave_out") is True and _is_of(s["name"], file) for s in self.sections)

    def of_no_file(self, files: Sequence[str]) -> list[str]:
        """Names in the map that are of none of the files."""
        return [name for name in self.names if not any(_is_of(name, file) for file in files)]

    def _line(self, i: int) -> int:
        return self._begins[i] + 1 if i < len(self._begins) else 1

    def _undecided(self, i: int) -> int | None:
        begin = self._line(i)
        end = self._begins[i + 1] if i + 1 < len(self._begins) else len(self._lines)
        return line_of_question(self._lines[begin - 1 : end], begin)


def written_map(path: Path, source: str) -> WrittenMap:
    """What a file says of a source: the map that it is, or the source's section. Raises NotFound or InvalidInput."""
    text, written = _parsed(path)
    if not isinstance(written.get(SECTION), list):
        return WrittenMap(written, str(path), line_of_question(text.splitlines()))
    of_folder = FolderMap(path)
    section = of_folder.section_of(source)
    if section is None:
        raise InvalidInput(
            f"no section of {source}", where=str(path),
            repair=did_you_mean(source, of_folder.names, f"It has {', '.join(of_folder.names)}"),
        )  # fmt: skip
    return section


def refuse_undecided(written: WrittenMap) -> None:
    """Raises InvalidInput for a map in which a `?` stands for what only a person can say."""
    if "?" in _texts(written.values):
        raise InvalidInput(
            "a ? stands for what nobody has decided yet", where=f"{written.path}:{written.undecided or 1}",
            repair="Say what it means, or take the line out",
        )  # fmt: skip


def _texts(value: Any) -> set[str]:
    """All texts in a map, but its keys."""
    if isinstance(value, dict):
        return set().union(*map(_texts, value.values()))
    if isinstance(value, list):
        return set().union(*map(_texts, value))
    return {value} if isinstance(value, str) else set()


def line_of_question(lines: Sequence[str], first: int = 1) -> int | None:
    """The line of the first value that nobody has decided yet."""
    return next((i for i, line in enumerate(lines, first) if '"?"' in line.partition("#")[0]), None)


def _parsed(path: Path) -> tuple[str, dict[str, Any]]:
    if not path.is_file():
        raise NotFound("no such map", where=str(path), repair="Write one with --guess")
    text = written_text(path)
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"not TOML: {error}", where=str(path), repair="Mend the line") from None


def _is_of(name: str, file: str) -> bool:
    """Whether a section's name is of a file: part by part from the end, as far as both go."""
    wanted, parts = name.split("/"), file.split("/")
    n = min(len(wanted), len(parts))
    return all(fnmatchcase(part, pattern) for part, pattern in zip(parts[-n:], wanted[-n:], strict=True))
