"""tshdb ingest tcga-brca | ispy1 | breast-mri-nact-pilot: a whole collection, from a folder or from its archives.

Parts are ingested one after the other: clinical and RNA, then images, then masks. Each is an ingest of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.console import say
from cli.ingest_archive import Asked
from cli.options import JsonOption, StudyOption
from tshdb.vocabulary import ExpressionUnit

FromOption = Annotated[
    Path | None, typer.Option("--from", metavar="DIR", help="Take what lies in this folder; nothing is downloaded.")
]
OnlyOption = Annotated[
    str | None, typer.Option("--only", help="Only these, with commas: clinical, rna, imaging, segmentation.")
]
UnitOption = Annotated[
    list[ExpressionUnit] | None, typer.Option("--unit", help="Which values of the RNA files (tpm; may be repeated).")
]
JobsOption = Annotated[int, typer.Option("--jobs", "-j", min=1, max=64, help="Threads that read or fetch files.")]
CompleteOption = Annotated[
    bool, typer.Option("--complete", help="The folder is the whole truth: what it lacks is gone.")
]
KeepGoingOption = Annotated[bool, typer.Option("--keep-going", help="Load the good files and rows beside bad ones.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be fetched or loaded, and do neither.")]
CheckBytesOption = Annotated[
    bool, typer.Option("--check-bytes", help="Hash every RNA file again, also those that were not written since.")
]
GdcUrlOption = Annotated[
    str | None, typer.Option("--gdc-url", help="The GDC's API (default: study.toml, else the GDC).")
]
ArchiveOption = Annotated[str, typer.Option("--source", help="Where images come from: idc or nbia (TCIA).")]
ArchiveUrlOption = Annotated[str | None, typer.Option("--source-url", help="A mirror of it (default: study.toml).")]
IndexOption = Annotated[
    Path | None, typer.Option("--index", metavar="FILE", help="The IDC's index, if not the installed package's.")
]
ManifestOption = Annotated[
    Path | None, typer.Option("--manifest", metavar="FILE.tcia", help="Only the series of a TCIA manifest.")
]
PatientOption = Annotated[
    list[str] | None, typer.Option("--patient", help="Only this patient's images (may be repeated).")
]
FirstStudyOption = Annotated[bool, typer.Option("--first-study", help="Only each patient's first study of images.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Fetch more than a gigabyte without asking.")]

GDC_PARTS = frozenset({"clinical", "rna"})
IMAGE_PARTS = frozenset({"imaging", "segmentation"})


def add_to(app: typer.Typer) -> None:
    app.command("tcga-brca")(tcga_brca)
    app.command()(ispy1)
    app.command("breast-mri-nact-pilot")(breast_mri_nact_pilot)


def tcga_brca(
    folder: FromOption = None,
    only: OnlyOption = None,
    units: UnitOption = None,
    jobs: JobsOption = 2,
    complete: CompleteOption = False,
    keep_going: KeepGoingOption = False,
    dry_run: DryRunOption = False,
    gdc_url: GdcUrlOption = None,
    check_bytes: CheckBytesOption = False,
    source: ArchiveOption = "idc",
    source_url: ArchiveUrlOption = None,
    index: IndexOption = None,
    manifest: ManifestOption = None,
    patients: PatientOption = None,
    first_study: FirstStudyOption = False,
    yes: YesOption = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """TCGA-BRCA: clinical tables, STAR counts and notices of the GDC, images of TCIA, and masks.

    With --from, all that lies in a folder. Without, what is new of the GDC is downloaded into raw/; images, which are many
    gigabytes, only if --only names imaging or segmentation. --dry-run says the sizes.

    Example: tshdb ingest tcga-brca --only imaging --first-study --dry-run
    """
    asked = Asked(source, source_url, index, manifest, tuple(patients or ()), first_study, yes, jobs)
    options = {"complete": complete, "keep_going": keep_going, "dry_run": dry_run}
    gdc = {"units": tuple(units or (ExpressionUnit.TPM,)), "gdc_url": gdc_url, "check_bytes": check_bytes}
    _ingest("tcga-brca", GDC_PARTS, folder, only, asked, options, gdc, study, as_json)


def ispy1(
    folder: FromOption = None,
    only: OnlyOption = None,
    jobs: JobsOption = 2,
    complete: CompleteOption = False,
    keep_going: KeepGoingOption = False,
    dry_run: DryRunOption = False,
    source: ArchiveOption = "idc",
    source_url: ArchiveUrlOption = None,
    index: IndexOption = None,
    manifest: ManifestOption = None,
    patients: PatientOption = None,
    first_study: FirstStudyOption = False,
    yes: YesOption = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """I-SPY 1: TCIA's clinical and outcome workbook, images and masks.

    With --from, all that lies in a folder (or the workbook itself). TCIA has the workbook on a page of its own; images can
    be downloaded: --only imaging,segmentation.

    Example: tshdb ingest ispy1 --from ~/ispy1
    """
    asked = Asked(source, source_url, index, manifest, tuple(patients or ()), first_study, yes, jobs)
    options = {"complete": complete, "keep_going": keep_going, "dry_run": dry_run}
    _ingest("ispy1", frozenset({"clinical"}), folder, only, asked, options, {}, study, as_json)


def breast_mri_nact_pilot(
    folder: FromOption = None,
    only: OnlyOption = None,
    jobs: JobsOption = 2,
    complete: CompleteOption = False,
    keep_going: KeepGoingOption = False,
    dry_run: DryRunOption = False,
    source: ArchiveOption = "idc",
    source_url: ArchiveUrlOption = None,
    index: IndexOption = None,
    manifest: ManifestOption = None,
    patients: PatientOption = None,
    first_study: FirstStudyOption = False,
    yes: YesOption = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Breast-MRI-NACT-Pilot: TCIA's clinical and DFS workbook, images and masks.

    With --from, all that lies in a folder (or the workbook itself). TCIA has the workbook on a page of its own; images can
    be downloaded: --only imaging,segmentation.

    Example: tshdb ingest breast-mri-nact-pilot --only imaging,segmentation --first-study
    """
    asked = Asked(source, source_url, index, manifest, tuple(patients or ()), first_study, yes, jobs)
    options = {"complete": complete, "keep_going": keep_going, "dry_run": dry_run}
    _ingest("breast-mri-nact-pilot", frozenset({"clinical"}), folder, only, asked, options, {}, study, as_json)


