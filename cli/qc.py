"""tshdb qc: look at the images of an examination, and bring back what people saw."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import JsonOption, StudyOption

if TYPE_CHECKING:
    from tshdb.study import Study

app = typer.Typer(help="Look at images, and bring back verdicts.", no_args_is_help=True, rich_markup_mode=None)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="csv: study_uid, verdict, read_by; cause, comment.")],
    collection: Annotated[str, typer.Option("--collection", help="The collection it belongs to, such as ispy1.")],
    complete: Annotated[
        bool, typer.Option("--complete", help="The file is the whole truth: verdicts it lacks are gone.")
    ] = False,
    keep_going: Annotated[bool, typer.Option("--keep-going", help="Load the good rows beside bad ones.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be loaded, and load nothing.")] = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verdicts of people on images, as the table qc_verdicts: cohorts exclude by them.

    Example: tshdb qc import verdicts.csv --collection ispy1
    """
    from cli.ingest_talk import finish
    from ingest.imaging import decisions as reader
    from tshdb import loading
    from tshdb.study import Study

    opened = Study.find(study)
    source = loading.Source(collection, "qc", file.name)

    def read():
        return reader.read_verdicts(file, _studies_of(opened))

    item = loading.item_of(opened, source, file, {}, read, always=complete)
    command = f"tshdb qc import {file.name} --collection {collection}"
    loaded = loading.load(opened, [item], command=command, complete=complete, keep_going=keep_going, dry_run=dry_run)
    finish(opened, str(source), command, loaded, dry_run, as_json)


def _studies_of(study: Study) -> set[str]:
    from sqlalchemy import select

    from tshdb.database import reading
    from tshdb.schema import ImagingStudy

    with reading(study.engine) as connection:
        return set(connection.execute(select(ImagingStudy.study_uid)).scalars())
