"""tshdb ingest rna."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.ingest.options import (
    AsOfOption,
    CollectionOption,
    CompleteOption,
    DryRunOption,
    FileArgument,
    GuessOption,
    KeepGoingOption,
    MapOption,
    NameOption,
    write_guess,
)
from cli.options import JsonOption, StudyOption
from tshdb.vocabulary import ExpressionUnit, Scale


def add_to(app: typer.Typer) -> None:
    app.command()(rna)


def rna(
    file: FileArgument,
    collection: CollectionOption,
    unit: Annotated[ExpressionUnit | None, typer.Option(help="What one value counts.")] = None,
    scale: Annotated[
        Scale | None, typer.Option(help="linear values become log2(x + 1) when used; log2 values stay.")
    ] = None,
    log_offset: Annotated[
        float | None, typer.Option(help="Values are log2(x + this), such as 1 or 0.001: x is taken back.")
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
    as_of: AsOfOption = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """An expression matrix (genes x samples) or a long table (gene, sample, value).

    Counts become log2(CPM + 1) when they are used, by the library size of all genes of the table.

    What a table of another make holds, and whose its columns are, a map says (--map); --guess writes a first one.

    Example: tshdb ingest rna rsem.csv.gz --collection tcga-brca --unit rsem --scale linear
    """
    from cli.ingest.outcome import finish
    from tshdb.actions import ingest
    from tshdb.study import Study

    if guess:
        said = {name: str(value) for name, value in (("unit", unit), ("scale", scale)) if value is not None}
        write_guess(file, "rna", map_file or file.with_name(f"{file.name.split('.')[0]}.map.toml"), collection, **said)
        return
    opened, how = Study.find(study), ingest.Loading(complete, keep_going, dry_run, as_of)
    options = ingest.RnaOptions(
        unit, scale, sample_type, clip_negative, workflow, gene_model, samples, map_file, log_offset
    )
    finish(opened, ingest.rna(opened, file, collection, options, name=name, how=how), as_json)
