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
MapOption = Annotated[
    Path | None, typer.Option("--map", metavar="FILE.toml", help="What the columns mean, for any other table.")
]
GuessOption = Annotated[
    bool, typer.Option("--guess", help="Write a first map beside the table (or to --map), load nothing.")
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be loaded, and load nothing.")]


@app.command()
def rna(
    file: FileArgument,
    collection: CollectionOption,
    unit: Annotated[ExpressionUnit | None, typer.Option(help="What one value counts.")] = None,
    scale: Annotated[
        Scale | None, typer.Option(help="linear values become log2(x + 1) when used; log2 values stay.")
    ] = None,
    map_file: MapOption = None,
    guess: GuessOption = False,
    samples: Annotated[Path | None, typer.Option(help="Sample sheet, for names that are no TCGA barcodes.")] = None,
    sample_type: Annotated[
        str | None, typer.Option(help="TCGA code (01, 11) of columns named by patient alone.")
    ] = None,
    clip_negative: Annotated[
        bool, typer.Option("--clip-negative", help="Linear values between -1 and 0 are rounding and count as 0.")
    ] = False,
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

    What a table of another make holds, and whose its columns are, a map says (--map); --guess writes a first one.

    Example: tshdb ingest rna rsem.csv.gz --collection tcga-brca --unit rsem --scale linear
    """
    from ingest.expression import rna_map
    from tshdb.errors import UsageError

    if guess:
        _write_guess(file, map_file or file.with_name(f"{file.name.split('.')[0]}.map.toml"), rna_map.guess, "rna")
        return
    map_ = rna_map.load_rna_map(map_file) if map_file is not None else None
    if map_ is not None:
        unit, scale = map_.expression.unit, map_.expression.scale
    if unit is None or scale is None:
        raise UsageError(
            "no --unit or no --scale", where="tshdb ingest rna", repair="Say both, or name a map with --map (--guess)"
        )
    options = {"unit": str(unit), "scale": str(scale), "sample_type": sample_type, "workflow": workflow,
               "gene_model": gene_model, "samples": None}  # fmt: skip
    if clip_negative:
        options["clip_negative"] = True

    def read():
        from ingest.expression import rna as reader
        from ingest.gdc import sample_sheet

        sheet = sample_sheet.read(samples) if samples else None
        if map_ is not None and map_.samples is not None:
            sheet = rna_map.PatternSheet(map_.samples)
        transposed = map_ is not None and map_.expression.orientation == "samples_in_rows"
        source_name = name or file.name
        wanted = reader.Options(
            collection, unit, scale, source_name, sample_type, workflow, gene_model, transposed, clip_negative
        )
        return reader.read(file, wanted, sheet)

    if map_ is not None:
        options["map"] = map_.model_dump(mode="json")
    if samples:
        from tshdb.objects import sha256_of

        options["samples"] = sha256_of(samples) if samples.is_file() else str(samples)
    ingest_file("rna", file, collection, name, options, read, complete, keep_going, dry_run, study, as_json)


@app.command()
def clinical(
    file: FileArgument,
    collection: CollectionOption,
    map_file: MapOption = None,
    guess: GuessOption = False,
    name: NameOption = None,
    complete: CompleteOption = False,
    keep_going: KeepGoingOption = False,
    dry_run: DryRunOption = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Patients, their outcome and every field as found: the GDC's tables old and new, its API's cases, BCR Biotab, TCGA-CDR.

    Any other table or workbook is read by a map (--map); --guess writes a first one to correct.

    Example: tshdb ingest clinical clinical.tsv --collection tcga-brca
    """
    if guess or map_file is not None:
        _ingest_mapped(
            "clinical", file, collection, map_file, guess, name, complete, keep_going, dry_run, study, as_json
        )
        return
    from ingest.formats import CLINICAL_FORMATS, Format, clinical_reader, format_of
    from tshdb.study import Study

    her2_rule = Study.find(study).settings.ingest.her2_rule
    found = format_of(file) if file.is_file() else Format.UNKNOWN
    format_ = found if found in CLINICAL_FORMATS else Format.CLINICAL  # whose reader says what it expected

    def read():
        return clinical_reader(format_, collection, her2_rule)(file)

    options = {} if format_ is Format.CLINICAL else {"her2_rule": her2_rule}
    ingest_file(
        format_.value, file, collection, name, options, read, complete, keep_going, dry_run, study, as_json,
        verb="ingest clinical",
    )  # fmt: skip


@app.command("follow-up")
def follow_up(
    file: FileArgument,
    collection: CollectionOption,
    map_file: MapOption = None,
    guess: GuessOption = False,
    name: NameOption = None,
    complete: CompleteOption = False,
    keep_going: KeepGoingOption = False,
    dry_run: DryRunOption = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Outcomes alone: overall survival of the GDC's clinical.tsv, or the endpoints of any table by a map (--map).

    Example: tshdb ingest follow-up clinical.tsv --collection tcga-brca
    """
    if guess or map_file is not None:
        _ingest_mapped(
            "follow-up", file, collection, map_file, guess, name, complete, keep_going, dry_run, study, as_json
        )
        return

    def read():
        from ingest.gdc import clinical as gdc_clinical

        return gdc_clinical.read(file, collection, follow_up_only=True)

    ingest_file("follow-up", file, collection, name, {}, read, complete, keep_going, dry_run, study, as_json)


def ingest_file(
    reader: str, file: Path, collection: str, name: str | None, options: dict[str, Any], read, complete: bool,
    keep_going: bool, dry_run: bool, study: Path | None, as_json: bool, verb: str | None = None,
) -> None:  # fmt: skip
    """Read one file, load it, tell. verb: what the user wrote, where it is not `ingest READER`."""
    from cli.ingest_talk import finish
    from tshdb import loading
    from tshdb.errors import NotFound
    from tshdb.study import Study

    opened = Study.find(study)
    if not file.is_file():
        raise NotFound("no such file", where=str(file))
    source = loading.Source(collection, reader, name or file.name)
    item = loading.item_of(opened, source, file, options, read, always=complete)
    command = f"tshdb {verb or f'ingest {reader}'} {file.name} --collection {collection}"
    loaded = loading.load(opened, [item], command=command, complete=complete, keep_going=keep_going, dry_run=dry_run)
    finish(opened, str(source), command, loaded, dry_run, as_json)


def _ingest_mapped(
    reader: str, file: Path, collection: str, map_file: Path | None, guess: bool, name: str | None, complete: bool,
    keep_going: bool, dry_run: bool, study: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """By a map; or write a first map and load nothing."""
    if guess:
        from ingest.tables.guess import guess as first_map

        _write_guess(file, map_file or file.with_name(f"{file.stem}.map.toml"), first_map, reader)
        return
    from ingest.tables.maps import load_map

    map_ = load_map(map_file)

    def read():
        from ingest.tables import mapped
        from tshdb.schema import Patient

        found = mapped.read(file, collection, map_)
        if reader == "follow-up":
            found.raw_values = []
            for record in found.records:
                if record.table is Patient:
                    for column in set(record.values) - {"patient_id", "collection"}:
                        del record.values[column]
        return found

    options = {"map": map_.model_dump(mode="json")}
    ingest_file(reader, file, collection, name, options, read, complete, keep_going, dry_run, study, as_json)


def _write_guess(file: Path, target: Path, first_map, reader: str) -> None:
    from cli.console import say
    from tshdb.errors import InvalidInput

    text = first_map(file)
    if target.exists():
        raise InvalidInput("a map is there already", where=str(target), repair="Name another file with --map")
    target.write_text(text, encoding="utf-8")
    say(f"Wrote {target}. Correct it, then: tshdb ingest {reader} {file} --collection NAME --map {target}")
