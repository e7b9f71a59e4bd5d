"""tshdb ingest dicom | decisions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import JsonOption, StudyOption

if TYPE_CHECKING:
    from tshdb.study import Study

CollectionOption = Annotated[str, typer.Option("--collection", help="The collection it belongs to, such as ispy1.")]
JobsOption = Annotated[int, typer.Option("--jobs", "-j", min=1, max=64, help="Processes that read headers.")]
CompleteOption = Annotated[
    bool, typer.Option("--complete", help="The folder is the whole truth: images that it lacks are gone.")
]
KeepGoingOption = Annotated[bool, typer.Option("--keep-going", help="Load the good files beside bad ones.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be loaded, and load nothing.")]


def add_to(app: typer.Typer) -> None:
    app.command()(dicom)
    app.command()(decisions)


def dicom(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of DICOM files, in any layout.")],
    collection: CollectionOption,
    jobs: JobsOption = 2,
    complete: CompleteOption = False,
    keep_going: KeepGoingOption = False,
    dry_run: DryRunOption = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """DICOM headers: studies, series and files, found by their UIDs whatever the folders are called.

    A whitelist of attributes is stored, and each file's digest; pixels stay where they are. Files that name a person are
    refused (study.toml, [imaging] accept_identified).

    Example: tshdb ingest dicom ~/tcia/ISPY1 --collection ispy1
    """
    from tshdb.study import Study

    ingest_dicom_folder(
        Study.find(study), folder, collection, jobs,
        complete=complete, keep_going=keep_going, dry_run=dry_run, as_json=as_json,
    )  # fmt: skip


def ingest_dicom_folder(
    study: Study, folder: Path, collection: str, jobs: int,
    *, complete: bool, keep_going: bool, dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    """Read headers, compare, load, tell."""
    from cli.console import progress
    from cli.ingest_talk import finish
    from ingest.imaging import folder as reader
    from ingest.imaging.spool import KnownFile, Spool
    from tshdb import loading
    from tshdb.database import reading
    from tshdb.loading.instances import instances_of, known_files

    options = reader.Options(collection, study.settings.imaging.accept_identified, jobs)
    command = f"tshdb ingest dicom {folder.name} --collection {collection}"
    with Spool() as spool, progress() as show, reading(study.engine) as connection:
        known = map(KnownFile._make, known_files(connection, collection))
        contents = reader.read_folder(folder, options, spool, known, show)
        done = 0

        def taken(_item) -> None:
            nonlocal done
            done += 1
            show("series", done, len(contents.touched | contents.untouched))

        loaded = loading.load(
            study,
            reader.items(contents, lambda series: instances_of(connection, series), complete),
            command=command,
            complete=complete,
            keep_going=keep_going,
            dry_run=dry_run,
            findings=contents.findings,
            progress=taken,
        )
    loaded.n_withheld += contents.n_withheld
    finish(study, f"{collection}/dicom/{folder.name}", command, loaded, dry_run, as_json)


def decisions(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="csv: study_uid, series_uid, decision, decided_by, reason.")
    ],
    collection: CollectionOption,
    complete: Annotated[
        bool, typer.Option("--complete", help="The file is the whole truth: decisions it lacks are gone.")
    ] = False,
    keep_going: Annotated[bool, typer.Option("--keep-going", help="Load the good rows beside bad ones.")] = False,
    dry_run: DryRunOption = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a person decided: which series are the dynamic ones, or which key tells their phases apart.

    A decision goes before every rule, with name and reason: dynamic or not-dynamic of a series; key=NAME of series `all`.

    Example: tshdb ingest decisions decisions.csv --collection tcga-brca
    """
    from cli.ingest_talk import finish
    from ingest.imaging import decisions as reader
    from tshdb import loading
    from tshdb.study import Study

    opened = Study.find(study)
    source = loading.Source(collection, "decisions", file.name)
    item = loading.item_of(opened, source, file, {}, lambda: reader.read(file, _series_of(opened)), always=complete)
    command = f"tshdb ingest decisions {file.name} --collection {collection}"
    loaded = loading.load(opened, [item], command=command, complete=complete, keep_going=keep_going, dry_run=dry_run)
    finish(opened, str(source), command, loaded, dry_run, as_json)


def _series_of(study: Study) -> set[tuple[str, str]]:
    """(study, series) of all that the study has."""
    from sqlalchemy import select

    from tshdb.database import reading
    from tshdb.schema import ImagingSeries

    with reading(study.engine) as connection:
        return set(map(tuple, connection.execute(select(ImagingSeries.study_uid, ImagingSeries.series_uid))))
