"""tshdb ingest tcga-brca | ispy1 | breast-mri-nact-pilot: a whole collection, from a folder or from its archive."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.console import say
from cli.options import JsonOption, StudyOption
from tshdb.vocabulary import ExpressionUnit

FromOption = Annotated[
    Path | None, typer.Option("--from", metavar="DIR", help="Take what lies in this folder; nothing is downloaded.")
]
OnlyOption = Annotated[str | None, typer.Option("--only", help="Only these, with commas: clinical, rna.")]
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

PARTS = ("clinical", "rna")


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
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """TCGA-BRCA as the GDC publishes it: clinical tables, STAR counts, notices.

    With --from, a folder of the GDC client or of files from the portal. Without, what is new is downloaded into raw/.

    Example: tshdb ingest tcga-brca --from ~/gdc --dry-run
    """
    from tshdb.study import Study

    opened = Study.find(study)
    wanted = _parts(only)
    if folder is None:
        folder = _download(opened, wanted, gdc_url, jobs, dry_run, as_json)
        if folder is None:
            return
    ingest_gdc_folder(
        opened, "tcga-brca", folder, wanted, tuple(units or (ExpressionUnit.TPM,)), jobs,
        complete=complete, keep_going=keep_going, dry_run=dry_run, check_bytes=check_bytes, as_json=as_json,
    )  # fmt: skip


def _parts(only: str | None) -> frozenset[str]:
    from tshdb.errors import UsageError

    wanted = frozenset(part.strip() for part in only.split(",")) if only else frozenset(PARTS)
    if unknown := wanted - set(PARTS):
        raise UsageError(f"'{', '.join(sorted(unknown))}'", where="--only", repair=f"Parts: {', '.join(PARTS)}")
    return wanted


def ingest_gdc_folder(
    study, collection: str, folder: Path, only: frozenset[str], units: tuple[ExpressionUnit, ...], jobs: int,
    *, complete: bool, keep_going: bool, dry_run: bool, check_bytes: bool, as_json: bool,
) -> None:  # fmt: skip
    """Look, read, compare, load, tell."""
    from cli.console import progress
    from cli.ingest_talk import finish
    from ingest import gdc_folder
    from ingest.collections import COLLECTIONS
    from ingest.formats import Format
    from tshdb import loading

    options = gdc_folder.Options(
        collection, COLLECTIONS[collection].project, units, study.settings.ingest.her2_rule, only, jobs, check_bytes
    )
    contents = gdc_folder.look(folder, options)
    command = f"tshdb ingest {collection} --from {folder.name}"
    total = len(contents.of(Format.EXPRESSION)) if "rna" in only else 0
    with progress() as show:
        done = 0

        def taken(item) -> None:
            nonlocal done
            if item.source.reader == Format.EXPRESSION:
                done += 1
                show("rna files", done, total)

        loaded = loading.load(
            study,
            gdc_folder.items(contents, options, loading.current_files(study, collection)),
            command=command,
            complete=complete,
            keep_going=keep_going,
            dry_run=dry_run,
            findings=contents.findings,
            release=contents.release,
            together=True,
            progress=taken,
        )
    if not as_json:
        _tell_folder(contents)
    finish(study, collection, command, loaded, dry_run, as_json)


def _tell_folder(contents) -> None:
    from ingest.formats import Format

    for format_, paths in sorted(contents.by_format.items()):
        if format_ not in (Format.UNKNOWN, Format.EMPTY):
            shown = paths[0].name if len(paths) == 1 else f"{len(paths):,} files"
            say(f"  {format_.value:<20} {shown}")


def _download(
    study, wanted: frozenset[str], gdc_url: str | None, jobs: int, dry_run: bool, as_json: bool
) -> Path | None:
    """Fetch what is new into raw/tcga-brca. None after a dry run, which only says what there is."""
    from cli.console import byte_progress, out_json
    from ingest import gdc_api
    from ingest.collections import COLLECTIONS

    collection = COLLECTIONS["tcga-brca"]
    folder = study.root / "raw" / collection.name
    api = gdc_api.Gdc(folder, gdc_url or study.settings.ingest.gdc_url or gdc_api.URL)
    try:
        plan = api.plan(collection.project, wanted)
        if dry_run and as_json:
            out_json({"release": plan.release, "files": len(plan.missing), "bytes": plan.n_bytes,
                      "present": plan.n_present, "folder": str(folder)})  # fmt: skip
            return None
        news = "a new release" if plan.is_new_release else "the release of last time"
        say(f"GDC {plan.release} ({news}): {len(plan.missing):,} files to fetch, {_size(plan.n_bytes)}; "
            f"{plan.n_present:,} are in {folder} already.")  # fmt: skip
        if dry_run:
            say("Dry run: nothing was fetched.")
            return None
        with byte_progress(plan.n_bytes, len(plan.missing)) as (arrived, done):
            failed = api.fetch(plan, jobs, lambda wanted, size: arrived(size), lambda wanted: done())
    finally:
        api.close()
    for each, error in failed:
        say(f"  E download.failed {each.path.parent.name}/{each.path.name}: {error}")
    if failed:
        from tshdb.errors import ResourceError

        raise ResourceError(
            f"{len(failed)} of {len(plan.missing)} files could not be fetched",
            where=str(folder),
            repair="Run the same command again: what has arrived is kept. To load it as it is, name the folder with --from",
        )
    return folder


def _size(n_bytes: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= size:
            return f"{n_bytes / size:.1f} {unit}"
    return f"{n_bytes} bytes"


def ispy1(
    folder: FromOption = None,
    complete: CompleteOption = False,
    keep_going: KeepGoingOption = False,
    dry_run: DryRunOption = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """I-SPY 1: TCIA's clinical and outcome workbook (a folder that holds it, or the file itself).

    Example: tshdb ingest ispy1 --from ~/ispy1
    """
    _workbook("ispy1", folder, complete, keep_going, dry_run, study, as_json)


def breast_mri_nact_pilot(
    folder: FromOption = None,
    complete: CompleteOption = False,
    keep_going: KeepGoingOption = False,
    dry_run: DryRunOption = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Breast-MRI-NACT-Pilot: TCIA's clinical and DFS workbook (a folder that holds it, or the file itself).

    Example: tshdb ingest breast-mri-nact-pilot --from ~/nact
    """
    _workbook("breast-mri-nact-pilot", folder, complete, keep_going, dry_run, study, as_json)


