"""Which files of a study name the patient, in their content or their path, and which of them could not be looked into."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tshdb.contents.kinds import pieces, pieces_of
from tshdb.contents.look import Piece
from tshdb.contents.plain import names_somebody
from tshdb.kept_paths import PRIVATE
from tshdb.process import in_child
from tshdb.withdrawal.copies import VERSION_CONTROL
from tshdb.withdrawal.identifiers import KEY_FILE, Identifiers

NOT_SCANNED = {KEY_FILE, ".tshdb.lock", *PRIVATE}  # what paths.local holds of the patient is forgotten
SAID = 3  # reasons of one file


class Seen(NamedTuple):
    """What a look at a file gave. unseen: why parts of it were not looked into; nothing where all of it was."""

    path: Path
    is_named: bool
    unseen: tuple[str, ...] = ()


def entries_under(root: Path, *left_out: Path) -> Iterator[Path]:
    """What lies in the study's folder but for what is below `left_out`: files, links, folders that are empty or closed, and
    the folders of version control, into which nobody looks."""
    try:
        names = sorted(os.listdir(root))
    except OSError:
        yield root  # closed
        return
    for path in (root / name for name in names if name not in NOT_SCANNED):
        if any(path == out or out in path.parents for out in left_out):
            continue
        if path.is_symlink() or not path.is_dir() or path.name in VERSION_CONTROL or _is_empty(path):
            yield path
        else:
            yield from entries_under(path, *left_out)


def _is_empty(folder: Path) -> bool:
    try:
        return not any(os.scandir(folder))
    except OSError:
        return False


def files_under(root: Path, *left_out: Path) -> Iterator[Path]:
    """All files of the study's folder, but for those below `left_out`. Links are none, and are not followed."""
    return (p for p in entries_under(root, *left_out) if not p.is_symlink() and p.is_file())


def texts_in(path: Path) -> Iterator[str]:
    """What a file holds as text, unpacked."""
    return (piece.text for piece in pieces(path) if not piece.unseen)


def look(path: Path, names: Identifiers, has_cells: bool = True) -> Seen:
    """Whether the content of a file names the patient. has_cells: names too short for texts are looked for as cells."""
    return Seen(path, *_judged(pieces(path), names, has_cells))


def still_names(content: bytes, names: Identifiers) -> bool:
    """Whether the content of a file, as it would be written, names the patient."""
    return _judged(pieces_of(content), names)[0]


def holds(path: Path, names: Identifiers) -> bool:
    """Whether a file names the patient."""
    return look(path, names).is_named


def _judged(found: Iterable[Piece], names: Identifiers, has_cells: bool = True) -> tuple[bool, tuple[str, ...]]:
    unseen: dict[str, None] = {}
    for piece in found:
        if piece.unseen:
            if names.are_numbers or not piece.only_numbers:
                unseen[said(piece)] = None
        elif names.is_in(piece.text, piece.is_binary):
            return True, ()  # it is left to a person as a whole
        elif (
            has_cells
            and names.short
            and names_somebody(piece.column)
            and not names.short.isdisjoint(piece.text.split("\n"))
        ):
            return True, ()
    return False, shortened(unseen)


def said(piece: Piece) -> str:
    """Why a piece is not looked into, and where in the file it lies."""
    return f"{piece.inside}: {piece.unseen}" if piece.inside else piece.unseen


def shortened(reasons: Iterable[str]) -> tuple[str, ...]:
    every = tuple(reasons)
    return every if len(every) <= SAID else (*every[:SAID], f"and {len(every) - SAID:,} more parts")


def unseen_entry(path: Path, root: Path) -> str:
    """Why something that is no file is not looked into; "" for a file, and for a link to what is looked at itself."""
    if path.is_symlink():
        target = path.resolve()
        if root.resolve() in target.parents or not target.exists():
            return ""
        return "" if target.is_file() else f"a link to a folder outside of the study ({target})"
    if path.is_file():
        return ""
    if path.is_dir():
        if path.name in VERSION_CONTROL:
            return f"version control ({path.name}), which keeps what files held before"
        return "" if os.access(path, os.R_OK | os.X_OK) else "a folder that cannot be read"
    return "" if stat.S_ISSOCK(path.lstat().st_mode) else "no regular file"


def seen_below(root: Path, names: Identifiers, *left_out: Path, own: Collection[Path] = ()) -> list[Seen]:
    """Everything below `root` that names the patient or could not be looked into.

    own: the study's database, whose numbers of rows are nobody's names.
    """

    def found() -> list[tuple[str, bool, tuple[str, ...]]]:
        every = (_entry(path, root, names, path not in own) for path in entries_under(root, *left_out))
        return [(str(seen.path), seen.is_named, seen.unseen) for seen in every if seen.is_named or seen.unseen]

    return [Seen(Path(path), is_named, tuple(unseen)) for path, is_named, unseen in in_child(found)]


def _entry(path: Path, root: Path, names: Identifiers, has_cells: bool) -> Seen:
    below = path.relative_to(root)
    if path.name in VERSION_CONTROL:
        return Seen(path, False, (unseen_entry(path, root),))
    if names.is_in_path(below) or path.is_symlink() and names.is_in(os.readlink(path)):
        return Seen(path, True)
    if why := unseen_entry(path, root):
        return Seen(path, False, (why,))
    return look(path, names, has_cells) if path.is_file() else Seen(path, False)
