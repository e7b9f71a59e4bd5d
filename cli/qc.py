"""tshdb qc: look at the images of an examination, and bring back what people saw."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from cli.ingest.options import CollectionOption, CompleteOption, DryRunOption, KeepGoingOption
from cli.noting import note, say_unnoted
from cli.options import JsonOption, StudyOption


class _PatientByDefault(TyperGroup):
    """`tshdb qc PATIENT` is `tshdb qc show PATIENT`."""

    def resolve_command(self, ctx, args):
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["show", *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=_PatientByDefault,
    help="Look at images, and bring back verdicts: tshdb qc PATIENT.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def show(
    patient: Annotated[str, typer.Argument(metavar="PATIENT", help="The patient, such as UCSF-BR-06.")],
    time_point: Annotated[str | None, typer.Option(help="Which examination, such as T1; else the first.")] = None,
    out_file: Annotated[Path | None, typer.Option("--out", help="Write it here (png, svg, pdf or tiff).")] = None,
    study: StudyOption = None,
) -> None:
    """A picture of an examination: phases, subtraction with masks, projection, time curve. Also: tshdb qc PATIENT.

    Example: tshdb qc UCSF-BR-06 --out ucsf-br-06.png
    """
    from cli.console import out_exact
    from tshdb.figures import examination
    from tshdb.places import made_in
    from tshdb.study import Study

    opened = Study.find(study)
    drawing = examination(opened, patient, time_point, _form(out_file))
    path = out_file or made_in(opened.root, "figures") / f"qc-{drawing.title}.png"
    say_unnoted(drawing.save(path))
    out_exact(path)


@app.command()
def regions(
    patient: Annotated[str, typer.Argument(metavar="PATIENT", help="The patient, such as UCSF-BR-06.")],
    time_point: Annotated[str | None, typer.Option(help="Which examination, such as T1; else the first.")] = None,
    out_file: Annotated[Path | None, typer.Option("--out", help="Write it here (png, svg, pdf or tiff).")] = None,
    study: StudyOption = None,
) -> None:
    """A picture of breast, tumour and stroma on the prepared images, as features see them; or why one is missing.

    Example: tshdb qc regions UCSF-BR-06
    """
    from cli.console import out_exact
    from tshdb.figures import regions as draw
    from tshdb.places import made_in
    from tshdb.study import Study

    opened = Study.find(study)
    drawing = draw(opened, patient, time_point, _form(out_file))
    path = out_file or made_in(opened.root, "figures") / f"regions-{drawing.title}.png"
    say_unnoted(drawing.save(path))
    out_exact(path)


def _form(path: Path | None) -> str:
    from tshdb.figures import form_of

    return "png" if path is None else form_of(path)


@app.command()
def geometry(
    patient: Annotated[str, typer.Argument(metavar="PATIENT", help="The patient, such as UCSF-BR-06.")],
    time_point: Annotated[str | None, typer.Option(help="Which examination, such as T1; else the first.")] = None,
    out_dir: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="The folder; else figures.")] = None,
    study: StudyOption = None,
) -> None:
    """A picture for each refusal of geometry, of phases and masks: the grids to scale, what is furthest off, the reason.

    Gaps, moved fields of view, turned masks and the like; headers are enough, no pixel is read.

    Example: tshdb qc geometry UCSF-BR-06
    """
    from cli.console import out_exact, say
    from tshdb.figures import geometry as draw
    from tshdb.places import made_in
    from tshdb.study import Study

    opened = Study.find(study)
    drawings = draw(opened, patient, time_point)
    for drawing in drawings:
        path = (out_dir or made_in(opened.root, "figures")) / f"{drawing.title}.png"
        say_unnoted(drawing.save(path))
        say(drawing.how_to_read)
        out_exact(path)
    if not drawings:
        say(f"no geometry of {patient} is refused, as far as positions tell. tshdb qc {patient} shows the images")


@app.command()
def page(
    out_dir: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="The folder; else reports/qc.")] = None,
    cohort: Annotated[str | None, typer.Option(help="Only the members of this cohort.")] = None,
    study: StudyOption = None,
) -> None:
    """One page of all first examinations, to look through, with their lesions: pass or fail, cause, comment, for qc import.

    Pictures that are there already are not drawn again, unless what they show has changed.

    Example: tshdb qc page --cohort prognostic_validation_ispy1
    """
    from cli.console import out_exact, progress
    from tshdb.pages import write_qc_page
    from tshdb.places import made_in
    from tshdb.study import Study

    opened = Study.find(study)
    with progress() as show:
        path = write_qc_page(opened, out_dir or made_in(opened.root, "reports", "qc"), cohort, progress=show)
    note(opened, path, "picture", "page of all examinations", of_patients=True)
    out_exact(path)


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="csv: study_uid, verdict, read_by; cause, comment, outline.")
    ],
    collection: CollectionOption,
    complete: CompleteOption = False,
    keep_going: KeepGoingOption = False,
    dry_run: DryRunOption = False,
    study: StudyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verdicts of people on images, as the table qc_verdicts: cohorts exclude by them. Of single lesions: lesion_verdicts.

    Example: tshdb qc import verdicts.csv --collection ispy1
    """
    from cli.ingest.outcome import finish
    from tshdb.actions import ingest
    from tshdb.study import Study

    opened = Study.find(study)
    loaded = ingest.verdicts(opened, file, collection, how=ingest.Loading(complete, keep_going, dry_run))
    finish(opened, loaded, as_json)
