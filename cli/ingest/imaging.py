"""tshdb ingest dicom | segmentation | decisions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.ingest.options import (
    AsOfOption,
    CheckBytesOption,
    CollectionOption,
    CompleteOption,
    DryRunOption,
    KeepGoingOption,
)
from cli.options import JsonOption, StudyOption
from tshdb.vocabulary import MaskKind, MaskRegion

JobsOption = Annotated[int, typer.Option("--jobs", "-j", min=1, max=64, help="Processes that read headers.")]
CompleteFolderOption = Annotated[
    bool, typer.Option("--complete", help="The folder is the whole truth: images that it lacks are gone.")
]
KeepGoingFilesOption = Annotated[bool, typer.Option("--keep-going", help="Load the good files beside bad ones.")]


def add_to(app: typer.Typer) -> None:
    app.command()(dicom)
    app.command()(segmentation)
    app.command()(decisions)


def dicom(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of DICOM files, in any layout.")],
    collection: CollectionOption,
    jobs: JobsOption = 2,
    complete: CompleteFolderOption = False,
    keep_going: KeepGoingFilesOption = False,
    dry_run: DryRunOption = False,
    check_bytes: CheckBytesOption = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """DICOM headers: studies, series and files, found by their UIDs whatever the folders are called.

    A whitelist of attributes is stored, and each file's digest; pixels stay where they are. Files that name a person are
    refused (study.toml, [imaging] accept_identified).

    Example: tshdb ingest dicom ~/tcia/ISPY1 --collection ispy1
    """
    from cli.console import progress
    from cli.ingest.outcome import finish
    from tshdb.actions import imaging
    from tshdb.actions.ingest import Loading
    from tshdb.study import Study

    opened, how = Study.find(study), Loading(complete, keep_going, dry_run)
    with progress() as show:
        loaded = imaging.dicom(opened, folder, collection, jobs=jobs, check_bytes=check_bytes, how=how, progress=show)
    finish(opened, loaded, as_json)


def segmentation(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="A mask, or a folder of masks: NIfTI, NRRD, MetaImage, .les.")
    ],
    collection: CollectionOption,
    sheet: Annotated[
        Path | None,
        typer.Option(help="csv: file, patient_id; optional study_uid, time_point, kind, region, label, lesion, date."),
    ] = None,
    kind: Annotated[MaskKind, typer.Option(help="Who or what drew them.")] = MaskKind.OTHER,
    region: Annotated[MaskRegion, typer.Option(help="What they mark.")] = MaskRegion.TUMOR,
    label: Annotated[
        str | None,
        typer.Option(
            help="Which label of several: its number, its segment's name, each (an outline each) or all of them."
        ),
    ] = None,
    les_base: Annotated[int, typer.Option(help="The number of the first voxel in .les files.")] = 1,
    les_order: Annotated[
        str | None, typer.Option(help="Order of voxels in .les files, F or C; else found out.")
    ] = None,
    complete: CompleteFolderOption = False,
    keep_going: KeepGoingFilesOption = False,
    dry_run: DryRunOption = False,
    as_of: AsOfOption = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Masks in files of their own; DICOM SEG and RTSTRUCT come with `tshdb ingest dicom`.

    Each belongs to an examination that the study has: by a sheet, or by the patient whom its path names; of several
    examinations by its grid, or a date in its path. A file with several labels is refused unless something says which is meant.

    Example: tshdb ingest segmentation ~/masks --collection ispy1 --kind expert
    """
    from cli.console import progress
    from cli.ingest.outcome import finish
    from tshdb.actions import imaging
    from tshdb.actions.ingest import Loading
    from tshdb.errors import UsageError
    from tshdb.study import Study

    if les_order not in (None, "F", "C"):
        raise UsageError(f"'{les_order}'", where="--les-order", repair="Use F or C")
    opened, how = Study.find(study), Loading(complete, keep_going, dry_run, as_of)
    options = imaging.MaskOptions(kind, region, label, les_base, les_order, sheet)
    with progress() as show:
        loaded = imaging.masks(opened, path, collection, options, how=how, progress=show)
    finish(opened, loaded, as_json)


def decisions(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="csv: study_uid, series_uid, decision, decided_by, reason; or table, row, column, value, decided_by, reason.",
        ),
    ],
    collection: CollectionOption,
    complete: CompleteOption = False,
    keep_going: KeepGoingOption = False,
    dry_run: DryRunOption = False,
    as_of: AsOfOption = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a person decided: of images, or of values on which sources disagree.

    A decision goes before every rule, with name and reason. Of images: dynamic or not-dynamic of a series; key=NAME of series
    `all`; of series `tumor` seed=X,Y,Z or box=X,Y,Z,X,Y,Z (mm), from which an outline is grown; of series `contrast`
    injection=SECONDS, after the start of phase 0. Of values: table, row and column as `conflicts` names them (patients,
    TCGA-A7-A0CE, er_status), and the value that holds.

    Example: tshdb ingest decisions decisions.csv --collection tcga-brca
    """
    from cli.ingest.outcome import finish
    from tshdb.actions import ingest
    from tshdb.study import Study

    opened = Study.find(study)
    loaded = ingest.decisions(opened, file, collection, how=ingest.Loading(complete, keep_going, dry_run, as_of))
    finish(opened, loaded, as_json)
