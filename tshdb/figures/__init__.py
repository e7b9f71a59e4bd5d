"""The paper's figures from a study's results, and pictures of its examinations.

of_paper              what each of the paper's figures is drawn from, and how to read it
drawings, feature_drawings, signature_drawings, residual_drawings   the drawing itself, from rows
examinations          what there is to look at in one examination
examination_drawings  its phases, subtraction, masks and time curve
region_drawings       breast, tumour and stroma on the prepared images
refusals, refusal_drawings   geometry that was refused: the grids to scale, the largest difference, the reason
curve_drawings        the specification curve of a multiverse
palette               what the lines of these pictures mean: names and colours

    study = tshdb.open("brca")
    figures.figure(study, "km").save("km.pdf")

matplotlib is imported when something is drawn.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tshdb import installed
from tshdb.errors import InvalidInput, NotFound, TshdbError, UsageError
from tshdb.files import complete
from tshdb.near import did_you_mean
from tshdb.next_step import NextSteps, naming_next_step

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tshdb.offered import StudyFigure
    from tshdb.study import Study

__all__ = ["FORMATS", "Drawing", "examination", "figure", "geometry", "regions"]

FORMATS = ("svg", "pdf", "png")


@dataclass(frozen=True)
class Drawing:
    """A drawn figure. data: the bytes of a file in this form (svg, pdf, png); how_to_read: one line for whoever looks at it."""

    title: str
    how_to_read: str
    form: str
    data: bytes

    @property
    def svg(self) -> str:
        """The text of an SVG. Raises UsageError for a drawing in another form."""
        if self.form != "svg":
            raise UsageError(f"the drawing is {self.form}", where=self.title, repair='Draw it with form="svg"')
        return self.data.decode("utf-8")

    def save(self, path: str | Path) -> None:
        """Write the file; it is whole or not there."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with complete(path) as written:
            written.write_bytes(self.data)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str | bytes]:
        kinds = {"svg": "image/svg+xml", "pdf": "application/pdf", "png": "image/png"}
        return {kinds[self.form]: self.svg if self.form == "svg" else self.data, "text/plain": self.how_to_read}


def form_of(path: Path) -> str:
    """The form that a file's name asks for. Raises UsageError for one that cannot be drawn."""
    form = path.suffix[1:]
    if form not in FORMATS:
        known = ", ".join(f".{f}" for f in FORMATS)
        raise UsageError(f"format '{path.suffix}'", where=str(path), repair=f"Known: {known}")
    return form


def refuse_unknown(name: str) -> None:
    """Raises UsageError for a figure that there is not."""
    known = installed.figures()
    if name not in known:
        listed = f"Known: {', '.join(known)}"
        raise UsageError(f"figure {name}", where="tshdb figure", repair=did_you_mean(name, known, listed))


def figure(
    study: Study, name: str, cohort: str | None = None, form: str = "svg", steps: NextSteps | None = None
) -> Drawing:
    """A figure of the paper, or of an installed package, from this study's results. The same rows give the same bytes.

    name     one of `tshdb.installed.figures`
    cohort   cohort@version, or a name for its newest version; None for the cohort that study.toml names first
    form     svg, pdf or png
    steps    the study's next steps, so that several figures share one look at it

    Raises UsageError for a figure that there is not; NotFound, with the next step, where its rows are not there; InvalidInput
    where another package's figure fails.
    """
    refuse_unknown(name)
    record = installed.figures()[name]
    words: list[str] = []

    def draw() -> Figure:
        drawn, how_to_read = _drawn(record, study, cohort)
        words.append(how_to_read)
        return drawn

    with naming_next_step(study, steps):
        data = drawn_in_style(draw, form)
    return Drawing(record.title, words[0], form, data)


def drawn_in_style(draw: Callable[[], Figure], form: str) -> bytes:
    """A figure in the house's style as the bytes of a file, which depend on what is drawn alone."""
    from matplotlib import rc_context

    from tshdb.figures.drawings import STYLE

    dates: dict[str, dict[str, None]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}
    buffer = io.BytesIO()
    with rc_context(STYLE):
        draw().savefig(buffer, format=form, metadata=dates[form], dpi=150)
    return buffer.getvalue()


