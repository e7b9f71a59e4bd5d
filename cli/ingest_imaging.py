"""tshdb ingest dicom | segmentation | decisions."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.ingest import CollectionOption, CompleteOption, DryRunOption, KeepGoingOption, ingest_file
from cli.options import JsonOption, StudyOption
from tshdb.vocabulary import MaskKind, MaskRegion

if TYPE_CHECKING:
    from tshdb.loading import Loaded, Release
    from tshdb.study import Study

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
    from cli.ingest_talk import finish

    command = f"tshdb ingest dicom {folder.name} --collection {collection}"
    loaded = load_dicom_folder(
        study, folder, collection, jobs, command, complete=complete, keep_going=keep_going, dry_run=dry_run
    )
    finish(study, f"{collection}/dicom/{folder.name}", command, loaded, dry_run, as_json)


def load_dicom_folder(
    study: Study, folder: Path, collection: str, jobs: int, command: str,
    *, complete: bool, keep_going: bool, dry_run: bool, tells_of_masks: bool = True, release: Release | None = None,
) -> Loaded:  # fmt: skip
    """Read headers, compare, load. tells_of_masks: whether masks that are no DICOM are a finding."""
    from cli.console import progress
    from ingest.imaging import folder as reader
    from ingest.imaging.spool import KnownFile, Spool
    from tshdb import loading
    from tshdb.database import reading
    from tshdb.loading.instances import instances_of, known_files

    options = reader.Options(collection, study.settings.imaging.accept_identified, jobs, study.root.resolve())
    with Spool() as spool, progress() as show, reading(study.engine) as connection:
        known = map(KnownFile._make, known_files(connection, study.root.resolve(), study.objects, collection))
        contents = reader.read_folder(folder, options, spool, known, show)
        done = 0

        def taken(_item) -> None:
            nonlocal done
            done += 1
            show("series", done, len(contents.touched | contents.untouched))

        loaded = loading.load(
            study,
            reader.items(contents, partial(instances_of, connection), complete),
            command=command,
            complete=complete,
            keep_going=keep_going,
            dry_run=dry_run,
            findings=[f for f in contents.findings if tells_of_masks or f.rule != "dicom.mask-file"],
            release=release,
            progress=taken,
        )
    loaded.n_withheld += contents.n_withheld
    return loaded


def segmentation(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="A mask, or a folder of masks: NIfTI, NRRD, MetaImage, .les.")
    ],
    collection: CollectionOption,
    sheet: Annotated[
        Path | None, typer.Option(help="csv: file, patient_id; optional study_uid, time_point, kind, region, label.")
    ] = None,
    kind: Annotated[MaskKind, typer.Option(help="Who or what drew them.")] = MaskKind.OTHER,
    region: Annotated[MaskRegion, typer.Option(help="What they mark.")] = MaskRegion.TUMOR,
    label: Annotated[int | None, typer.Option(help="Take this value alone; else all that is not 0.")] = None,
    les_base: Annotated[int, typer.Option(help="The number of the first voxel in .les files.")] = 1,
    les_order: Annotated[
        str | None, typer.Option(help="Order of voxels in .les files, F or C; else found out.")
    ] = None,
    complete: CompleteFolderOption = False,
    keep_going: KeepGoingFilesOption = False,
    dry_run: DryRunOption = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Masks in files of their own; DICOM SEG comes with `tshdb ingest dicom`.

    Each belongs to an examination that the study has: by a sheet, or by the patient that its name holds (T0 of several).
    Enhancement and tissue masks never pass for an outline of the tumour.

    Example: tshdb ingest segmentation ~/masks --collection ispy1 --kind expert
    """
    from cli.ingest_talk import finish
    from ingest.imaging import mask_files as reader
    from tshdb.errors import UsageError
    from tshdb.study import Study

    if les_order not in (None, "F", "C"):
        raise UsageError(f"'{les_order}'", where="--les-order", repair="Use F or C")
    opened = Study.find(study)
    rows = reader.read_sheet(sheet) if sheet else {}
    options = reader.Options(collection, kind, region, label, les_base, les_order, rows)
    command = f"tshdb ingest segmentation {path.name} --collection {collection}"
    loaded = load_masks(
        opened, reader.files_of(path), options, command, complete=complete, keep_going=keep_going, dry_run=dry_run
    )
    finish(opened, f"{collection}/segmentation/{path.name}", command, loaded, dry_run, as_json)


def load_masks(
    study: Study, files: list[Path], options, command: str, *, complete: bool, keep_going: bool, dry_run: bool
) -> Loaded:
    """Read masks, compare, load. options: of `ingest.imaging.mask_files`."""
    from cli.console import progress
    from ingest.imaging import mask_files as reader
    from tshdb import loading

    examinations = _examinations(study)
    told = {"kind": str(options.kind), "region": str(options.region), "label": options.label,
            "les_base": options.les_base, "les_order": options.les_order}  # fmt: skip

    def items():
        for file in files:
            source = loading.Source(options.collection, "segmentation", file.name)
            own = told | {"sheet": options.sheet.get(file.name)}
            read = partial(reader.read, file, examinations, options)
            yield loading.item_of(study, source, file, own, read, always=complete)

    done = 0
    with progress() as show:

        def taken(_item) -> None:
            nonlocal done
            done += 1
            show("masks", done, len(files))

        return loading.load(
            study, items(), command=command, complete=complete, keep_going=keep_going, dry_run=dry_run, progress=taken
        )


def _examinations(study: Study) -> list:
    """The examinations that masks can belong to."""
    from sqlalchemy import select

    from ingest.imaging.mask_files import Examination
    from tshdb.database import reading
    from tshdb.schema import ImagingStudy

    columns = (ImagingStudy.study_uid, ImagingStudy.patient_id, ImagingStudy.time_point)
    with reading(study.engine) as connection:
        return [Examination(*row) for row in connection.execute(select(*columns))]


def decisions(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="csv: study_uid, series_uid, decision, decided_by, reason.")
    ],
    collection: CollectionOption,
    complete: CompleteOption = False,
    keep_going: KeepGoingOption = False,
    dry_run: DryRunOption = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a person decided: the dynamic series, the key that tells their phases apart, where the tumour is.

    A decision goes before every rule, with name and reason: dynamic or not-dynamic of a series; key=NAME of series `all`;
    of series `tumor` seed=X,Y,Z or box=X,Y,Z,X,Y,Z (mm), from which an outline is grown.

    Example: tshdb ingest decisions decisions.csv --collection tcga-brca
    """

    def read():
        from ingest.imaging import decisions as reader
        from tshdb.study import Study

        return reader.read(file, _series_of(Study.find(study)))

    ingest_file("decisions", file, collection, None, {}, read, complete, keep_going, dry_run, study, as_json)


def _series_of(study: Study) -> set[tuple[str, str]]:
    """(study, series) of all that the study has."""
    from sqlalchemy import select

    from tshdb.database import reading
    from tshdb.schema import ImagingSeries

    with reading(study.engine) as connection:
        return set(map(tuple, connection.execute(select(ImagingSeries.study_uid, ImagingSeries.series_uid))))
