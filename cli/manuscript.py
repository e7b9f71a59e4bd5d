"""tshdb manuscript: tables, figures, Methods and references in one folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.console import count, out, out_json, progress, say
from cli.noting import say_unnoted
from cli.options import JsonOption, StudyOption, VariantOption, WidthOption
from cli.variant import opened


def add_to(app: typer.Typer) -> None:
    app.command("manuscript")(write_manuscript)


def write_manuscript(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A new folder, an empty one, or one that this wrote before.")
    ],
    width: WidthOption = None,
    variant: VariantOption = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """All that a manuscript takes from the study: tables (docx, latex, csv), figures (pdf, tiff), Methods, references, a README.

    Whole or not at all. Files of a manuscript that was written there before are replaced; others' files stay. What cannot be made
    is named in MISSING.md with the next step, and gives exit code 3.

    Example: tshdb manuscript manuscript/ --width 180mm
    """
    from tshdb.errors import Exit
    from tshdb.figures.room import inches
    from tshdb.manuscript import manuscript

    asked = None if width is None else inches(width)
    with opened(study, variant) as here, progress() as show:
        done = manuscript(here, folder, width=asked, progress=show)
    if as_json:
        out_json(
            {
                "folder": str(done.folder),
                "files": [{"file": part.name, "about": part.about} for part in done.parts],
                "missing": [each._asdict() for each in done.missing],
            }
        )
    else:
        out(f"{done.folder}: {count(len(done.parts) + 1, 'file')}; README.md says what each is.")
        for each in done.missing:
            say(f"  missing: {each.what}: {each.why}")
    say_unnoted(done.unnoted)
    if done.missing:
        raise typer.Exit(Exit.PARTIAL)
