"""The GDC's part of a collection: download what is new, read the folder, load."""

from __future__ import annotations

from pathlib import Path

from cli.console import say
from cli.ingest_talk import raise_failed
from tshdb.vocabulary import ExpressionUnit


def load_gdc_folder(
    study, collection: str, folder: Path, only: frozenset[str], units: tuple[ExpressionUnit, ...], jobs: int, command: str,
    *, complete: bool, keep_going: bool, dry_run: bool, check_bytes: bool, as_json: bool,
):  # fmt: skip
    """Look, read, compare, load; gives what was done."""
    from cli.console import progress
    from ingest.collections import COLLECTIONS
    from ingest.formats import Format
    from ingest.gdc import folder as gdc_folder
    from tshdb import loading

    options = gdc_folder.Options(
        collection, COLLECTIONS[collection].project, units, study.settings.ingest.her2_rule, only, jobs, check_bytes
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
    return loaded


def _tell_folder(contents) -> None:
    from ingest.formats import Format

    for format_, paths in sorted(contents.by_format.items()):
        if format_ not in (Format.UNKNOWN, Format.EMPTY, Format.IMAGE):
            shown = paths[0].name if len(paths) == 1 else f"{len(paths):,} files"
            say(f"  {format_.value:<20} {shown}")


def download(
    study, wanted: frozenset[str], gdc_url: str | None, jobs: int, dry_run: bool, as_json: bool
) -> Path | dict:
    """Fetch what is new into raw/tcga-brca; gives the folder, or after a dry run what there is."""
    from cli.console import byte_progress, size
    from ingest.collections import COLLECTIONS
    from ingest.gdc import api as gdc_api

    collection = COLLECTIONS["tcga-brca"]
    folder = study.root / "raw" / collection.name
    api = gdc_api.Gdc(folder, gdc_url or study.settings.ingest.gdc_url or gdc_api.URL)
    try:
        plan = api.plan(collection.project, wanted)
        if not (dry_run and as_json):
            news = "a new release" if plan.is_new_release else "the release of last time"
            say(f"GDC {plan.release} ({news}): {len(plan.missing):,} files to fetch, {size(plan.n_bytes)}; "
                f"{plan.n_present:,} are in {folder} already.")  # fmt: skip
        if dry_run:
            return {"release": plan.release, "files": len(plan.missing), "bytes": plan.n_bytes,
                    "present": plan.n_present, "folder": str(folder)}  # fmt: skip
        with byte_progress(plan.n_bytes, len(plan.missing)) as (arrived, done):
            failed = api.fetch(plan, jobs, lambda wanted, size: arrived(size), lambda wanted: done())
    finally:
        api.close()
    named = [(f"{wanted.path.parent.name}/{wanted.path.name}", error) for wanted, error in failed]
    raise_failed(named, f"of {len(plan.missing)} files", folder)
    return folder
