"""tshdb ingest features."""

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
    KeepGoingOption,
    NameOption,
)
from cli.options import JsonOption, StudyOption


def add_to(app: typer.Typer) -> None:
    app.command()(features)


def features(
    file: FileArgument,
    collection: CollectionOption,
    settings: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="How they were computed: TOML, JSON, or PyRadiomics' parameters."),
    ] = None,
    region: Annotated[str | None, typer.Option(help="Of columns that do not say, such as tumor.")] = None,
    map_name: Annotated[str | None, typer.Option("--map", help="Of columns that do not say: S0, SI or SL.")] = None,
    name: NameOption = None,
    complete: CompleteOption = False,
    keep_going: KeepGoingOption = False,
    dry_run: DryRunOption = False,
    as_of: AsOfOption = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Radiomic features that were computed elsewhere, by PyRadiomics' names: one row an examination.

    They take part under the table's name: [signature] features = "NAME" learns from them. Features of other settings never meet
    in a score; without --settings they compare with the same table alone.

    Example: tshdb ingest features published.csv --collection tcga-brca --settings params.yaml --region tumor --map S0
    """
    from cli.ingest.outcome import finish
    from tshdb.actions import ingest
    from tshdb.study import Study

    opened, how = Study.find(study), ingest.Loading(complete, keep_going, dry_run, as_of)
    options = ingest.FeatureOptions(region, map_name, settings)
    finish(opened, ingest.features(opened, file, collection, options, name=name, how=how), as_json)
