"""The paper's figures from a study's results, and pictures of its examinations.

of_paper              what each of the paper's figures is drawn from, and how to read it
drawings, feature_drawings, signature_drawings, residual_drawings   the drawing itself, from rows
examinations          what there is to look at in one examination
examination_drawings  its phases, subtraction, masks and time curve
region_drawings       breast, tumour and stroma on the prepared images
refusals, refusal_drawings   geometry that was refused: the grids to scale, the largest difference, the reason
curve_drawings        the specification curve of a multiverse
fitting               texts are text, and fit the page
palette               what the lines of these pictures mean: names and colours
later, kept           a drawing that is not drawn yet, and drawings that were made of the same rows before
plain_text            texts of data are drawn as they are
printed, styles       a drawing as a file: form, width, resolution, style sheet
room, settled         laying out in another width
drawn_rows            the rows of a figure as CSV or Excel

    study = tshdb.open("brca")
    figures.figure(study, "km", form="pdf").save("km.pdf")

matplotlib is imported when something is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tshdb import installed
from tshdb.errors import InvalidInput, NotFound, TshdbError, UsageError
from tshdb.figures.later import Later
from tshdb.figures.plain_text import NO_MATH
from tshdb.figures.printed import FONTS, SUFFIXES, Print, as_file, asked, drawn_in_style
from tshdb.files import complete, complete_through, made_for
from tshdb.formats import chosen
from tshdb.near import did_you_mean
from tshdb.next_step import NextSteps, naming_next_step
from tshdb.written_files import Holds, is_of_patients, note_written

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from tshdb.figures.kept import KeptDrawings
    from tshdb.offered import StudyFigure
    from tshdb.study import Study

__all__ = [
    "FORMATS",
    "Drawing",
    "Print",
    "asked",
    "drawn_in_style",
    "examination",
    "figure",
    "form_of",
    "geometry",
    "regions",
]

FORMATS = tuple(SUFFIXES)


@dataclass(frozen=True)
class Drawing:
    """A drawn figure.

    how_to_read  one line for whoever looks at it
    data         the bytes of a file in this form (svg, pdf, png, tiff)
    rows         the tables that are drawn, where the figure says so
    holds        what of the study's patients it shows, for the note of a file that is written outside of the study
    """

    title: str
    how_to_read: str
    form: str
    data: bytes
    rows: tuple[pd.DataFrame, ...] = ()
    holds: Holds | None = field(default=None, compare=False, repr=False)

    @property
    def svg(self) -> str:
        """The text of an SVG. Raises UsageError for a drawing in another form."""
        if self.form != "svg":
            raise UsageError(f"the drawing is {self.form}", where=self.title, repair='Draw it with form="svg"')
        return self.data.decode("utf-8")

    def save(self, path: str | Path, *, is_named: bool = False) -> str | None:
        """Write the file, which is whole or not there. Gives what must be said where the study could not note it.

        is_named: by a person, so that a link or a pipe there is written through. Raises UsageError for a name that says another
        form.
        """
        place = Path(path)
        chosen(SUFFIXES, self.form, place, self.form)
        with (complete_through if is_named else complete)(made_for(place)) as written:
            written.write_bytes(self.data)
        return None if self.holds is None else note_written(self.holds, place)

    def save_rows(self, path: str | Path) -> list[Path]:
        """Write the rows that are drawn: FILE.csv (of several tables also FILE-2.csv and so on) or FILE.xlsx. Gives the files.

        Raises UsageError for a figure that does not say its rows.
        """
        from tshdb.figures.drawn_rows import write_rows

        paths = write_rows(self.rows, Path(path), self.title)
        if self.holds is not None:
            for each in paths:
                note_written(self.holds, each)
        return paths

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str | bytes]:
        kinds = {"svg": "image/svg+xml", "pdf": "application/pdf", "png": "image/png", "tiff": "image/tiff"}
        return {kinds[self.form]: self.svg if self.form == "svg" else self.data, "text/plain": self.how_to_read}


def form_of(path: Path, asked_for: str | None = None) -> str:
    """The form that a file's name asks for. asked_for: the form by its name, which must not disagree. Raises UsageError."""
    return chosen(SUFFIXES, asked_for, path, "svg")


