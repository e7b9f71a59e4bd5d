"""Where a study keeps things, and which names in its folder are its own to take away.

A study may have been received, or its settings mistyped: what study.toml or the database names is looked at before it is
written or removed. Links are resolved first. A folder below the study that has a study.toml is another study's.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tshdb.errors import IntegrityError, InvalidInput

if TYPE_CHECKING:
    from tshdb.config import Settings

SETTINGS_FILE = "study.toml"
RAW, REPORTS, FIGURES, COHORTS = "raw", "reports", "figures", "cohorts"
DRAWINGS, PATIENTS = "drawings", "patients"  # below reports/
WITHDRAWALS, WORK, SNAPSHOTS = "withdrawals", "work", ".snapshots"
VARIANTS, MULTIVERSES, TRASH = "variants", "multiverse", "trash"
TAKEN = (
    RAW,
    REPORTS,
    FIGURES,
    COHORTS,
    WITHDRAWALS,
    WORK,
    SNAPSHOTS,
    VARIANTS,
    MULTIVERSES,
    TRASH,
)  # no place for objects
DATABASE_MARK = ".tshdb-databases"  # of a folder outside of studies that has databases of studies
PLAIN = re.compile(r"[\w@ ()+,=-][\w@ ()+,=.-]*")


def objects_folder(settings: Settings, root: Path) -> Path:
    """The folder of the objects, as study.toml names it. Raises InvalidInput for one that cannot be the study's."""
    from tshdb.objects import MARK, ObjectStore

    setting = settings.study.objects
    place, home = (root / setting).resolve(), root.resolve()

    def refused(why: str, repair: str = 'Write a folder of its own below the study, such as objects = "objects"'):
        where = f"{settings.where('study', 'objects')}: [study] objects"
        return InvalidInput(f"found '{setting}', which {why}", where=where, repair=repair)

    if place == home or place in home.parents:
        raise refused("is the study's own folder or one above it")
    if (place / SETTINGS_FILE).exists() or any(place.glob("study.db*")):
        raise refused("holds a study")
    if place.exists() and not place.is_dir():
        raise refused("is no folder")
    if home in place.parents:
        inside = place.relative_to(home)
        if inside.parts[0] in TAKEN:
            raise refused(f"lies in {inside.parts[0]}/, which holds other things")
        if is_nested(place, home):
            raise refused("lies in another study")
        return root / inside
    if any((folder / SETTINGS_FILE).exists() for folder in place.parents):
        raise refused("lies in another study")
    store = ObjectStore(place)
    if not place.is_dir() or not store.is_marked and next(store.strangers(), None) is not None:
        raise refused(
            "lies outside of the study and is not known as a folder of objects",
            f"Write a folder below the study; or, for one elsewhere, move objects/ there with its {MARK}",
        )
    if not Path(setting).is_absolute() and ".." in Path(setting).parts:
        raise refused("leads out of the study", f'Write it in full: objects = "{place}"')
    return place


def refuse_database_outside(url: str, where: str, root: Path) -> None:
    """Raises InvalidInput for a SQLite file that is not this study's: a relative path that leads out of it, by `..` or by a link,
    a file in another study's folder, or one in a folder that does not bear our mark (`tshdb init` makes it)."""
    if not url.startswith("sqlite:///"):
        return
    named, home = Path(url.removeprefix("sqlite:///")), root.resolve()
    place = (root / named).resolve()
    is_inside = home in place.parents

    def refused(why: str, folder: Path | None = None) -> InvalidInput:
        other = "a whole path that is no other study's: sqlite:////folder/study.db"
        if folder is not None:
            other = f"if that folder is yours and the database this study's, run: touch '{folder / DATABASE_MARK}'"
        return InvalidInput(
            f"found '{url}', which {why}",
            where=f"{where}: [study] database",
            repair=f"Write a file below the study, or {other}",
        )

    if not named.is_absolute() and (".." in named.parts or not is_inside):
        raise refused("leads out of the study")
    if is_inside:
        if is_nested(place, home):
            raise refused("lies in another study")
    elif any((folder / SETTINGS_FILE).exists() for folder in place.parents):
        raise refused("lies in another study")
    elif place.parent.is_dir() and not (place.parent / DATABASE_MARK).is_file():
        raise refused("lies outside of the study, in a folder that is not known as a place of databases", place.parent)


