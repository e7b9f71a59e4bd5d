"""A first map of a folder: one file with a section for everything in it that waits for a person's word. Nothing is loaded."""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tshdb import installed
from tshdb.actions.own_folder import FOLDER_MAP, MASKS, OwnFile, OwnFolder
from tshdb.errors import InvalidInput, NotFound, TshdbError
from tshdb.files import complete
from tshdb.map_files import SECTION, line_of_question
from tshdb.readers import Part, needed
from tshdb.vocabulary import MaskKind, MaskRegion

if TYPE_CHECKING:
    from tshdb.readers import Reader

SHOWN = 3


class GuessedMap(NamedTuple):
    """What was written. n_questions: lines with a `?`."""

    path: Path
    n_sections: int
    n_questions: int


def write_folder_map(found: OwnFolder, target: Path | None = None) -> GuessedMap:
    """Write a first map of all files that wait for one. target: folder.map.toml in the folder, if no other is named.

    Raises InvalidInput where a map is already, or nothing waits; NotFound for a folder that cannot be written to.
    """
    path = target or found.root / FOLDER_MAP
    if path.exists():
        raise InvalidInput(
            "a map is there already", where=str(path), repair="Name another file with --map, or correct it"
        )
    sections = [section for each in found.files if each.is_guessed for section in _sections(found, each)]
    if not sections:
        raise InvalidInput("no file waits for a map", where=str(found.root), repair="Say it without --guess")
    text = "\n".join([*_top(found), *sections]) + "\n"
    try:
        with complete(path) as written:
            written.write_text(text, encoding="utf-8")
    except OSError as error:
        raise NotFound(
            f"cannot be written ({error.strerror})", where=str(path), repair="Name another file with --map"
        ) from None
    lines = text.splitlines()
    return GuessedMap(path, len(sections), sum(line_of_question([line]) is not None for line in lines))


def _top(found: OwnFolder) -> list[str]:
    return [
        f"# What the files of {found.root.name} hold, as far as it can be guessed: correct it. Every choice says why.",
        "# A ? must become a meaning; a section that is not wanted may be taken out. A file that is never to be loaded:",
        f"# [[{SECTION}]], name = …, leave_out = true. The language: tshdb docs maps",
        "",
    ]


def _sections(found: OwnFolder, each: OwnFile) -> list[str]:
    if each.part is Part.SEGMENTATION:
        return [_of_masks(pattern, paths) for pattern, paths in _patterns(found, each.paths).items()]
    assert each.reader is not None
    return [_of_table(found.path_of(path), path, installed.reader(each.reader)) for path in each.paths]


def _of_table(name: str, path: Path, reader: Reader) -> str:
    """A table's own first map, as a section of the folder's."""
    head = f"[[{SECTION}]]\nname = {_text(name)}\n"
    try:
        own = needed(reader.guess, reader, "take a map")(path).splitlines()
    except TshdbError as error:
        return f"{head}# {error.message}. {error.repair}\n"
    while own and (own[0].startswith("#") or not own[0].strip()):  # what it says of itself as a file
        own.pop(0)
    lines = [re.sub(r"^\[", f"[{SECTION}.", line.replace("[table]", f"[{SECTION}.table]")) for line in own]
    return "\n".join([head, *(line.replace(f"[{SECTION}.{SECTION}.", f"[{SECTION}.") for line in lines), ""])


def _of_masks(pattern: str, paths: Sequence[str]) -> str:
    files = f"{', '.join(paths[:SHOWN])}{' …' if len(paths) > SHOWN else ''}"
    return "\n".join([
        f"[[{SECTION}]]", f"name = {_text(pattern)}    # {len(paths)} files: {files}",
        "# Whose they are: the patient whose identifier is in the name of the file or of its folder.", "",
        f"[{SECTION}.{MASKS}]", f'kind = "?"    # who drew them: {", ".join(MaskKind)}',
        f'region = "{MaskRegion.TUMOR}"    # of what: {", ".join(MaskRegion)}',
        "# label = 1    # the one value that is the mask; without it all that is not 0", "",
    ])  # fmt: skip


def _patterns(found: OwnFolder, paths: Sequence[Path]) -> dict[str, list[str]]:
    """name of a section -> paths, of files whose names differ in their numbers alone."""
    patterns: dict[str, list[str]] = {}
    for path in paths:
        patterns.setdefault(re.sub(r"\d+", "*", glob.escape(path.name)), []).append(found.path_of(path))
    return patterns


def _text(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