def _drawn(record: StudyFigure, study: Study, cohort: str | None) -> tuple[Figure, str]:
    """The figure as its package draws it; what fails in another one's code is no failure of this program."""
    module = record.read.__module__
    try:
        return record.read(study, cohort)
    except Exception as error:
        if isinstance(error, TshdbError) or module.partition(".")[0] == "tshdb":
            raise
        raise InvalidInput(
            f"it cannot be drawn: {type(error).__name__}: {error}", where=f"figure {record.name}, of {module}",
            repair="Mend the package, or take it away",
        ) from error  # fmt: skip


def examination(study: Study, patient: str, time_point: str | None = None, form: str = "png") -> Drawing:
    """Phases, subtraction with masks, projection and time curve of a patient's examination (the first, if none is named).

    Where its images are no stack a phase, the picture of that. Raises NotFound where there is nothing to look at.
    """
    from tshdb.figures.examination_drawings import picture
    from tshdb.figures.examinations import Examinations

    examinations = Examinations(study)
    study_uid = examinations.uid_of(patient, time_point)
    drawn = examinations.load(study_uid)
    if not drawn.volumes:
        if refused := _refused(study, drawn.facts, study_uid, form):
            return refused[0]
        reason = drawn.facts["reason"] if isinstance(drawn.facts["reason"], str) else None
        why = "; ".join(drawn.notes) or reason
        if why is not None:
            raise NotFound(f"nothing to look at: {why}", where=patient)
        repair = NextSteps(study).of_analyses("dce_phases", key=study_uid)
        raise NotFound("nothing to look at: no phases yet", where=patient, repair=repair)
    title = f"{patient}-{drawn.facts['time_point']}"
    return Drawing(title, "Masks are outlined on the subtraction.", form, saved(lambda: picture(drawn), form))


def geometry(study: Study, patient: str, time_point: str | None = None, form: str = "png") -> list[Drawing]:
    """What of an examination's geometry was refused: a picture each, of phases and masks; of the first one, if none is named.

    Needs headers alone, no pixels. Raises NotFound for a patient without images.
    """
    from tshdb.figures.examinations import Examinations

    examinations = Examinations(study)
    study_uid = examinations.uid_of(patient, time_point)
    return _refused(study, examinations.sets.set_index("study_uid").loc[study_uid], study_uid, form)


def _refused(study: Study, facts: Mapping[str, Any], study_uid: str, form: str) -> list[Drawing]:
    from tshdb.figures.refusal_drawings import picture
    from tshdb.figures.refusals import refusals

    heading = f"{facts['patient_id']}   {facts['time_point']}   {facts['collection']}"
    return [
        Drawing(
            f"{facts['patient_id']}-{facts['time_point']}-geometry-{i}",
            f"{refusal.title}: {refusal.said}",
            form,
            saved(lambda refusal=refusal: picture(refusal, heading), form),
        )
        for i, refusal in enumerate(refusals(study, study_uid), 1)
    ]


def regions(study: Study, patient: str, time_point: str | None = None, form: str = "png") -> Drawing:
    """Breast, tumour and stroma of a patient's examination on the prepared images, as features see them, or why one is missing.

    Raises NotFound where there are no prepared images.
    """
    from tshdb.figures.examinations import Examinations
    from tshdb.figures.region_drawings import Regions, picture

    examinations = Examinations(study)
    study_uid = examinations.uid_of(patient, time_point)
    facts = examinations.sets.set_index("study_uid").loc[study_uid]
    heading = f"{patient}   {facts['time_point']}   {facts['collection']}"
    with naming_next_step(study):
        drawn = saved(lambda: picture(Regions(study, study_uid), heading), form)
    return Drawing(f"{patient}-{facts['time_point']}", "What features see is inside of the lines.", form, drawn)


def saved(draw: Callable[[], Figure], form: str, dpi: int = 110) -> bytes:
    """A picture of an examination as the bytes of a file. What names say is no formula, whatever signs they hold."""
    from matplotlib import rc_context

    buffer = io.BytesIO()
    with rc_context({"text.parse_math": False}):
        draw().savefig(buffer, dpi=dpi, format=form)
    return buffer.getvalue()
