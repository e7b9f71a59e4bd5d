"""The page on which a person looks through examinations: pictures, pass or fail, and a file of verdicts to bring back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tshdb.next_step import NextSteps
from tshdb.pages.html import Page, rendered
from tshdb.text.controls import clean

if TYPE_CHECKING:
    from tshdb.study import Study


def write_qc_page(
    study: Study, folder: Path, cohort: str | None = None, progress: Callable[[str, int, int], None] | None = None
) -> Path:
    """Draw what is new or changed, and write index.html into the folder. Gives its path.

    cohort: only its members; progress: is told (what, done, of how many) after each examination.
    """
    from tshdb.figures.examinations import Examinations
    from tshdb.pages.qc_lesions import Judged
    from tshdb.pages.qc_pictures import Pictures

    examinations = Examinations(study)
    wanted = examinations.sets[examinations.sets["time_point"] == "T0"]
    if cohort is not None:
        wanted = wanted[wanted["patient_id"].isin(set(study.cohort(cohort).members))]
    folder.mkdir(parents=True, exist_ok=True)
    pictures, judged = Pictures(study, examinations, folder), Judged(study)
    rows: list[dict[str, Any]] = []
    steps = NextSteps(study)
    for i, row in enumerate(wanted.to_dict("records")):
        rows.append(
            {
                "study_uid": row["study_uid"],
                "patient": clean(row["patient_id"]),
                "pictures": pictures.of(row),
                "lesions": judged.of(row["study_uid"]),
                "said": clean(_phases_text(row, steps)),
                **{
                    k: clean(row[k]) if isinstance(row[k], str) else ""
                    for k in ("verdict", "cause", "read_by", "comment")
                },
            }
        )
        if progress is not None:
            progress("pictures", i + 1, len(wanted))
    rows.sort(key=lambda r: not r["pictures"])  # what can be looked at comes first
    pictures.save()
    path = folder / "index.html"
    Page(rendered("qc.html", title=f"Images of {clean(study.name)}", rows=rows)).save(path)
    return path


def _phases_text(row: dict[str, Any], steps: NextSteps) -> str:
    if row["status"] == "found":
        flags = f"; look at: {row['qc_flags']}" if isinstance(row["qc_flags"], str) else ""
        return f"{int(row['n_phases'])} phases of {int(row['n_slices'])} slices by {row['key_used']}{flags}"
    if isinstance(row["reason"], str):
        return row["reason"]
    return f"not split into phases yet. {steps.of_analyses('dce_sets', key=row['study_uid'])}".rstrip()
