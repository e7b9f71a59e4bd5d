"""The trash of a study: what `tshdb gc` and `tshdb check --repair` take out of the way lies here until it is emptied.

    trash/.tshdb-trash                        the mark; nothing is removed from a folder without it
    trash/20261130T151200.123Z/manifest.json  what one command moved: from where, and why; written before anything is moved
    trash/20261130T151200.123Z/files/…        the files, below their paths in the study

Only plain files of the study are moved, and no link on the way is followed. A withdrawal erases all of it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from tshdb.errors import InvalidInput
from tshdb.failpoints import fp
from tshdb.files import complete, sync, time_name
from tshdb.objects import is_file
from tshdb.places import TRASH as FOLDER

MARK = ".tshdb-trash"
MARK_TEXT = """What tshdb took out of this study's way, a folder a command. Its manifest.json says what was where, and why.
To empty it: tshdb gc --empty-trash. To have something back, move it to where the manifest says that it lay.
"""
MANIFEST, FILES, FORMAT = "manifest.json", "files", 1
DATED = re.compile(r"\d{8}T\d{6}\.\d{3}Z")


class Thrown(NamedTuple):
    """One file in the trash. path: below the study, where it lay."""

    path: str
    size: int
    why: str


@dataclass
class Emptied:
    """What emptying did. left: what lies there and is none of ours, below the study."""

    files: int = 0
    size: int = 0
    left: list[str] = field(default_factory=list)


class Trash:
    """The trash of the study in `root`. What one command moves goes to one folder."""

    def __init__(self, root: Path):
        self.root, self.folder = root, root / FOLDER
        self._now: Path | None = None
        self.thrown: list[Thrown] = []

    def move(self, files: Iterable[tuple[Path, str]]) -> list[Thrown]:
        """Take files (path, why) out of the way. Gives those that were; what is a link, or no more there, stays."""
        wanted = [
            (path, Thrown(path.relative_to(self.root).as_posix(), path.stat().st_size, why))
            for path, why in files
            if self._is_plain(path)
        ]
        if not wanted:
            return []
        into = self._begin()
        self.thrown += [thrown for _, thrown in wanted]
        self._write(into)
        fp("trash.written")
        moved = []
        for path, thrown in wanted:
            target = into / FILES / thrown.path
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.rename(path, target)
            except OSError:  # it lies on another disk, or has gone: nothing is lost by leaving it
                self.thrown.remove(thrown)
                continue
            moved.append(thrown)
            fp("trash.moved")
        self._write(into)
        return moved

    def _is_plain(self, path: Path) -> bool:
        """Whether it is a plain file of the study, to which no link leads."""
        if self.root not in path.parents or self.folder in path.parents or not is_file(path):
            return False
        return not any(p.is_symlink() for p in path.parents if self.root in p.parents)

    def _begin(self) -> Path:
        if self._now is None:
            self._claim()
            while (into := self.folder / time_name()).exists():
                pass
            into.mkdir()
            self._now = into
        return self._now

    def _claim(self) -> None:
        """Mark the folder. Raises InvalidInput for a link, or an unmarked folder that holds something."""
        if self.folder.is_symlink() or (self.folder.is_dir() and not self.is_marked and any(self.folder.iterdir())):
            raise InvalidInput(
                f"is not the study's trash: it has no {MARK}", where=str(self.folder), repair="Move it elsewhere"
            )
        self.folder.mkdir(exist_ok=True)
        (self.folder / MARK).write_text(MARK_TEXT, encoding="utf-8")

    @property
    def is_marked(self) -> bool:
        """Whether the folder is a trash of ours."""
        return not self.folder.is_symlink() and is_file(self.folder / MARK)

    def _write(self, into: Path) -> None:
        said = {"format": FORMAT, "files": [thrown._asdict() for thrown in self.thrown]}
        with complete(into / MANIFEST) as written:
            written.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            sync(written)
        sync(into)

    # --------------------------------------------------------------------------------------------- what lies there

    def folders(self) -> list[Path]:
        """The folders that commands have made, the oldest first."""
        if not self.is_marked:
            return []
        return sorted(p for p in self.folder.iterdir() if DATED.fullmatch(p.name) and p.is_dir() and not p.is_symlink())

    def held(self) -> dict[str, int]:
        """How much lies there: files and bytes."""
        sizes = [path.stat().st_size for folder in self.folders() for path in _plain_files(folder / FILES)]
        return {"files": len(sizes), "bytes": sum(sizes)}

    def listed(self, older_than: timedelta | None = None) -> list[tuple[str, Thrown]]:
        """(folder, file) of all that emptying would remove."""
        return [(folder.name, thrown) for folder in self._old(older_than) for thrown in _manifest(folder)
                if self._lies(folder, thrown)]  # fmt: skip

    def empty(self, older_than: timedelta | None = None) -> Emptied:
        """Remove what commands have moved here, as their manifests say. older_than: only what was moved before that."""
        done = Emptied()
        for folder in self._old(older_than):
            for thrown in _manifest(folder):
                if self._lies(folder, thrown):
                    path = folder / FILES / thrown.path
                    done.size += path.stat().st_size
                    done.files += 1
                    path.unlink()
            self._forget(folder)
            done.left += [p.relative_to(self.root).as_posix() for p in _plain_files(folder) if p.name != MANIFEST]
        return done

    def erase(self) -> None:
        """Remove every file in the folders that commands have made, for a withdrawal: whatever the manifests say."""
        for folder in self.folders():
            for path in list(_plain_files(folder)):
                path.unlink(missing_ok=True)
            _remove_empty(folder)

    def _old(self, older_than: timedelta | None) -> Iterator[Path]:
        for folder in self.folders():
            made = datetime.strptime(folder.name, "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC)
            if older_than is None or datetime.now(UTC) - made > older_than:
                yield folder

    def _lies(self, folder: Path, thrown: Thrown) -> bool:
        path = folder / FILES / thrown.path
        is_below = ".." not in Path(thrown.path).parts and not Path(thrown.path).is_absolute()
        between = [p for p in path.parents if folder in p.parents]
        return is_below and is_file(path) and not any(p.is_symlink() for p in between)

    def _forget(self, folder: Path) -> None:
        """Remove a folder of which nothing is left but its manifest."""
        if not any(p.name != MANIFEST or p.parent != folder for p in _plain_files(folder)):
            (folder / MANIFEST).unlink(missing_ok=True)
            _remove_empty(folder)


def _plain_files(folder: Path) -> Iterator[Path]:
    for top, _, names in os.walk(folder):
        yield from (Path(top) / name for name in sorted(names) if is_file(Path(top) / name))


def _remove_empty(folder: Path) -> None:
    """Remove a folder and those in it, as far as nothing lies in them."""
    for top, _, _ in os.walk(folder, topdown=False):
        if not any(os.scandir(top)):
            os.rmdir(top)


def _manifest(folder: Path) -> list[Thrown]:
    """What a command moved; nothing where its manifest cannot be read: then nothing is known to be ours."""
    try:
        said = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return [Thrown(str(f["path"]), int(f["size"]), str(f["why"])) for f in said["files"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []
