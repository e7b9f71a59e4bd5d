"""Write a study as one bundle."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, create_engine, select

from tshdb.backup.contents import Options
from tshdb.backup.copying import Copy, Progress, silent
from tshdb.backup.make import fill
from tshdb.backup.manifest import BUNDLE, NAME, ODD, File, Manifest, refuse_damaged
from tshdb.backup.restore import being_written, refuse_used
from tshdb.bundles.hostile import refuse_settings
from tshdb.errors import InvalidInput
from tshdb.failpoints import fp
from tshdb.files import sync
from tshdb.objects import is_file, sha256_of
from tshdb.places import plain_name
from tshdb.schema import ImagingInstance, Run, SourceFile, Spec

if TYPE_CHECKING:
    from tshdb.study import Study

STUDY, SOURCES, CODE, ENVIRONMENT = "study", "sources", "code", "environment.json"
INSIDE, BUNDLED, GONE, CHANGED, IMAGES, UNKNOWN = (
    "in the study",
    "bundled",
    "gone",
    "other bytes by now",
    "images, each by itself",
    "where it lies is not known here",
)
TAKEN = (INSIDE, BUNDLED, IMAGES)  # images that are not in it are named one by one
EPOCH = (1980, 1, 1, 0, 0, 0)  # of every file in a zip: the same study is the same bytes
MOST_PACKED = 100  # what would be packed tighter is stored as it is, so that nobody takes it for a bomb


@dataclass(frozen=True)
class Exported:
    """A bundle that is whole. sources: name, state and digest of each file that was read."""

    path: Path
    manifest: Manifest

    @property
    def sources(self) -> list[dict[str, str]]:
        return self.manifest.facts["sources"]

    @property
    def facts(self) -> dict[str, Any]:
        """Plain values, as `tshdb export study --json` prints them."""
        return {
            "bundle": str(self.path),
            "study": self.manifest.study,
            "files": len(self.manifest.files),
            "bytes": self.manifest.size,
            "sources": self.sources,
            "images": {k: v for k, v in self.manifest.facts.items() if k.startswith("images_")},
            "left_out": self.manifest.left_out,
        }


def export_study(study: Study, target: Path, *, has_key: bool = False, progress: Progress = silent) -> Exported:
    """Write a study to a new folder, or to a file whose name ends in .zip. has_key: with the key of withdrawals.

    Raises InvalidInput for what is there already, or a study that reads files from outside; else as `backup`.
    """
    target = Path(os.path.abspath(target))
    is_packed = target.suffix == ".zip"
    if is_packed and target.exists():
        raise InvalidInput("is there already", where=str(target), repair="Name a new file")
    root = study.root.resolve()
    if target.resolve() == root or root in target.resolve().parents:
        raise InvalidInput("lies in the study", where=str(target), repair="Name a place elsewhere")
    folder = target.with_name(f"{target.name}.folder") if is_packed else target
    refuse_used(folder)
    refuse_settings(study.settings)
    with being_written(folder) as writing:
        manifest = _written(study, writing, has_key, progress)
        fp("bundle.written")
        if is_packed:
            packed = target.with_name(f".{target.name}.writing")
            _pack(writing, manifest, packed)
            os.replace(packed, target)
            shutil.rmtree(writing)
        else:
            if folder.is_dir():
                folder.rmdir()
            os.rename(writing, folder)
        sync(target.parent)
    return Exported(target, manifest)


def _written(study: Study, writing: Path, has_key: bool, progress: Progress) -> Manifest:
    """Fill a folder with the bundle, verified; the manifest comes last."""
    (writing / STUDY).mkdir(exist_ok=True)
    of_study = Copy(writing / STUDY)
    manifest = fill(study, of_study, BUNDLE, Options(has_key=has_key), progress)
    of_study.only()
    beside = Copy(writing)
    engine = create_engine(f"sqlite:///{writing / STUDY / manifest.database}")
    try:
        with engine.connect() as connection:
            facts = _sources(study, connection, beside) | _images(study, connection, beside)
            for name, text in _texts(connection):
                path = writing / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
                sync(path)
                beside.made(name)
    finally:
        engine.dispose()
    files = [replace(file, path=f"{STUDY}/{file.path}") for file in manifest.files]
    whole = replace(
        manifest, files=tuple(sorted([*files, *beside.files.values()])), facts=facts, root="",
        database=f"{STUDY}/{manifest.database}", objects=f"{STUDY}/{manifest.objects}",
    )  # fmt: skip
    _remove_others(writing, whole.files)
    refuse_damaged(writing, whole)
    with (writing / NAME).open("w", encoding="utf-8") as file:
        file.write(whole.text())
        file.flush()
        os.fsync(file.fileno())
    beside.settle()
    return whole


def _remove_others(writing: Path, files: Sequence[File]) -> None:
    """Take away what an interrupted export has left in the folder."""
    wanted = {file.path for file in files}
    for path in sorted(writing.rglob("*"), reverse=True):
        if path.is_symlink() or (path.is_file() and path.relative_to(writing).as_posix() not in wanted):
            path.unlink()


# ------------------------------------------------------------------------------------------------ what was read


def _sources(study: Study, connection: Connection, beside: Copy) -> dict[str, Any]:
    """Every file that was read: whether it is in the bundle, and why not."""
    found = []
    columns = (SourceFile.collection, SourceFile.reader, SourceFile.name, SourceFile.path, SourceFile.sha256)
    for row in connection.execute(select(*columns).where(SourceFile.is_current).order_by(SourceFile.source_file_id)):
        state = _bundled(study, row.path, row.sha256, beside)
        found.append({"source": f"{row.collection}/{row.reader}/{row.name}", "sha256": row.sha256, "state": state})
    return {"sources": found}


def _bundled(study: Study, stored: str, sha256: str, beside: Copy) -> str:
    """Put a file that was read into the bundle, if it lies outside of the study and is the one that was read."""
    place = study.paths.at(stored)
    if not study.paths.knows(stored):
        return UNKNOWN
    if place.is_dir():
        return IMAGES
    if study.root.resolve() in place.resolve().parents:
        return INSIDE if place.exists() else GONE
    if not is_file(place):
        return GONE
    if sha256_of(place) != sha256:
        return CHANGED
    beside.add(f"{SOURCES}/{sha256}/{_plain(study.paths.said(place))}", place, sha256)
    return BUNDLED


def _images(study: Study, connection: Connection, beside: Copy) -> dict[str, Any]:
    """Images outside of the study's folder: in the bundle, with the path by which the database has each."""
    moved, lost = {}, []
    columns = (ImagingInstance.path, ImagingInstance.sha256)
    for path, sha256 in connection.execute(select(*columns).distinct().order_by(ImagingInstance.path)):
        place = study.paths.at(path)
        if study.root.resolve() in place.resolve().parents:
            continue
        if not is_file(place) or sha256_of(place) != sha256:
            lost.append(path)
            continue
        name = f"{SOURCES}/{sha256}/{_plain(study.paths.said(place))}"
        beside.add(name, place, sha256)
        moved[path] = name
    return {"images_bundled": moved, "images_lost": lost}


