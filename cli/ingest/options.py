"""Options that several commands of `tshdb ingest` share."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The file to load (plain or gzip).")]
CollectionOption = Annotated[str, typer.Option("--collection", help="The collection it belongs to, such as tcga-brca.")]
NameOption = Annotated[str | None, typer.Option("--name", help="The source's name, if not the file's.")]
CompleteOption = Annotated[
    bool, typer.Option("--complete", help="The file is the whole truth: rows it lacks are gone.")
]
KeepGoingOption = Annotated[bool, typer.Option("--keep-going", help="Load the good rows of a file with bad ones.")]
MapOption = Annotated[
    Path | None, typer.Option("--map", metavar="FILE.toml", help="What the columns mean, for any other table.")
]
GuessOption = Annotated[
    bool, typer.Option("--guess", help="Write a first map beside the table (or to --map), load nothing.")
]
AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of", metavar="DATE", help="The day of which the file speaks, such as 2025-06-01: the later word holds."
    ),
]
CheckBytesOption = Annotated[
    bool, typer.Option("--check-bytes", help="Read files, too, that were not written since they were read.")
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be loaded, and load nothing.")]


def write_guess(file: Path, reader: str, target: Path, collection: str, **said: str) -> None:
    """Write a first map, and say how it is used."""
    from cli.console import say
    from tshdb.actions.ingest import write_map

    write_map(file, reader, target, said)
    words = ["tshdb", "ingest", reader, str(file), "--collection", collection, "--map", str(target)]
    say(f"Wrote {target}. Correct it, then: {shlex.join(words)}")
