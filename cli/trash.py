"""tshdb gc: what nobody needs any more goes to the trash, and the trash is emptied on request."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from cli.console import count, out, out_json, say
from cli.options import JsonOption, StudyOption

SHOWN = 20


def add_to(app: typer.Typer) -> None:
    app.command()(gc)


def gc(
    is_dry: Annotated[bool, typer.Option("--dry-run", help="List it; move and remove nothing.")] = False,
    is_emptied: Annotated[
        bool, typer.Option("--empty-trash", help="Remove what lies in the trash, and nothing else.")
    ] = False,
    older_than: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="DAYS",
            help="Work in progress, pages and drawings that were not written for so long (default 30); with --empty-trash, what "
            "has lain in the trash for so long (default: all).",
        ),
    ] = None,  # fmt: skip
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Move what nobody needs to trash/ in the study: objects that no row names, leftovers, old pages and drawings.

    Only names that tshdb gives, in places of its own; links are never followed. To have a file back, move it to where
    trash/…/manifest.json says that it lay.

    Example: tshdb gc --dry-run
    """
    from tshdb.actions import cleaning
    from tshdb.study import Study

    opened = Study.find(study)
    days = None if older_than is None else timedelta(days=older_than)
    if is_emptied:
        _empty(opened, days, is_dry, as_json)
        return
    wanted = timedelta(days=cleaning.DAYS) if days is None else days
    done = cleaning.find(opened, wanted) if is_dry else cleaning.clean(opened, wanted)
    if as_json:
        out_json(done.facts | {"dry_run": is_dry})
        return
    _list([(g.path, g.why) for g in done.garbage])
    if done.waits:
        say(f"Objects and work in progress were left alone: {done.waits}.")
    size = f"{done.facts['bytes'] / 1e6:,.1f} MB"
    if is_dry:
        say(f"{count(len(done.garbage), 'file')}, {size}, would go to the trash. Nothing was moved.")
    elif done.garbage:
        out(f"{count(len(done.garbage), 'file')}, {size}, moved to trash/. To free the space: tshdb gc --empty-trash")
    else:
        out("Nothing is there that nobody needs.")


def _empty(study, days: timedelta | None, is_dry: bool, as_json: bool) -> None:
    from tshdb.actions import cleaning

    if is_dry:
        found = study.trash.listed(days)
        if as_json:
            out_json([{"folder": folder, **thrown._asdict()} for folder, thrown in found])
        else:
            _list([(f"trash/{folder}/files/{thrown.path}", thrown.why) for folder, thrown in found])
            say(f"{count(len(found), 'file')} would be removed. Nothing was.")
        return
    done = cleaning.empty_trash(study, days)
    if as_json:
        out_json({"files": done.files, "bytes": done.size, "left": done.left})
        return
    out(f"{count(done.files, 'file')}, {done.size / 1e6:,.1f} MB, removed from the trash.")
    for path in done.left:
        say(f"{path} is none of ours, and stays.")


def _list(files: list[tuple[str, str]]) -> None:
    for path, why in files[:SHOWN]:
        out(f"  {path}: {why}")
    if len(files) > SHOWN:
        out(f"  … {len(files) - SHOWN:,} more (--json names all)")
