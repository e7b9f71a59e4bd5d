"""The collections that can be ingested by name, and what each is: their folders, and their archives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tshdb.archives import Collection, Download, Images
from tshdb.errors import UsageError
from tshdb.folders import CollectionState, FolderRequest, Look

if TYPE_CHECKING:
    from tshdb.loading import Item

MODALITIES = {"imaging": {"MR"}, "segmentation": {"SEG"}}


def _gdc_folder(project: str) -> Callable[[Path, FolderRequest, CollectionState], AbstractContextManager[Look]]:
    @contextmanager
    def look(root: Path, request: FolderRequest, standing: CollectionState) -> Iterator[Look]:
        from ingest.gdc import folder

        options = folder.GdcFolderOptions(
            request.collection, project, request.units, request.settings.ingest.her2_rule, request.parts, request.jobs,
            request.check_bytes, request.settings.vocabulary.added, request.as_of,
        )  # fmt: skip
        yield folder.look_of(folder.look(root, options), options, standing.sources)

    return look


def _workbook(map_name: str) -> Callable[[Path, FolderRequest, CollectionState], AbstractContextManager[Look]]:
    """The one workbook of a folder that the map of that name fits."""

    @contextmanager
    def look(root: Path, request: FolderRequest, standing: CollectionState) -> Iterator[Look]:
        from ingest.tables import mapped, maps
        from tshdb.loading import Source, item_beside

        map_ = maps.bundled_map(map_name)
        path = mapped.only_workbook(root, map_)
        source = Source(request.collection, mapped.READER.name, path.name)
        options: dict[str, Any] = {"map": maps.as_recorded(map_)}
        if request.settings.vocabulary.added:
            options["vocabulary"] = request.settings.vocabulary.added
        if request.as_of is not None:
            options["as_of"] = request.as_of

        def items() -> Iterator[Item]:
            state = None if request.complete else standing.sources.get(source)
            yield item_beside(state, source, path, options, lambda: mapped.read(path, request.collection, map_))

        yield Look(items, what=str(source))

    return look


def _plan_gdc(project: str, folder: Path, parts: frozenset[str], url: str | None) -> Download:
    from ingest.gdc.api import URL, Gdc

    api = Gdc(folder, url or URL)
    try:
        plan = api.plan(project, parts)
    finally:
        api.close()

    def run(jobs, arrived, done):
        api = Gdc(folder, url or URL)
        try:
            failed = api.fetch(plan, jobs, lambda _, n: arrived(n), lambda _: done())
        finally:
            api.close()
        return [(f"{wanted.path.parent.name}/{wanted.path.name}", error) for wanted, error in failed]

    n = len(plan.missing)
    return Download(
        folder, plan.release, "files", n, n, plan.n_bytes, plan.n_present, run, is_new_release=plan.is_new_release
    )


def _plan_images(collection: str, idc_id: str, tcia_name: str, folder: Path, images: Images) -> Download:
    from ingest.imaging import archive as remote

    def opened():
        if images.archive == "idc":
            from ingest.imaging.idc import URL, Idc, index_of

            return Idc(collection, idc_id, index_of(images.index), images.url or URL)
        if images.archive == "nbia":
            from ingest.imaging.nbia import Nbia

            return Nbia(collection, tcia_name, *filter(None, [images.url]))
        raise UsageError(f"'{images.archive}'", where="--source", repair="Use idc or nbia")

    selection = remote.Selection(
        frozenset().union(*(MODALITIES[part] for part in images.parts)), frozenset(images.patients) or None,
        remote.read_manifest(images.manifest) if images.manifest else None, images.is_first_study,
    )  # fmt: skip
    archive = opened()
    try:
        plan = remote.plan(archive, folder, selection)
    finally:
        archive.http.close()

    def run(jobs, arrived, done):
        archive = opened()
        try:
            failed = list(remote.fetch(archive, plan, jobs, lambda _, n: arrived(n), lambda _: done()))
        finally:
            archive.http.close()
        return [(f"{s.patient_id} {s.description or s.series_uid}", error) for s, error in failed]

    return Download(
        folder, plan.release.name, "series", len(plan.missing), plan.n_files, plan.n_bytes, plan.n_present, run,
        n_patients=plan.n_patients, n_studies=plan.n_studies, is_large=True, state=plan.release,
    )  # fmt: skip


def _of_images(name: str, idc_id: str, tcia_name: str) -> Callable[[Path, Images], Download]:
    return partial(_plan_images, name, idc_id, tcia_name)


COLLECTIONS: tuple[Collection, ...] = (
    Collection(
        name="tcga-brca",
        title="TCGA-BRCA: RNA, clinical data and notices of the GDC; images of TCIA",
        tables=frozenset({"clinical", "rna"}),
        look=_gdc_folder("TCGA-BRCA"),
        plan_images=_of_images("tcga-brca", "tcga_brca", "TCGA-BRCA"),
        plan_tables=partial(_plan_gdc, "TCGA-BRCA"),
    ),
    Collection(
        name="ispy1",
        title="I-SPY 1 (ACRIN 6657): TCIA's clinical and outcome workbook, and images",
        tables=frozenset({"clinical"}),
        look=_workbook("ispy1"),
        plan_images=_of_images("ispy1", "ispy1", "ISPY1"),
    ),
    Collection(
        name="breast-mri-nact-pilot",
        title="Breast-MRI-NACT-Pilot: TCIA's clinical and DFS workbook, and images",
        tables=frozenset({"clinical"}),
        look=_workbook("breast-mri-nact-pilot"),
        plan_images=_of_images("breast-mri-nact-pilot", "breast_mri_nact_pilot", "Breast-MRI-NACT-Pilot"),
    ),
)