def _plain(name: str) -> str:
    return ODD.sub("_", name).replace(":", "_")[-120:]


# --------------------------------------------------------------------------------------------------- texts to be read


def _texts(connection: Connection) -> Iterator[tuple[str, str]]:
    """(name, text) of the code of every spec, and of the environment of every run."""
    for analysis, code, sources in connection.execute(
        select(Spec.analysis, Spec.code_fingerprint, Spec.sources).order_by(Spec.spec_id)
    ):
        statements = sorted(json.loads(sources).items())
        text = "\n\n".join(f"# {name}\n{source.rstrip()}\n" for name, source in statements)
        yield f"{CODE}/{plain_name(f'{analysis}-{code[:12]}', 'specs')}.py", text
    columns = (Run.run_id, Run.started_at, Run.program_version, Run.libraries)
    runs = [
        {"run_id": run, "started_at": started, "program": program, "libraries": json.loads(libraries)}
        for run, started, program, libraries in connection.execute(select(*columns).order_by(Run.run_id))
    ]
    pythons = sorted(set(connection.execute(select(Spec.python_version)).scalars()))
    yield ENVIRONMENT, json.dumps({"python": pythons, "runs": runs}, indent=1) + "\n"


# -------------------------------------------------------------------------------------------------------------- zip


def _pack(folder: Path, manifest: Manifest, target: Path) -> None:
    with zipfile.ZipFile(target, "w", allowZip64=True) as archive:
        for name in (NAME, *(file.path for file in manifest.files)):
            _add(archive, name, (folder / name))
    sync(target)


def _add(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    """Add a file, packed; one that packs too well as it is."""
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
        info = zipfile.ZipInfo(name, EPOCH)
        info.compress_type, info.external_attr = method, 0o100644 << 16
        info.file_size = path.stat().st_size
        if method == zipfile.ZIP_DEFLATED and not _packs_plainly(path):
            continue
        with path.open("rb") as read, archive.open(info, "w", force_zip64=True) as file:
            shutil.copyfileobj(read, file, 1 << 20)
        return


def _packs_plainly(path: Path) -> bool:
    """Whether no stretch of a file packs so tightly that a reader would refuse it."""
    import zlib

    packer, packed = zlib.compressobj(6), 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            packed += len(packer.compress(block))
    packed += len(packer.flush())
    return path.stat().st_size <= MOST_PACKED * max(packed, 1)
