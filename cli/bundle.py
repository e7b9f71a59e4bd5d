"""tshdb import study: a study of a bundle that somebody handed on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.console import count, counted, out, out_json, progress, say
from cli.options import JsonOption

SHOWN = 5

app = typer.Typer(help="A study that somebody handed on.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def import_() -> None:
    """A study that somebody handed on."""


@app.command("study")
def import_study(
    bundle: Annotated[Path, typer.Argument(metavar="FILE.zip|DIR", help="What tshdb export study wrote.")],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder.")],
    is_rebuilt: Annotated[
        bool,
        typer.Option(
            "--rebuild", help="Make all results again here, and compare them byte for byte with those it came with."
        ),
    ] = False,
    is_broken: Annotated[bool, typer.Option("--broken", help="Also a study that does not pass its check.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a study of a bundle: every byte compared, nothing outside of the folder written, no code of it run, checked in full.

    Exit code 5 for a bundle that is damaged or does what a bundle may not; then nothing is left of it. With --rebuild, exit
    code 3 where results differ here.

    Example: tshdb import study brca.zip brca
    """
    from tshdb.bundles.importing import import_study as take
    from tshdb.errors import Exit

    with progress() as show:
        done = take(bundle, folder, is_broken_accepted=is_broken, is_rebuilt=is_rebuilt, progress=show)
    differs = () if done.rebuilt is None else done.rebuilt.differs
    if as_json:
        out_json(done.facts)
    else:
        out(
            f"Study {done.root}: {count(len(done.manifest.files), 'file')}, every byte compared; what it promises holds."
        )
        for line in done.settings:
            out(f"study.toml: {line}")
        if done.untrusted:
            out(f"Its own analyses do not run: {', '.join(done.untrusted)}. Read them, then: tshdb trust")
        if not done.has_key:
            say("The key of withdrawals is not in it.")
        if done.rebuilt is not None:
            n = done.rebuilt.n_same + len(differs)
            out(f"Made again: {done.rebuilt.n_same:,} of {counted(n, 'result')} have the same bytes.")
            for name in differs[:SHOWN]:
                out(f"  differs: {name}")
            if differs:
                say("raw/bundle/environment.json names the Python and the libraries that made them.")
        else:
            say(f"To compute results anew and compare them: tshdb verify --all --study {done.root}")
    if differs:
        raise typer.Exit(Exit.PARTIAL)
