"""tshdb truth: derived values against independent measurements."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import out, out_json, say, table
from cli.options import JsonOption, StudyOption

if TYPE_CHECKING:
    from tshdb.truths.judging import Judged

app = typer.Typer(help="Derived values against independent measurements: truths.toml.", no_args_is_help=True)


@app.command("list")
def list_truths(study: StudyOption = None, as_json: JsonOption = False) -> None:
    """What is held against what, as truths.toml says. Nothing is computed.

    Example: tshdb truth list
    """
    from tshdb.actions import truths
    from tshdb.study import Study

    facts = truths.truths(Study.find(study))
    if as_json:
        out_json(facts)
    elif not facts:
        out("This study has no truths. Write one: tshdb truth add")
    else:
        rows = [(f["truth"], f["relation"], f["derived"], f["measured"], f["at_least"], f["about"]) for f in facts]
        table(("truth", "relation", "derived", "measured", "at least", "about"), rows, right=(4,))


@app.command("check")
def check(
    names: Annotated[list[str] | None, typer.Argument(metavar="[TRUTH]...", help="Only these.")] = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compute each truth: how many both sides know, the figure with its 95 % interval, the verdict, what would explain a bad one.

    Exit code 5 where one disagrees; 7 where one cannot be computed, and none disagrees.

    Example: tshdb truth check
    """
    from tshdb.actions import truths
    from tshdb.errors import Exit
    from tshdb.study import Study

    found = truths.check_truths(Study.find(study), *(names or ()))
    if as_json:
        out_json([one.facts for one in found])
    elif not found:
        out("This study has no truths. Write one: tshdb truth add")
    else:
        _show(found)
    if any(one.is_red for one in found):
        raise typer.Exit(Exit.INTEGRITY)
    if any(one.problem is not None for one in found):
        raise typer.Exit(Exit.INVALID_INPUT)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="TRUTH", help="Of the entry.")],
    relation: Annotated[
        str, typer.Option(help="same: equal up to error; rank: in one order; class: told apart, or called alike.")
    ],
    at_least: Annotated[float, typer.Option(help="What the figure must reach: CCC, Spearman, AUC or kappa.")],
    derived: Annotated[str, typer.Option(metavar="TABLE.COLUMN", help="The derived column.")],
    measured: Annotated[
        str | None, typer.Option(metavar="TABLE.COLUMN", help="The measurement, where it is in the study.")
    ] = None,
    file: Annotated[Path | None, typer.Option(metavar="FILE", help="The measurement, where it is in a file.")] = None,
    column: Annotated[str | None, typer.Option(help="Of the file, with the measurement.")] = None,
    patient: Annotated[str | None, typer.Option(metavar="COLUMN", help="Of the file, with the patient.")] = None,
    examination: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Of the file, with the study UID (--per examination).")
    ] = None,
    time_point: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Of the file, with T0, T1 … (--per visit).")
    ] = None,
    series: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The measurement, where it is a map among the images: *SER*.")
    ] = None,
    measure: Annotated[
        str | None, typer.Option(help="Of the map's voxels: volume_ml (without it), mean or median.")
    ] = None,
    above: Annotated[float | None, typer.Option(help="Of the map, voxels above this alone; 0 without it.")] = None,
    region: Annotated[str | None, typer.Option(help="tumor: of the map, voxels of the tumour mask alone.")] = None,
    map_path: Annotated[
        Path | None, typer.Option("--map", metavar="FILE", help="The map of any other table or workbook.")
    ] = None,
    derived_where: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN=WORD", help="Rows of the derived table; as often as needed.")
    ] = None,
    measured_where: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN=WORD", help="Rows of the measurement; as often as needed.")
    ] = None,
    factor: Annotated[float | None, typer.Option(help="Measured values times this are in the derived unit.")] = None,
    unit: Annotated[str | None, typer.Option(help="Of the values then, such as ml.")] = None,
    per: Annotated[str, typer.Option(help="What is matched: patient, examination or visit.")] = "patient",
    sign: Annotated[str | None, typer.Option(help="Of rank: positive (without it) or negative.")] = None,
    higher: Annotated[
        str | None, typer.Option(help="Of class: the measured word that has higher values; without it, kappa of words.")
    ] = None,
    least: Annotated[int | None, typer.Option(help="With fewer in common nothing is judged; 10 without it.")] = None,
    about: Annotated[str | None, typer.Option(help="A sentence for whoever reads it.")] = None,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a truth into truths.toml, once both sides could be read and share somebody.

    Example: tshdb truth add volume --relation same --at-least 0.9 --derived tumor_masks.volume_ml --derived-where time_point=T0
    --file volumes.csv --patient ID --column volume_mm3 --factor 0.001 --unit ml
    """
    from tshdb.actions import truths
    from tshdb.study import Study

    opened = Study.find(study)
    of_derived = _column_of(derived, "--derived") | _words_of(derived_where)
    _refuse_places(measured, file, series, column)
    of_measured = {} if measured is None else _column_of(measured, "--measured")
    of_measured |= _words_of(measured_where) | _said(
        {
            "file": None if file is None else _from(opened.root, file), "column": column, "patient": patient,
            "examination": examination, "time_point": time_point, "series": series, "measure": measure, "above": above,
            "region": region, "map": None if map_path is None else _from(opened.root, map_path), "factor": factor, "unit": unit,
        }
    )  # fmt: skip
    entry = {
        "about": about, "relation": relation, "at_least": at_least, "per": None if per == "patient" else per, "sign": sign,
        "higher": higher, "least": least, "derived": of_derived, "measured": of_measured,
    }  # fmt: skip
    added = truths.add_truth(opened, name, _said(entry))
    if as_json:
        out_json({"path": str(added.path), **added.judged.facts})
    else:
        _show([added.judged])
        say(f" {name} stands in {added.path.name}")


def _show(found: list[Judged]) -> None:
    rows = []
    for one in found:
        n = None if one.figure is None else f"{one.figure.n:,}"
        alone = (None, None) if one.figure is None else (f"{one.derived_only:,}", f"{one.measured_only:,}")
        rows.append((one.declared.name, n, *alone, one.found or None, one.declared.truth.at_least, one.verdict))
    headers = ("truth", "in common", "derived only", "measured only", "figure (95 %)", "at least", "verdict")
    table(headers, rows, right=(1, 2, 3, 5))
    for one in found:
        for note in one.notes:
            out(f"   {one.declared.name}: {note}")


def _refuse_places(measured: str | None, file: Path | None, series: str | None, column: str | None) -> None:
    """Raises UsageError unless the measurement is in one place."""
    from tshdb.errors import UsageError

    if [file, measured, series].count(None) != 2:
        raise UsageError(
            "one measurement is needed", where="tshdb truth add",
            repair="Say --measured TABLE.COLUMN, --file FILE or --series TEXT",
        )  # fmt: skip
    if column is not None and file is None:
        raise UsageError("--column is of a file", where="tshdb truth add", repair="Leave it out, or name --file")


def _column_of(text: str, option: str) -> dict[str, Any]:
    """TABLE.COLUMN; of imported_features the rest is a feature's name."""
    from tshdb.errors import UsageError

    name, dot, rest = text.partition(".")
    if not (name and dot and rest):
        raise UsageError(f"'{text}'", where=option, repair="Write TABLE.COLUMN, such as tumor_masks.volume_ml")
    return {"table": name, "feature" if name == "imported_features" else "column": rest}


def _words_of(texts: list[str] | None) -> dict[str, Any]:
    """COLUMN=WORD, each; of one column several words are any of them."""
    from tshdb.errors import UsageError

    words: dict[str, Any] = {}
    for text in texts or ():
        name, equals, word = text.partition("=")
        if not (name and equals):
            raise UsageError(f"'{text}'", where="--where", repair="Write COLUMN=WORD, such as time_point=T0")
        words.setdefault(name, []).append(word)
    return {"where": {k: v[0] if len(v) == 1 else v for k, v in words.items()}} if words else {}


def _from(root: Path, path: Path) -> str:
    """A path as truths.toml has it: from the study's folder on, where the file lies below it."""
    whole = path.expanduser().resolve()
    return str(whole.relative_to(root.resolve()) if whole.is_relative_to(root.resolve()) else whole)


def _said(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
