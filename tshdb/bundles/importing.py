"""A study of a bundle: verified byte by byte, brought home, checked in full; only then it has its name. None of its code runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, update

from tshdb.actions.checking import Checked
from tshdb.backup.copying import Progress, silent
from tshdb.backup.manifest import Manifest
from tshdb.backup.restore import at_home, being_written, checked_whole, dispose, refuse_used, settle, take_place
from tshdb.bundles.export import CODE, ENVIRONMENT, SOURCES, STUDY
from tshdb.bundles.hostile import refuse_database, refuse_settings
from tshdb.bundles.rebuilding import Rebuilt, rebuilt
from tshdb.bundles.unpacking import unpack
from tshdb.database import writing
from tshdb.errors import IntegrityError
from tshdb.guests.listing import analyses_here
from tshdb.kept_paths import KEY_FILE as PATHS_KEY
from tshdb.places import RAW
from tshdb.schema import ImagingInstance
from tshdb.study import Study
from tshdb.withdrawal.identifiers import KEY_FILE

BUNDLE_FOLDER = f"{RAW}/bundle"  # where sources from outside, code texts and the environment come to lie


@dataclass(frozen=True)
class Imported:
    """A study that stands where it was wanted. untrusted: files of its own analyses, which do not run.

    rebuilt: its results made again here, and compared; None where that was not asked for.
    """

    root: Path
    manifest: Manifest
    settings: Sequence[str]
    checked: Checked
    untrusted: Sequence[str]
    has_key: bool
    rebuilt: Rebuilt | None

    @property
    def facts(self) -> dict[str, Any]:
        """Plain values, as `tshdb import study --json` prints them."""
        return {
            "study": str(self.root),
            "files": len(self.manifest.files),
            "settings_changed": list(self.settings),
            "check": self.checked.facts,
            "untrusted": list(self.untrusted),
            "has_key": self.has_key,
            "sources": self.manifest.facts.get("sources", []),
            "images_lost": self.manifest.facts.get("images_lost", []),
            "rebuilt": None if self.rebuilt is None else self.rebuilt.facts,
        }


def import_study(
    bundle: Path, root: Path, *, is_broken_accepted: bool = False, is_rebuilt: bool = False, progress: Progress = silent
) -> Imported:
    """Make a study of a bundle. is_rebuilt: its results are made again here and compared with those that it came with.

    Raises NotFound, InvalidInput, ResourceError; IntegrityError for a bundle that is damaged or hostile.
    """
    root = Path(os.path.abspath(root))
    refuse_used(root)
    with being_written(root) as place:
        unpacked = place / ".bundle"
        unpacked.mkdir(exist_ok=True)
        manifest = unpack(bundle, unpacked, progress)
        settings = _arranged(place, unpacked, manifest)
        study = Study(place)
        try:
            settle(study)
            _images_home(study, manifest)
            has_key = (place / KEY_FILE).is_file()
            but = () if has_key else ("withdrawal.key",)
            checked = checked_whole(study, is_broken_accepted, progress, but)
            untrusted = analyses_here(study, all_sets=False)[1]
            again = rebuilt(study, progress) if is_rebuilt else None
        finally:
            dispose(study)
        take_place(place, root)
    return Imported(root, manifest, settings, checked, untrusted, has_key, again)


def _arranged(place: Path, unpacked: Path, manifest: Manifest) -> list[str]:
    """Put the files where a study has them. Gives what was changed in study.toml."""
    prefix = f"{STUDY}/"
    if not manifest.database.startswith(prefix) or not manifest.objects.startswith(prefix):
        raise IntegrityError("its study lies elsewhere", where="manifest.json", repair="Get the bundle again")
    refuse_database(unpacked / manifest.database, manifest.database)
    for path in list(place.iterdir()):  # of an import that was interrupted
        if path != unpacked:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for path in sorted((unpacked / STUDY).iterdir()):
        os.rename(path, place / path.name)
    for name in (SOURCES, CODE, ENVIRONMENT):
        if (unpacked / name).exists():
            (place / BUNDLE_FOLDER).mkdir(parents=True, exist_ok=True)
            os.rename(unpacked / name, place / BUNDLE_FOLDER / name)
    shutil.rmtree(unpacked)
    for key in (KEY_FILE, PATHS_KEY):
        if (place / key).is_file():
            os.chmod(place / key, 0o600)  # for nobody else
    settings = at_home(place, manifest.database.removeprefix(prefix), manifest.objects.removeprefix(prefix))
    refuse_settings(Study(place).settings)
    return settings


def _images_home(study: Study, manifest: Manifest) -> None:
    """Have the database name images that came from outside where they lie now."""
    moved: Mapping[str, str] = manifest.facts.get("images_bundled", {})
    names = {file.path for file in manifest.files}
    rows = [{"b_path": str(before), "b_now": f"{BUNDLE_FOLDER}/{now}"} for before, now in moved.items() if now in names]
    if rows:
        table = ImagingInstance.__table__
        with writing(study.engine) as connection:
            statement = update(table).where(table.c.path == bindparam("b_path")).values(path=bindparam("b_now"))
            connection.execute(statement, rows)
