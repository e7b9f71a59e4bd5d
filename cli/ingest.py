"""tshdb ingest rna | clinical | follow-up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.options import JsonOption, StudyOption
from tshdb.vocabulary import ExpressionUnit, Scale

app = typer.Typer(help="Load files, each row with its file and line.", no_args_is_help=True, rich_markup_mode=None)

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The file to load (plain or gzip).")]
CollectionOption = Annotated[str, typer.Option("--collection", help="The collection it belongs to, such as tcga-brca.")]
NameOption = Annotated[str | None, typer.Option("--name", help="The source's name, if not the file's.")]
CompleteOption = Annotated[
    bool, typer.Option("--complete", help="The file is the whole truth: rows it lacks are gone.")
]
KeepGoingOption = Annotated[bool, typer.Option("--keep-going", help="Load the good rows of a file with bad ones.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be loaded, and load nothing.")]


@app.command()
def rna(
    file: FileArgument,
    collection: CollectionOption,
    unit: Annotated[ExpressionUnit, typer.Option(help="What one value counts.")],
    scale: Annotated[Scale, typer.Option(help="linear values become log2(x + 1) when used; log2 values stay.")],
    samples: Annotated[Path | None, typer.Option(help="Sample sheet, for names that are no TCGA barcodes.")] = None,
    sample_type: Annotated[
        str | None, typer.Option(help="TCGA code (01, 11) of columns named by patient alone.")
    ] = None,
    workflow: Annotated[str | None, typer.Option(help="The quantification workflow, for the record.")] = None,
    gene_model: Annotated[str | None, typer.Option(help="The gene annotation, for the record.")] = None,
    name: NameOption = None,
    complete: CompleteOption = False,
    keep_going: KeepGoingOption = False,
    dry_run: DryRunOption = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """An expression matrix (genes x samples) or a long table (gene, sample, value).

    Example: tshdb ingest rna rsem.csv.gz --collection tcga-brca --unit rsem --scale linear
    """
    options = {"unit": str(unit), "scale": str(scale), "sample_type": sample_type, "workflow": workflow,
               "gene_model": gene_model, "samples": None}  # fmt: skip

    def read():
        from ingest import rna as reader
        from ingest import sample_sheet

        sheet = sample_sheet.read(samples) if samples else None
        source_name = name or file.name
        wanted = reader.Options(collection, unit, scale, source_name, sample_type, workflow, gene_model)
        return reader.read(file, wanted, sheet)

    if samples:
        from tshdb.objects import sha256_of

        options["samples"] = sha256_of(samples) if samples.is_file() else str(samples)
    _ingest("rna", file, collection, name, options, read, complete, keep_going, dry_run, study, as_json)


@app.command()
def clinical(
    file: FileArgument,
    collection: CollectionOption,
    name: NameOption = None,
    complete: CompleteOption = False,
    keep_going: KeepGoingOption = False,
    dry_run: DryRunOption = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Patients, their outcome and every field as found: the GDC's tables old and new, its API's cases, BCR Biotab, TCGA-CDR.

    Example: tshdb ingest clinical clinical.tsv --collection tcga-brca
    """
    from ingest.formats import CLINICAL_FORMATS, Format, clinical_reader, format_of
    from tshdb.study import Study

    her2_rule = Study.find(study).settings.ingest.her2_rule
    found = format_of(file) if file.is_file() else Format.UNKNOWN
    format_ = found if found in CLINICAL_FORMATS else Format.CLINICAL  # whose reader says what it expected

    def read():
        return clinical_reader(format_, collection, her2_rule)(file)

    options = {} if format_ is Format.CLINICAL else {"her2_rule": her2_rule}
    _ingest(format_.value, file, collection, name, options, read, complete, keep_going, dry_run, study, as_json)


@app.command("follow-up")
def follow_up(
    file: FileArgument,
    collection: CollectionOption,
    name: NameOption = None,
    complete: CompleteOption = False,
    keep_going: KeepGoingOption = False,
    dry_run: DryRunOption = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Overall survival alone, from the GDC's clinical.tsv.

    Example: tshdb ingest follow-up clinical.tsv --collection tcga-brca
    """

    def read():
        from ingest import gdc_clinical

        return gdc_clinical.read(file, collection, follow_up_only=True)

    _ingest("follow-up", file, collection, name, {}, read, complete, keep_going, dry_run, study, as_json)


def _ingest(
    reader: str, file: Path, collection: str, name: str | None, options: dict[str, Any], read, complete: bool,
    keep_going: bool, dry_run: bool, study: Path | None, as_json: bool,
) -> None:  # fmt: skip
    from cli.ingest_talk import finish
    from tshdb import loading
    from tshdb.errors import NotFound
    from tshdb.study import Study

    opened = Study.find(study)
    if not file.is_file():
        raise NotFound("no such file", where=str(file))
    source = loading.Source(collection, reader, name or file.name)
    item = loading.item_of(opened, source, file, options, read, always=complete)
    command = f"tshdb ingest {reader} {file.name} --collection {collection}"
    loaded = loading.load(opened, [item], command=command, complete=complete, keep_going=keep_going, dry_run=dry_run)
    finish(opened, str(source), loaded, dry_run, as_json)
