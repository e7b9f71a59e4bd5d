"""tshdb ingest features."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.ingest import (
    CollectionOption,
    CompleteOption,
    DryRunOption,
    FileArgument,
    KeepGoingOption,
    NameOption,
    ingest_file,
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
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Radiomic features that were computed elsewhere, by PyRadiomics' names: one row an examination.

    They take part under the table's name: [signature] features = "NAME" learns from them. Features of other settings never meet
    in a score; without --settings they compare with the same table alone.

    Example: tshdb ingest features published.csv --collection tcga-brca --settings params.yaml --region tumor --map S0
    """
    from ingest.tables import features as reader

    known = reader.read_settings(settings) if settings is not None else {}
    table = (name or file.name).split(".")[0]
    options = {"table": table, "region": region, "map": map_name, "settings": known}

    def read():
        return reader.read(file, reader.Options(collection, table, region, map_name, known))

    ingest_file("features", file, collection, name, options, read, complete, keep_going, dry_run, study, as_json)
