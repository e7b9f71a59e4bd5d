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
WidthOption = Annotated[
    str | None,
    typer.Option("--width", metavar="LENGTH", help="85mm, 8.5cm or 3.35in: laid out anew, letters keep their size."),
]
DpiOption = Annotated[int, typer.Option("--dpi", help="Pixels an inch, of png and tiff.")]
StyleOption = Annotated[
    Path | None,
    typer.Option("--style", metavar="FILE", help="A style sheet of matplotlib (.mplstyle): how things look."),
]
