"""The images of a collection: the plan with its sizes, the download, and masks that lie in the same folder."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli.console import say
from cli.ingest_imaging import load_dicom_folder, load_masks
from cli.ingest_talk import raise_failed

if TYPE_CHECKING:
    from ingest.imaging.archive import Plan

ASK_ABOVE = 1_000_000_000  # bytes that are not fetched without --yes
MODALITIES = {"imaging": {"MR"}, "segmentation": {"SEG"}}
SHEET = "segmentations.csv"
SPARE = 1_000_000_000  # bytes that are left free on the disk


@dataclass(frozen=True)
class Asked:
    """What of an archive's images, and how. archive: idc or nbia; url: of a mirror; is_sure: --yes."""

    archive: str = "idc"
    url: str | None = None
    index: Path | None = None
    manifest: Path | None = None
    patients: tuple[str, ...] = ()
    is_first_study: bool = False
    is_sure: bool = False
    jobs: int = 2


def download(study, collection, parts: frozenset[str], asked: Asked, dry_run: bool, as_json: bool):
    """Fetch the images that are not there; gives (folder, release), or after a dry run what there is."""
    from ingest.imaging import archive as images

    folder = study.root / "raw" / collection.name / "images"
    modalities = frozenset().union(*(MODALITIES[part] for part in parts & MODALITIES.keys()))
    selection = images.Selection(
        modalities, frozenset(asked.patients) or None,
        images.read_manifest(asked.manifest) if asked.manifest else None, asked.is_first_study,
    )  # fmt: skip
    archive = _archive(study, collection, asked)
    try:
        plan = images.plan(archive, folder, selection)
        if not (dry_run and as_json):
            _tell(plan, asked)
        if dry_run:
            return {"release": plan.release.name, "series": len(plan.missing), "files": plan.n_files,
                    "bytes": plan.n_bytes, "present": plan.n_present, "patients": plan.n_patients,
                    "studies": plan.n_studies, "folder": str(folder)}  # fmt: skip
        _refuse_surprises(plan, asked)
        failed = _fetch(images, archive, plan, asked)
    finally:
        archive.http.close()
    named = [(f"{s.patient_id} {s.description or s.series_uid}", error) for s, error in failed]
    raise_failed(named, f"of {len(plan.missing)} series", folder)
    return folder, plan.release


def _archive(study, collection, asked: Asked):
    from ingest.imaging.idc import URL, Idc, index_of
    from ingest.imaging.nbia import Nbia
    from tshdb.errors import UsageError

    settings = study.settings.imaging
    if asked.archive == "idc":
        url = asked.url or settings.idc_url or URL
        return Idc(collection.name, collection.idc_id, index_of(asked.index), url)
    if asked.archive == "nbia":
        return Nbia(collection.name, collection.tcia_name, *filter(None, [asked.url or settings.nbia_url]))
    raise UsageError(f"'{asked.archive}'", where="--source", repair="Use idc or nbia")


def _tell(plan: Plan, asked: Asked) -> None:
    from cli.console import size

    there = f"; {plan.n_present:,} are in {plan.folder} already" if plan.n_present else ""
    say(f"{plan.release.name}: {len(plan.missing):,} series of {plan.n_patients:,} patients ({plan.n_studies:,} studies) to "
        f"fetch, {plan.n_files:,} files, {size(plan.n_bytes)}{there}.")  # fmt: skip
    if plan.n_studies > plan.n_patients and not asked.is_first_study:
        say(
            "Only each patient's first study: --first-study. Some patients: --patient ID, or a manifest of TCIA: --manifest."
        )


def _refuse_surprises(plan: Plan, asked: Asked) -> None:
    """More than the disk holds, or much more than anybody expects."""
    from cli.console import size
    from tshdb.errors import ResourceError, UsageError

    place = plan.folder
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if plan.n_bytes + SPARE > free:
        raise ResourceError(
            f"{size(plan.n_bytes)} do not fit: {size(free)} are free", where=str(plan.folder),
            repair="Free some space, or ask for less: --first-study, --patient ID",
        )  # fmt: skip
    if plan.n_bytes > ASK_ABOVE and not asked.is_sure:
        raise UsageError(
            f"{size(plan.n_bytes)} are to be fetched", where=str(plan.folder),
            repair="Say --yes, or ask for less: --first-study, --patient ID",
        )  # fmt: skip


def _fetch(images, archive, plan: Plan, asked: Asked) -> list:
    from cli.console import byte_progress

    with byte_progress(plan.n_bytes, len(plan.missing), "series") as (arrived, done):
        return list(
            images.fetch(archive, plan, asked.jobs, lambda _wanted, n: arrived(n), lambda _series: done())
        )  # fmt: skip


# ------------------------------------------------------------------------------------------------- loading


def has_images(folder: Path) -> bool:
    """Whether a DICOM file lies anywhere below the folder."""
    from ingest.formats import is_dicom

    return any(is_dicom(Path(place, name)) for place, _, names in os.walk(folder) for name in names)


def load_images(study, collection, folder: Path, asked: Asked, command: str, release, options: dict):
    """Headers of a folder's DICOM files."""
    return load_dicom_folder(
        study, folder, collection.name, asked.jobs, command, tells_of_masks=False, release=release, **options
    )


def masks_of(folder: Path) -> list[Path]:
    """Masks in files of their own, anywhere below the folder."""
    from ingest.imaging import mask_files

    return mask_files.files_of(folder, may_be_none=True)


def load_mask_files(study, collection, folder: Path, files: list[Path], command: str, options: dict):
    """Masks of a folder; segmentations.csv anywhere in it says whose they are and who drew them."""
    from ingest.imaging import mask_files

    sheet: dict = {}
    for path in sorted(folder.rglob(SHEET)):
        sheet |= mask_files.read_sheet(path)
    return load_masks(study, files, mask_files.Options(collection.name, sheet=sheet), command, **options)
