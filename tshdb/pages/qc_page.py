"""The page on which a person looks through examinations: pictures, pass or fail, and a file of verdicts to bring back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tshdb.canonical import json_fingerprint, json_text
from tshdb.files import complete
from tshdb.next_step import NextSteps
from tshdb.pages.html import Page, rendered
from tshdb.text.controls import clean

if TYPE_CHECKING:
    from tshdb.study import Study

DRAWN = ".drawn.json"


def write_qc_page(
    study: Study, folder: Path, cohort: str | None = None, progress: Callable[[str, int, int], None] | None = None
) -> Path:
    """Draw what is new or changed, and write index.html into the folder. Gives its path.

    cohort: only its members; progress: is told (what, done, of how many) after each examination.
    """
    from tshdb.figures import saved
    from tshdb.figures.examination_drawings import picture
    from tshdb.figures.examinations import Examinations

    examinations = Examinations(study)
    wanted = examinations.sets[examinations.sets["time_point"] == "T0"]
    if cohort is not None:
        wanted = wanted[wanted["patient_id"].isin(set(study.cohort(cohort).members))]
    folder.mkdir(parents=True, exist_ok=True)
    states = _states(study)
    drawn = _drawn(folder)
    rows: list[dict[str, Any]] = []
    steps = NextSteps(study)
    for i, row in enumerate(wanted.to_dict("records")):
        name = f"{row['study_uid']}.png"
        state = states.get(row["study_uid"])
        if row["status"] == "found" and state is not None:
            if drawn.get(name) != state or not (folder / name).is_file():
                examination = examinations.load(row["study_uid"])
                if examination.volumes:
                    with complete(folder / name) as written:
                        written.write_bytes(saved(picture(examination), "png", dpi=70))
                    drawn[name] = state
        rows.append(
            {
                "study_uid": row["study_uid"],
                "patient": clean(row["patient_id"]),
                "picture": name if (folder / name).is_file() and row["status"] == "found" else None,
                "said": clean(_phases_text(row, steps)),
                **{
                    k: clean(row[k]) if isinstance(row[k], str) else ""
                    for k in ("verdict", "cause", "read_by", "comment")
                },
            }
        )
        if progress is not None:
            progress("pictures", i + 1, len(wanted))
    rows.sort(key=lambda r: r["picture"] is None)  # what can be looked at comes first
    with complete(folder / DRAWN) as written:
        written.write_text(json.dumps(drawn, sort_keys=True))
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


def _states(study: Study) -> dict[str, str]:
    """study -> a digest of the units that its picture rests on."""
    table = study.sql(
        "SELECT key, analysis, fingerprint FROM units WHERE analysis IN ('dce_phases', 'dce_slices', 'masks', "
        "'ingest.qc_verdicts', 'ingest.imaging_instances') AND state = 'current'"
    )
    return {
        key: json_fingerprint(json_text(sorted(zip(g["analysis"], g["fingerprint"], strict=True))))
        for key, g in table.groupby("key")
    }


def _drawn(folder: Path) -> dict[str, str]:
    """picture -> the state that it shows."""
    try:
        drawn = json.loads((folder / DRAWN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return drawn if isinstance(drawn, dict) else {}
