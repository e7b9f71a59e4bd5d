"""A page for each patient: images, scores, features against the others, clinical values, cohorts, findings.

The pages name the patients, and so stay with the study: they lie in reports/patients/, one file each, by a name that follows
from the patient's id alone (`tshdb.places.page_of_patient`), and no page names another patient. A withdrawal takes the page
of who withdrew; those of patients who are gone, or not asked for any more, go when pages are written again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from tshdb.errors import NotFound
from tshdb.near import did_you_mean
from tshdb.pages.html import Page, rendered
from tshdb.pages.patient_facts import Held
from tshdb.pages.patient_images import Images
from tshdb.pages.patient_view import view
from tshdb.places import files_below, page_of_patient

if TYPE_CHECKING:
    from tshdb.study import Study

AT_ONCE = 50  # patients whose rows are read together
MARK = b'<article id="patient-page"'
HEAD = 1 << 15  # bytes of a page in which its mark stands


def write_patient_pages(
    study: Study,
    folder: Path,
    progress: Callable[[str, int, int], None] | None = None,
    patients: Collection[str] | None = None,
) -> list[Path]:
    """Write a page a patient into the folder, and remove the pages there of others. Gives the paths, in the patients' order.

    progress   is told (what, done, of how many) after each page
    patients   whose pages are asked for; None: all of the study

    Raises NotFound for a patient that the study does not have; then nothing is written.
    """
    held = Held(study)
    asked = held.patients if patients is None else list(dict.fromkeys(patients))
    for patient in sorted(set(asked) - set(held.patients)):
        listed = 'See: tshdb sql "SELECT patient_id FROM patients"'
        raise NotFound(
            f"no patient '{patient}'", where="--patients", repair=did_you_mean(patient, held.patients, listed)
        )
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / page_of_patient(patient) for patient in asked]
    _remove_others(folder, set(paths))
    images, n = Images(study), 0
    for start in range(0, len(asked), AT_ONCE):
        for facts in held.facts(asked[start : start + AT_ONCE]):
            Page(rendered("patient.html", **view(held, images, facts))).save(paths[n])
            n += 1
            if progress is not None:
                progress("pages of patients", n, len(asked))
    return paths


def _remove_others(folder: Path, kept: Collection[Path]) -> None:
    """Remove pages of patients that are not among these. What is no such page is left."""
    for path in files_below(folder, is_deep=False):
        if path.suffix == ".html" and path not in kept:
            with path.open("rb") as file:
                is_ours = MARK in file.read(HEAD)
            if is_ours:
                path.unlink()
