"""The report as a file: what the page needs beside the study's results, and the pages of patients beside it.

written = write(study, Path("report.html"), Asked(has_stamp=True))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tshdb.figures.kept import KeptDrawings
from tshdb.pages import Page, report
from tshdb.pages.patient_pages import write_patient_pages
from tshdb.pages.report import Beside, since
from tshdb.pages.report.passing_on import names_of
from tshdb.places import PATIENTS, place_of_report

if TYPE_CHECKING:
    from tshdb.pages.report import OfVariant
    from tshdb.study import Study


@dataclass(frozen=True)
class Asked:
    """What is asked of a report.

    variant        the name of a variant, or None for the study itself
    has_stamp      the time, the command, what is stale
    since          an earlier report, of which is marked what has changed
    with_patients  patients are named, and each has a page of her own
    command        as it was given, for the stamp
    """

    variant: str | None = None
    has_stamp: bool = False
    since: Path | None = None
    with_patients: bool = False
    command: str = "tshdb report"


@dataclass(frozen=True)
class Written:
    """The report and the pages of patients. words: what must be said of a variant; n_made, n_taken: drawings; page: its HTML."""

    path: Path
    page: str
    patients: list[Path]
    words: str
    n_made: int
    n_taken: int


def write(
    study: Study, to: Path | None, asked: Asked, progress: Callable[[str, int, int], None] | None = None
) -> Written:
    """Write the report; it is whole or not there. to: a file, a folder, or None for reports/ of the study.

    Raises NotFound for a variant or an earlier report that there is not; InvalidInput for an earlier page that is no report of
    the same study, and for a page that would name a patient.
    """
    path = place_of_report(study.root, to, asked.variant)
    kept = KeptDrawings(study.root)
    earlier = since.read(asked.since) if asked.since is not None else None
    with _seen(study, asked.variant) as (seen, said):
        with seen.asking():
            beside = Beside(said, _stamp(study, asked), earlier, asked.since)
            page = report(seen, beside, kept, asked.with_patients)
        Page(page).save(path, is_named=to is not None)
        pages = write_patient_pages(seen, path.parent / PATIENTS, progress) if asked.with_patients else []
    kept.forget_unused()
    return Written(path, page, pages, said.words if said is not None else "", kept.n_made, kept.n_taken)


def _stamp(study: Study, asked: Asked):
    if not asked.has_stamp:
        return None
    from tshdb.actions.stamping import stamp

    return stamp(study, asked.command, names_of(study))


@contextmanager
def _seen(study: Study, variant: str | None) -> Iterator[tuple[Study, OfVariant | None]]:
    """The study, or as a variant has it."""
    if variant is None:
        yield study, None
        return
    from tshdb.actions.variants import reported

    with reported(study, variant) as (copied, said):
        yield copied, said