Told = tuple[str, dict[str, Any], int]  # part, facts, exit code


def _ingest(
    name: str, tables: frozenset[str], folder: Path | None, only: str | None, asked: Asked, options: dict, gdc: dict,
    study: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """All parts that are asked for, up to one that is refused; ends with its exit code, or the worst of all.

    tables: the parts that are no images.
    """
    from cli.console import out_json
    from ingest.collections import COLLECTIONS
    from tshdb.errors import Exit
    from tshdb.study import Study

    opened, collection = Study.find(study), COLLECTIONS[name]
    wanted = _parts(only, tables)
    is_named = only is not None
    if folder is not None:
        parts = _from_folder(opened, collection, folder, wanted, is_named, asked, options, gdc, as_json)
    else:
        parts = _from_archives(opened, collection, wanted, is_named, asked, options, gdc, as_json)
    told: list[Told] = []
    for part in parts:
        told.append(part)
        if part[-1] == Exit.INVALID_INPUT:
            break  # what comes after may rest on it
    if as_json:
        facts: dict[str, Any] = {}
        for part, said, _ in told:
            facts |= {part: said} if part in IMAGE_PARTS else said
        out_json(facts)
    if code := max(code for *_, code in told):
        raise typer.Exit(code)


def _parts(only: str | None, tables: frozenset[str]) -> frozenset[str]:
    from tshdb.errors import UsageError

    known = tables | IMAGE_PARTS
    wanted = frozenset(part.strip() for part in only.split(",")) if only else known
    if unknown := wanted - known:
        raise UsageError(f"'{', '.join(sorted(unknown))}'", where="--only", repair=f"Parts: {', '.join(sorted(known))}")
    return wanted


def _from_folder(
    study, collection, folder: Path, wanted: frozenset[str], is_named: bool, asked: Asked, options: dict, gdc: dict,
    as_json: bool,
) -> Iterator[Told]:  # fmt: skip
    """What lies in a folder. What was not named with --only may be absent, if something else is there."""
    from cli import ingest_archive
    from tshdb.errors import NotFound

    if not folder.exists():
        raise NotFound(
            "no such folder", where=str(folder), repair="Name a folder with --from, or leave it out to download"
        )
    command = f"tshdb ingest {collection.name} --from {folder.name}"
    has_images = bool(wanted & IMAGE_PARTS) and folder.is_dir() and ingest_archive.has_images(folder)
    masks = ingest_archive.masks_of(folder) if "segmentation" in wanted and folder.is_dir() else []
    if tables := wanted - IMAGE_PARTS:
        try:
            yield _tables(study, collection, folder, tables, asked, options, gdc, command, as_json)
        except NotFound as error:
            if is_named or not (has_images or masks):
                raise
            say(f"{', '.join(sorted(tables))}: {error}")
    if "imaging" in wanted and is_named and not has_images:
        raise NotFound("no DICOM file in it", where=str(folder), repair="Name the folder with the images")
    if has_images:
        loaded = ingest_archive.load_images(study, collection, folder, asked, command, None, options)
        yield _told(study, "imaging", f"{collection.name}/imaging", command, loaded, options, as_json)
    if masks:
        loaded = ingest_archive.load_mask_files(study, collection, folder, masks, command, options)
        yield _told(study, "segmentation", f"{collection.name}/segmentation", command, loaded, options, as_json)


def _from_archives(
    study, collection, wanted: frozenset[str], is_named: bool, asked: Asked, options: dict, gdc: dict, as_json: bool
) -> Iterator[Told]:
    """What is new of the archives: the GDC's tables and files, and of images what is named."""
    from cli import ingest_archive, ingest_gdc
    from tshdb.errors import UsageError

    command = f"tshdb ingest {collection.name}"
    dry_run = options["dry_run"]
    if tables := wanted - IMAGE_PARTS:
        if collection.project is None:
            raise UsageError(
                f"{collection.name} cannot be fetched: TCIA has its workbook on a page of its own", where=command,
                repair="Fetch the workbook from the collection's page at TCIA and name its folder with --from; images: "
                "--only imaging,segmentation",
            )  # fmt: skip
        found = ingest_gdc.download(study, tables, gdc["gdc_url"], asked.jobs, dry_run, as_json)
        if dry_run:
            yield "clinical", found, 0
        else:
            from_raw = f"{command} --from {found.name}"
            yield _tables(study, collection, found, tables, asked, options, gdc, from_raw, as_json)
    if images := wanted & IMAGE_PARTS if is_named else frozenset():
        found = ingest_archive.download(study, collection, images, asked, dry_run, as_json)
        if dry_run:
            yield "imaging", found, 0
        else:
            folder, release = found
            loaded = ingest_archive.load_images(study, collection, folder, asked, command, release, options)
            yield _told(study, "imaging", f"{collection.name}/imaging", command, loaded, options, as_json)
    if not as_json:
        if dry_run:
            say("Dry run: nothing was fetched.")
        if not is_named:
            say(f"Images are not fetched unless they are named; their size: {command} --only imaging --dry-run")


def _tables(
    study, collection, folder: Path, parts, asked: Asked, options: dict, gdc: dict, command: str, as_json
) -> Told:
    if collection.project is None:
        from cli.ingest_workbook import load_workbook, only_workbook

        path = only_workbook(folder, collection.map_name)
        source, loaded = load_workbook(study, collection, path, command, **options)
        return _told(study, "clinical", str(source), command, loaded, options, as_json)
    from cli.ingest_gdc import load_gdc_folder

    loaded = load_gdc_folder(
        study, collection.name, folder, parts, gdc["units"], asked.jobs, command, check_bytes=gdc["check_bytes"],
        as_json=as_json, **options,
    )  # fmt: skip
    return _told(study, "clinical", collection.name, command, loaded, options, as_json)


def _told(study, part: str, what: str, command: str, loaded, options: dict, as_json: bool) -> Told:
    from cli.ingest_talk import exit_code, told

    return part, told(study, what, command, loaded, options["dry_run"], as_json), exit_code(loaded)