def mark_database_folder(url: str, root: Path) -> None:
    """A SQLite file elsewhere, which a command names, is this study's: its folder gets our mark, if it is there."""
    if not url.startswith("sqlite:///"):
        return
    place = (root / url.removeprefix("sqlite:///")).resolve()
    is_of_study = any((folder / SETTINGS_FILE).exists() for folder in place.parents)
    if Path(url.removeprefix("sqlite:///")).is_absolute() and place.parent.is_dir() and not is_of_study:
        (place.parent / DATABASE_MARK).touch()


def is_nested(path: Path, root: Path) -> bool:
    """Whether a path below `root` is, or lies in, a folder that is another study."""
    folder = path
    while folder != root and root in folder.parents:
        if (folder / SETTINGS_FILE).exists():
            return True
        folder = folder.parent
    return False


def files_below(folder: Path, *, is_deep: bool = True) -> Iterator[Path]:
    """The regular files of a folder, in order; links are not followed, nor other studies below it entered."""
    if folder.is_symlink() or not folder.is_dir():
        return
    for top, folders, names in os.walk(folder):
        here = Path(top)
        folders[:] = sorted(n for n in folders if is_deep and not (here / n / SETTINGS_FILE).exists())
        yield from (here / n for n in sorted(names) if not (here / n).is_symlink())


def entries_below(folder: str | os.PathLike[str]) -> Iterator[os.DirEntry[str]]:
    """What is no folder below a folder, in the order of paths; links are among it and are not followed.

    A folder that may not be read is passed over. An entry knows without another look whether it is a file or a link.
    """
    try:
        with os.scandir(folder) as entries:
            ordered = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in ordered:
        if entry.is_dir(follow_symlinks=False):
            yield from entries_below(entry)
        else:
            yield entry


def made_in(root: Path, *names: str) -> Path:
    """A folder of the study for what is made from it. Raises InvalidInput where a link stands, which would lead elsewhere."""
    path = root
    for name in names:
        path = path / name
        if path.is_symlink():
            raise InvalidInput(
                "is a link, and what is made would be written elsewhere", where=str(path),
                repair="Remove the link, or name a place with --out",
            )  # fmt: skip
    return path


def without_link(path: Path) -> Path:
    """The path, at which no link lies any more: what is written there next stays there."""
    if path.is_symlink():
        path.unlink()
    return path


def shown(path: Path, root: Path) -> str:
    """A path as messages name it: from the study's folder where it lies in it."""
    return str(path.relative_to(root)) if root in path.parents else str(path)


def plain_name(text: str, where: str) -> str:
    """A name from the database that becomes part of a file's name. Raises IntegrityError for one that leads elsewhere."""
    if not PLAIN.fullmatch(text):
        raise IntegrityError(f"'{text}' cannot be part of a file's name", where=where, repair="Restore a backup")
    return text


def place_of_report(root: Path, to: Path | None, variant: str | None = None) -> Path:
    """Where a report goes. to: a file, a folder, or None for reports/ of the study."""
    path = to or made_in(root, REPORTS)
    if path.suffix == ".html":
        return path
    return path / ("report.html" if variant is None else f"report.{variant}.html")


def user_data() -> Path:
    """The folder of this user's data, outside of every study. Raises RuntimeError where the user has none."""
    if named := os.environ.get("TSHDB_HOME"):
        return Path(named)
    if named := os.environ.get("XDG_DATA_HOME"):
        return Path(named) / "tshdb"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "tshdb"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "tshdb"
    return Path.home() / ".local" / "share" / "tshdb"


def page_of_patient(patient_id: str) -> str:
    """The name of a patient's page: her id where it is a plain name in capitals, else what is plain of it with a digest.

    So two patients never share a page, also where a file system takes capitals for small letters, and the name follows from
    the id alone.
    """
    if re.fullmatch(r"[A-Z0-9][A-Z0-9_-]{0,79}", patient_id) and not re.fullmatch(
        r"(CON|PRN|AUX|NUL|(COM|LPT)\d)", patient_id
    ):
        return f"{patient_id}.html"
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", patient_id)[:40].strip("-") or "patient"
    return f"{readable}.{hashlib.sha256(patient_id.encode()).hexdigest()[:12]}.html"
