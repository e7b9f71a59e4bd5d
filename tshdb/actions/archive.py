"""Fetch what is new of a collection's archives: first what there is, with its size; then the files."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tshdb import installed
from tshdb.archives import Arrived, Done, Download, Failed, Images, size
from tshdb.errors import ResourceError, UsageError

if TYPE_CHECKING:
    from tshdb.study import Study

ASK_ABOVE = 1_000_000_000  # bytes that are not fetched unless somebody is sure
MR = Images()  # of all patients, of the IDC
SPARE = 1_000_000_000  # bytes that are left free on the disk


class Unfetched(ResourceError):
    """Some files did not arrive; what did is kept. failed: their names, each with its error."""

    def __init__(self, failed: Failed, download: Download):
        super().__init__(
            f"{len(failed)} of {download.n_missing} {download.counts} could not be fetched", where=str(download.folder),
            repair="Run the same command again: what has arrived is kept. To load it as it is, name the folder with --from",
        )  # fmt: skip
        self.failed = failed


def plan_tables(study: Study, name: str, parts: frozenset[str], *, url: str | None = None) -> Download:
    """What is new of a collection's tables and matrices. parts: clinical, rna; url: of the archive's API.

    Raises UsageError for a collection whose tables no archive gives as files, ResourceError without a network.
    """
    collection = installed.collection(name)
    if collection.plan_tables is None:
        raise UsageError(
            f"{name} cannot be fetched: TCIA has its workbook on a page of its own", where=f"tshdb ingest {name}",
            repair="Fetch the workbook from the collection's page at TCIA and name its folder with --from; images: "
            "--only imaging,segmentation",
        )  # fmt: skip
    return collection.plan_tables(study.root / "raw" / name, parts, url or study.settings.ingest.gdc_url)


def plan_images(study: Study, name: str, wanted: Images = MR) -> Download:
    """What is new of a collection's images. Raises NotFound where none is selected, UsageError for an unknown archive."""
    settings = study.settings.imaging
    urls = {"idc": settings.idc_url, "nbia": settings.nbia_url}
    wanted = replace(wanted, url=wanted.url or urls.get(wanted.archive))
    return installed.collection(name).plan_images(study.root / "raw" / name / "images", wanted)


def fetch(
    download: Download,
    *,
    jobs: int = 2,
    is_sure: bool = False,
    arrived: Arrived = lambda n_bytes: None,
    done: Done = lambda: None,
) -> Path:
    """Fetch what is missing; gives the folder. jobs: threads; arrived, done: called with bytes, and after each file or series.

    Raises ResourceError where the disk is too small, UsageError for more than a gigabyte of images unless somebody is sure,
    Unfetched for what did not arrive.
    """
    if download.is_large:
        _refuse_surprises(download, is_sure)
    failed = download.run(jobs, arrived, done)
    if failed:
        raise Unfetched(failed, download)
    return download.folder


def _refuse_surprises(download: Download, is_sure: bool) -> None:
    """More than the disk holds, or much more than anybody expects."""
    place = download.folder
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if download.n_bytes + SPARE > free:
        raise ResourceError(
            f"{size(download.n_bytes)} do not fit: {size(free)} are free", where=str(download.folder),
            repair="Free some space, or ask for less: --first-study, --patient ID",
        )  # fmt: skip
    if download.n_bytes > ASK_ABOVE and not is_sure:
        raise UsageError(
            f"{size(download.n_bytes)} are to be fetched", where=str(download.folder),
            repair="Say --yes, or ask for less: --first-study, --patient ID",
        )  # fmt: skip
