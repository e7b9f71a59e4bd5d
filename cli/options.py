"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

StudyOption = Annotated[
    Path | None,
    typer.Option("--study", help="The study folder (default: TSHDB_STUDY, else the nearest parent with study.toml)."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="The same facts as JSON on stdout.")]
NamesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[ANALYSIS]...", help="Only these, and what they need.")
]
VariantOption = Annotated[
    str | None,
    typer.Option("--variant", metavar="NAME", help="As this variant of the study has it: tshdb variants list."),
]
