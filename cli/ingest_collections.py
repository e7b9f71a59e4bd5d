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
GdcUrlOption = Annotated[str | None, typer.Option("--gdc-url", help="The GDC's API (default: study.toml, else the GDC).")]

PARTS = ("clinical", "rna")


def add_to(app: typer.Typer) -> None:
    app.command("tcga-brca")(tcga_brca)


def tcga_brca(
    folder: FromOption = None,
    only: OnlyOption = None,
    units: UnitOption = None,
    jobs: JobsOption = 2,
    complete: CompleteOption = False,
    keep_going: KeepGoingOption = False,
    dry_run: DryRunOption = False,
    gdc_url: GdcUrlOption = None,
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
        complete=complete, keep_going=keep_going, dry_run=dry_run, as_json=as_json,
    )  # fmt: skip


def _parts(only: str | None) -> frozenset[str]:
    from tshdb.errors import UsageError

    wanted = frozenset(part.strip() for part in only.split(",")) if only else frozenset(PARTS)
    if unknown := wanted - set(PARTS):
        raise UsageError(f"'{', '.join(sorted(unknown))}'", where="--only", repair=f"Parts: {', '.join(PARTS)}")
    return wanted


def ingest_gdc_folder(
    study, collection: str, folder: Path, only: frozenset[str], units: tuple[ExpressionUnit, ...], jobs: int,
    *, complete: bool, keep_going: bool, dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    """Look, read, compare, load, tell."""
    from cli.console import progress
    from cli.ingest_talk import finish
    from ingest import gdc_folder
    from ingest.collections import COLLECTIONS
    from ingest.formats import Format
    from tshdb import loading

    options = gdc_folder.Options(
        collection, COLLECTIONS[collection].project, units, study.settings.ingest.her2_rule, only, jobs
    )
    contents = gdc_folder.look(folder, options)
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
            command=f"tshdb ingest {collection} --from {folder.name}",
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
    finish(study, collection, loaded, dry_run, as_json)


def _tell_folder(contents) -> None:
    from ingest.formats import Format

    for format_, paths in sorted(contents.by_format.items()):
        if format_ is not Format.UNKNOWN:
            shown = paths[0].name if len(paths) == 1 else f"{len(paths):,} files"
            say(f"  {format_.value:<20} {shown}")


def _download(study, wanted: frozenset[str], gdc_url: str | None, jobs: int, dry_run: bool, as_json: bool) -> Path | None:
    raise NotImplementedError
