"""tshdb ingest file | readers."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.ingest.options import (
    AsOfOption,
    CollectionOption,
    CompleteOption,
    DryRunOption,
    FileArgument,
    KeepGoingOption,
    NameOption,
)
from cli.options import JsonOption, StudyOption


def add_to(app: typer.Typer) -> None:
    app.command("file")(any_file)
    app.command()(readers)


def any_file(
    file: FileArgument,
    collection: CollectionOption,
    reader: Annotated[
        str | None, typer.Option(help="The reader's name, where the file does not tell: tshdb ingest readers.")
    ] = None,
    name: NameOption = None,
    complete: CompleteOption = False,
    keep_going: KeepGoingOption = False,
    dry_run: DryRunOption = False,
    as_of: AsOfOption = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """A file that some reader knows, of this program or of an installed package, without options of its own.

    Example: tshdb ingest file followup.csv --collection mine --reader registry
    """
    from cli.ingest.outcome import finish
    from tshdb.actions import ingest
    from tshdb.study import Study

    opened, how = Study.find(study), ingest.Loading(complete, keep_going, dry_run, as_of)
    finish(opened, ingest.any_file(opened, file, collection, reader=reader, name=name, how=how), as_json)


def readers(as_json: JsonOption = False) -> None:
    """The readers of files: this program's, and those of installed packages.

    Example: tshdb ingest readers
    """
    from cli.console import out_json, table
    from tshdb.actions import ingest

    known = ingest.readers()
    if as_json:
        out_json(known)
    else:
        rows = [(r["reader"], r["from"], r["about"], r["command"]) for r in known]
        table(("reader", "from", "reads", "by"), rows)
