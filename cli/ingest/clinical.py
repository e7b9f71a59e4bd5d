"""tshdb ingest clinical | follow-up."""

from __future__ import annotations

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


def add_to(app: typer.Typer) -> None:
    app.command()(clinical)
    app.command("follow-up")(follow_up)


def clinical(
    file: FileArgument,
    collection: CollectionOption,
    map_file: MapOption = None,
    guess: GuessOption = False,
    name: NameOption = None,
    complete: CompleteOption = False,
    keep_going: KeepGoingOption = False,
    dry_run: DryRunOption = False,
    as_of: AsOfOption = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Patients, their outcome and every field as found: the GDC's tables old and new, its API's cases, BCR Biotab, TCGA-CDR.

    Any other table or workbook is read by a map (--map); --guess writes a first one to correct.

    Example: tshdb ingest clinical clinical.tsv --collection tcga-brca
    """
    from cli.ingest.outcome import finish
    from tshdb.actions import ingest
    from tshdb.study import Study

    if guess:
        write_guess(file, "clinical", map_file or file.with_name(f"{file.stem}.map.toml"), collection)
        return
    opened, how = Study.find(study), ingest.Loading(complete, keep_going, dry_run, as_of)
    finish(opened, ingest.clinical(opened, file, collection, map=map_file, name=name, how=how), as_json)


def follow_up(
    file: FileArgument,
    collection: CollectionOption,
    map_file: MapOption = None,
    guess: GuessOption = False,
    name: NameOption = None,
    complete: CompleteOption = False,
    keep_going: KeepGoingOption = False,
    dry_run: DryRunOption = False,
    as_of: AsOfOption = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Outcomes alone: overall survival of the GDC's clinical.tsv, or the endpoints of any table by a map (--map).

    Example: tshdb ingest follow-up clinical.tsv --collection tcga-brca
    """
    from cli.ingest.outcome import finish
    from tshdb.actions import ingest
    from tshdb.study import Study

    if guess:
        write_guess(file, "follow-up", map_file or file.with_name(f"{file.stem}.map.toml"), collection)
        return
    opened, how = Study.find(study), ingest.Loading(complete, keep_going, dry_run, as_of)
    finish(opened, ingest.follow_up(opened, file, collection, map=map_file, name=name, how=how), as_json)
