"""tshdb export: what a study holds in the formats of other programs, and a study as one bundle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import count, out, out_json, progress, say, table
from cli.noting import note, say_unnoted
from cli.options import JsonOption, StudyOption, VariantOption
from cli.variant import opened

if TYPE_CHECKING:
    from tshdb.exports.writing import Exported

app = typer.Typer(
    help="Results for other programs; a study for another machine.", no_args_is_help=True, rich_markup_mode=None
)


FolderArgument = Annotated[
    Path, typer.Argument(metavar="DIR", help="A new folder, an empty one, or one that the same command wrote before.")
]
CohortOption = Annotated[
    str | None,
    typer.Option("--cohort", metavar="NAME@V", help="Only the members of a cohort (without @V: its newest)."),
]


@app.callback()
def export() -> None:
    """Results for other programs; a study for another machine."""


@app.command("list")
def list_exports(as_json: JsonOption = False) -> None:
    """The kinds of export: what each is, and what it needs.

    Example: tshdb export list
    """
    from tshdb.exports.writing import listed

    rows = listed()
    if as_json:
        out_json(rows)
        return
    table(("export", "what it is", "needs"), [(r["export"], r["about"], ", ".join(r["needs"])) for r in rows])


HELP = {  # kind -> what its command says of it
    "parquet": """
    All tables of entities and results as Parquet files, guests' tables too, with a README of their columns.

    Whole or not at all; written again, it takes the place of what it wrote before. No withdrawn patient is in it.

    Example: tshdb export parquet tables/ --cohort tumor_stroma_development@1
    """,
    "csv": """
    All tables of entities and results as CSV files with all digits, guests' tables too, with a README of their columns.

    Whole or not at all; written again, it takes the place of what it wrote before. No withdrawn patient is in it.

    Example: tshdb export csv tables/ --variant two-years
    """,
    "anndata": """
    RNA as AnnData (.h5ad): samples by genes, values as in their source, with all that is known of the patients.

    The selected profiles; other units than the most frequent one are layers. Needs the extra: pip install 'tshdb[export]'.

    Example: tshdb export anndata rna/ --cohort tumor_stroma_development@1
    """,
    "mudata": """
    RNA, abundances of cell populations and radiomic features as MuData (.h5mu), a modality each.

    Needs the extra: pip install 'tshdb[export]'.

    Example: tshdb export mudata study-mudata/
    """,
    "cbioportal": """
    A study folder that cBioPortal imports: clinical data, expression of tumours, and other measurements as generic assays.

    Abundances, TSH ratios and radiomic features are generic assays. README.md says what is left out.

    Example: tshdb export cbioportal brca-study/
    """,
    "nifti": """
    Images as NIfTI (.nii.gz): phases of dynamic scans, segmentations and regions, a folder for each examination.

    images.csv says what each file is. Examinations whose DICOM files are gone are named with the reason (exit code 3).

    Example: tshdb export nifti images/ --cohort tumor_stroma_development@1
    """,
    "dicom-seg": """
    Segmentations as DICOM SEG objects, which refer to the images that they were drawn on.

    segments.csv says what each segment is. Examinations whose DICOM files are gone are named with the reason (exit code 3).

    Example: tshdb export dicom-seg segmentations/
    """,
}


def _command(kind: str) -> Callable[..., None]:
    """The command of one kind: all are asked for alike."""

    def command(
        folder: FolderArgument,
        cohort: CohortOption = None,
        variant: VariantOption = None,
        study: StudyOption = None,
        as_json: JsonOption = False,
    ) -> None:
        _export(kind, folder, cohort, variant, study, as_json)

    command.__doc__ = HELP[kind]
    return command


for _kind in HELP:
    app.command(_kind)(_command(_kind))


@app.command()
def rocrate(
    folder: FolderArgument,
    variant: VariantOption = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """The whole study as an RO-Crate 1.1: its tables, the code as it ran, what was read, and every computation.

    Of one number alone: tshdb lineage TABLE KEY --rocrate DIR. No withdrawn patient is in it.

    Example: tshdb export rocrate brca-crate/
    """
    _export("rocrate", folder, None, variant, study, as_json)


def _export(
    name: str, folder: Path, cohort: str | None, variant: str | None, study: Path | None, as_json: bool
) -> Exported:
    """Write an export and say what is in it. Ends with 3 where something could not be written."""
    from tshdb.errors import Exit
    from tshdb.exports.writing import export as write

    with opened(study, variant) as here, progress() as show:
        done = write(here, name, folder, cohort=cohort, variant=variant, progress=show)
    if as_json:
        out_json(done.facts)
    else:
        whose = f" in {done.cohort}" if done.cohort else ""
        files = count(len(done.written.files) + 1, "file")
        out(f"{done.folder}: {files}, {count(len(done.patients), 'patient')}{whose}; README.md says what each file is.")
        for each in done.written.missing:
            say(f"  missing: {each.what}: {each.why}")
    say_unnoted(done.unnoted)
    if done.written.missing:
        raise typer.Exit(Exit.PARTIAL)
    return done


@app.command()
def networks(
    folder: FolderArgument,
    cohort: CohortOption = None,
    variant: VariantOption = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """The cell networks: GraphML (Gephi, igraph, yEd) and Cytoscape JSON, one of each for every group and compartment.

    Example: tshdb export networks networks/ --cohort tumor_stroma_development@1
    """
    done = _export("networks", folder, cohort, variant, study, as_json)
    for file in done.written.files if not as_json else ():
        out(f"  {file.name}: {file.one_row}")


@app.command("study")
def export_study(
    target: Annotated[Path, typer.Argument(metavar="FILE.zip|DIR", help="A new zip, or a new folder.")],
    has_key: Annotated[
        bool, typer.Option("--with-key", help="With the key of withdrawals: only to yourself, never to others.")
    ] = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """The study as one bundle: sources, settings, code text and results. Another machine takes it by tshdb import study.

    Files that were read and lie outside of the study's folder are taken along, if they are still what was read; what is not
    there any more is named.

    Example: tshdb export study brca.zip
    """
    from tshdb.bundles.export import TAKEN
    from tshdb.bundles.export import export_study as write_bundle
    from tshdb.study import Study

    opened_study = Study.find(study)
    with progress() as show:
        done = write_bundle(opened_study, target, has_key=has_key, progress=show)
    note(opened_study, target, "bundle", "bundle", of_patients=True)
    if as_json:
        out_json(done.facts)
        return
    out(f"Bundle {done.path}: {count(len(done.manifest.files), 'file')}, {done.manifest.size / 1e6:,.1f} MB.")
    for source in done.sources:
        if source["state"] not in TAKEN:
            out(f"  not in it: {source['source']}, {source['state']}")
    if lost := done.manifest.facts["images_lost"]:
        out(f"  not in it: {count(len(lost), 'image')}, gone or other bytes by now, such as {lost[0]}")
    for why, names in done.manifest.left_out.items():
        say(f"Left out, {why}: {', '.join(names[:5])}{f' and {len(names) - 5:,} more' if len(names) > 5 else ''}")
    say(f"It holds data of patients. To take it: tshdb import study {done.path} NEW-FOLDER")
