"""The files of a manuscript's folder, and what of them could not be made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from tshdb import installed
from tshdb.errors import NotFound, TshdbError
from tshdb.figures import Drawing, Print, figure
from tshdb.figures.printed import DPI
from tshdb.methods import Methods, methods
from tshdb.next_step import NextSteps
from tshdb.tables import TABLES, table
from tshdb.tables.written import FORMATS
from tshdb.text.markdown import escaped

if TYPE_CHECKING:
    from tshdb.study import Study

TABLE_FORMS = ("docx", "latex", "csv")
FIGURE_FORMS = ("pdf", "tiff")
METHODS_FORMS = {"md": ".md", "latex": ".tex", "docx": ".docx"}
RESOLUTION = 300  # dots an inch, of tiff


class Part(NamedTuple):
    """A file. name: below the folder; about: what it is; of_patients: whether it holds values of single patients."""

    name: str
    about: str
    data: bytes
    of_patients: bool | None = False


class Missing(NamedTuple):
    """What could not be made: what, and why, with the next step."""

    what: str
    why: str


def parts(
    study: Study, width: float | None, progress: Callable[[str, int, int], None]
) -> tuple[list[Part], list[Missing]]:
    """Every file, and what is missing of it, as MISSING.md says too."""
    steps, made, missing = NextSteps(study), list[Part](), list[Missing]()
    figures = installed.figures()
    total, done = len(TABLES) + len(figures) + 1, 0

    def tell(what: str) -> None:
        nonlocal done
        done += 1
        progress(what, done, total)

    for number, record in TABLES.items():
        try:
            made += _table(study, number, steps)
        except TshdbError as error:
            missing.append(Missing(f"Table {number}, {record.title}", str(error)))
        tell("manuscript")
    for name, record in figures.items():
        try:
            made += _figure(study, name, width, steps)
        except TshdbError as error:
            missing.append(Missing(f"Figure {name}, {record.title}", str(error)))
        tell("manuscript")
    try:
        made += _methods(methods(study))
    except NotFound as error:
        missing.append(Missing("Methods", str(error)))
    tell("manuscript")
    made.append(Part("MISSING.md", "what could not be made, and why", _missing(missing)))
    return made, missing


def _table(study: Study, number: str, steps: NextSteps) -> list[Part]:
    made = table(study, number, steps=steps)
    name = f"tables/table-{number}"
    of = ", ".join(made.cohorts)
    about = f"{made.title}{f' ({of})' if of else ''}"
    return [
        Part(
            f"{name}{FORMATS[form].suffixes[0]}",
            f"{about}, {'values in full' if form == 'csv' else 'as printed'}",
            made.to(form),
        )
        for form in TABLE_FORMS
    ]


def _figure(study: Study, name: str, width: float | None, steps: NextSteps) -> list[Part]:
    made = []
    for form in FIGURE_FORMS:
        drawn: Drawing = figure(
            study, name, form=form, steps=steps, how=Print(width, RESOLUTION if form == "tiff" else DPI)
        )
        of_patients = None if drawn.holds is None else drawn.holds.of_patients
        made.append(Part(f"figures/{name}.{form}", f"{drawn.title}. {drawn.how_to_read}", drawn.data, of_patients))
    return made


def _methods(made: Methods) -> list[Part]:
    found = [
        Part(f"methods{end}", "Methods, with the works that they cite", made.to(form))
        for form, end in METHODS_FORMS.items()
    ]
    lines = [f"{i}. {escaped(reference.line)}" for i, reference in enumerate(made.references, 1)]
    found.append(Part("references.md", "the works that the Methods cite", "\n".join([*lines, ""]).encode()))
    return found


def _missing(missing: list[Missing]) -> bytes:
    lines = ["# What is missing", ""]
    lines += [f"- {escaped(each.what)}: {escaped(each.why)}" for each in missing] or ["Nothing: all was made."]
    return "\n".join([*lines, ""]).encode("utf-8", "backslashreplace")