def refuse_unknown(name: str) -> None:
    """Raises UsageError for a figure that there is not."""
    known = installed.figures()
    if name not in known:
        listed = f"Known: {', '.join(known)}"
        raise UsageError(f"figure {name}", where="tshdb figure", repair=did_you_mean(name, known, listed))


def figure(
    study: Study,
    name: str,
    cohort: str | None = None,
    form: str = "svg",
    steps: NextSteps | None = None,
    kept: KeptDrawings | None = None,
    how: Print = Print(),  # noqa: B008 - it cannot be changed
) -> Drawing:
    """A figure of the paper, or of an installed package, from this study's results. The same rows give the same bytes.

    name     one of `tshdb.installed.figures`
    cohort   cohort@version, or a name for its newest version; None for the cohort that study.toml names first
    form     svg, pdf, png or tiff
    steps    the study's next steps, so that several figures share one look at it
    kept     drawings of before: one of the same rows is taken from there, and a new one is put there
    how      width, resolution, style (`asked`)

    Raises UsageError for a figure or a form that there is not; NotFound, with the next step, where its rows are not there;
    InvalidInput where another package's figure fails.
    """
    refuse_unknown(name)
    chosen(SUFFIXES, form, None, form)
    record = installed.figures()[name]
    with naming_next_step(study, steps):
        drawn, how_to_read = _read(record, study, cohort)
    words = [how_to_read]
    if not isinstance(drawn, Later):
        data = drawn_in_style(lambda: drawn, form, how, words)
        return Drawing(record.title, joined(words), form, data, (), _holds(study, name, ()))
    if kept is not None and how.is_usual:
        data, remarks = kept.drawing(drawn, form)
        words += remarks
    else:
        data = drawn_in_style(drawn.figure, form, how, words)
    rows = tuple(drawn.rows)
    return Drawing(record.title, joined(words), form, data, rows, _holds(study, name, rows))


def joined(words: list[str]) -> str:
    """How to read a figure, and what must be said of it."""
    how_to_read, *remarks = words
    return how_to_read if not remarks else f"{how_to_read.rstrip('.')}; {'; '.join(remarks)}."


def _holds(study: Study, name: str, rows: Sequence[pd.DataFrame]) -> Holds:
    """What a figure shows of patients, as far as its rows say it."""
    cohorts = {str(cohort) for frame in rows if "cohort" in frame for cohort in frame["cohort"].dropna().unique()}
    of_patients = any(map(is_of_patients, rows)) if rows else None
    return Holds(study.root, "figure", name, of_patients, cohorts or None)


def _read(record: StudyFigure, study: Study, cohort: str | None) -> tuple[Figure | Later, str]:
    """The figure as its package makes it; what fails in another one's code is no failure of this program."""
    from matplotlib import rc_context

    from tshdb.figures.drawings import STYLE

    module = record.read.__module__
    if module.partition(".")[0] == "tshdb":
        return record.read(study, cohort)
    try:
        with rc_context(STYLE):  # such a package draws at once
            return record.read(study, cohort)
    except Exception as error:
        if isinstance(error, TshdbError):
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
    return Drawing(
        title,
        "Masks are outlined on the subtraction.",
        form,
        saved(lambda: picture(drawn), form),
        (),
        _of_one(study, patient),
    )


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
            (),
            _of_one(study, facts["patient_id"]),
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
    return Drawing(f"{patient}-{facts['time_point']}", "What features see is inside of the lines.", form, drawn, (),
                   _of_one(study, patient))  # fmt: skip


def _of_one(study: Study, patient: str) -> Holds:
    return Holds(study.root, "picture", "of an examination", True, None, patient)


def saved(draw: Callable[[], Figure], form: str, dpi: int = 110) -> bytes:
    """A picture of an examination as the bytes of a file. What names say is no formula, whatever signs they hold."""
    from matplotlib import rc_context

    with rc_context({**NO_MATH, **FONTS}):
        return as_file(draw, form, Print(dpi=dpi))