def _workbook(name: str, folder: Path | None, complete, keep_going, dry_run, study, as_json) -> None:
    from cli.ingest_talk import finish
    from ingest import mapped, maps
    from ingest.collections import COLLECTIONS
    from tshdb import loading
    from tshdb.errors import UsageError
    from tshdb.study import Study

    opened = Study.find(study)
    if folder is None:
        raise UsageError(
            f"{name} cannot be fetched: TCIA has its workbook on a page of its own", where=f"tshdb ingest {name}",
            repair="Fetch the workbook from the collection's page at TCIA and name its folder with --from",
        )  # fmt: skip
    map_ = maps.bundled_map(COLLECTIONS[name].map_name)
    path = _only_workbook(folder, map_)
    source = loading.Source(name, "workbook", path.name)
    options = {"map": map_.model_dump(mode="json")}
    item = loading.item_of(opened, source, path, options, lambda: mapped.read(path, name, map_), always=complete)
    command = f"tshdb ingest {name} --from {folder.name}"
    loaded = loading.load(opened, [item], command=command, complete=complete, keep_going=keep_going, dry_run=dry_run)
    finish(opened, str(source), command, loaded, dry_run, as_json)


def _only_workbook(folder: Path, map_) -> Path:
    """The one workbook of a folder that has the map's patients, or the file that was named."""
    from ingest.workbook import read_sheets
    from tshdb.errors import InvalidInput, NotFound, TshdbError
    from tshdb.reading import Reading

    if folder.is_file():
        return folder
    if not folder.is_dir():
        raise NotFound("no such folder", where=str(folder))
    found, others = [], []
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".xlsx", ".xls") and p.name[:2] != "~$"):
        try:
            sheets = read_sheets(path, Reading())
        except TshdbError as error:
            others.append(str(error))
            continue
        has = any(s.column(map_.patient_id.names) is not None for s in sheets)
        (found if has else others).append(path)
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} workbooks with {map_.patient_id.names[0]}" if found else "no workbook with the patients"
    raise (InvalidInput if found else NotFound)(
        what, where=str(folder), repair="Name the file itself with --from" if found else "Expected an .xlsx or .xls"
    )
