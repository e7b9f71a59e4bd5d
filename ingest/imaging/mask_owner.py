"""Whose a mask is: the patient, and the examination on which it was drawn.

Patient       the sheet's, else the one that a part of its path names: the file, else the nearest folder.
Examination   the sheet's; else the one whose study_uid or date stands in its path; else, of several, the one whose images
              have its grid, voxel by voxel. Where none of these decides, it is not taken: a grid that is off by whole voxels fits
              by chance, and the first examination is no better a guess than the second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from ingest.imaging.mask_sheet import Row, is_named
from ingest.imaging.unreadable import Unreadable
from tshdb import dated
from tshdb.geometry import Grid, differences
from tshdb.images.series_grid import corners, is_same_stack
from tshdb.readers import Examination

Grids = Callable[[str], Sequence[Grid]]  # study_uid -> the grids of its series


def patient_in(texts: Sequence[str], patients: set[str]) -> str:
    """The patient whom the first of the texts names. Raises Unreadable for none, for several, and for a contradiction."""
    for i, text in enumerate(texts):
        matching = {p for p in patients if is_named(p, text)}
        longest = {p for p in matching if not any(p != q and is_named(p, q) for q in matching)}
        if len(longest) == 1:
            (patient,) = longest
            others = {t for t in texts[i + 1 :] if t in patients and t != patient}
            if others:
                raise Unreadable(
                    "mask.no-patient", f"{text} names {patient}, and lies in a folder of {others.pop()}: whose is it?"
                )
            return patient
    raise Unreadable("mask.no-patient", "its name holds no patient of the study, or several: name it in a sheet")


def texts_of(name: str, path: Path) -> list[str]:
    """The parts of a path by which a patient is looked for: the file, then folders, nearest first."""
    parts = list(reversed(PurePosixPath(name).parts))
    return [*parts, path.name, path.parent.name] if path.name != parts[0] else [*parts, path.parent.name]


def source_name(relative: str, folder: str, row: Row, patients: set[str]) -> str:
    """The name of a file's source: where it lies in the delivery, below its patient where the path does not say whose it is."""
    try:
        patient = row.get("patient_id") or patient_in([*reversed(PurePosixPath(relative).parts), folder], patients)
    except Unreadable:
        return relative
    return (
        relative if any(is_named(patient, part) for part in PurePosixPath(relative).parts) else f"{patient}/{relative}"
    )


def examination_of(
    texts: Sequence[str], row: Row, examinations: Sequence[Examination], grid: Grid | None, grids: Grids
) -> tuple[Examination, list[str]]:
    """(the examination of a mask, what is doubtful about it). grid: None where the file has none. Raises Unreadable."""
    told = row.get("study_uid"), row.get("time_point")
    patient = row.get("patient_id")
    if told[0] and not patient:
        matching = [e for e in examinations if e.study_uid == told[0]]
    else:
        patient = patient or patient_in(texts, {e.patient_id for e in examinations})
        of_patient = [e for e in examinations if e.patient_id == patient]
        matching = [e for e in of_patient if e.time_point is not None] or of_patient
        if told[0]:
            matching = [e for e in of_patient if e.study_uid == told[0]]
        if told[1]:
            matching = [e for e in matching if e.time_point == told[1]]
    if not matching:
        raise Unreadable(
            "mask.no-study", "the study has no such examination; ingest its images first, or name it in a sheet"
        )
    rivals = [e for e in examinations if e.patient_id == matching[0].patient_id and e.time_point is not None]
    if len(matching) > 1:
        matching, flags = _one_of(matching, texts, grid, grids)
        return matching[0], flags
    return matching[0], _contradictions(matching[0], rivals, grid, grids)


def _one_of(
    several: list[Examination], texts: Sequence[str], grid: Grid | None, grids: Grids
) -> tuple[list[Examination], list[str]]:
    path = "/".join(reversed(texts))
    by_uid = [e for e in several if is_named(e.study_uid, path)]
    if len(by_uid) == 1:
        return by_uid, []
    days = {day for text in texts if (day := dated.in_name(Path(text))) is not None}
    by_day = [e for e in several if e.study_date in days]
    if len(by_day) == 1 and grid is not None:
        return by_day, _contradictions(by_day[0], several, grid, grids)
    if grid is not None:
        same = [e for e in several if any(is_same_stack(grid, g) for g in grids(e.study_uid))]
        if len(same) == 1:
            return same, []
        if not same:
            lies_on = [e for e in several if any(_lies_inside(grid, g) for g in grids(e.study_uid))]
            if len(lies_on) == 1:
                return lies_on, [
                    f"taken for {lies_on[0].time_point}: of several examinations it lies on this one alone"
                ]
    points = ", ".join(f"{e.time_point} of {e.study_date or 'no date'}" for e in several)
    raise Unreadable(
        "mask.which-examination",
        f"{several[0].patient_id} was examined {len(several)} times ({points}), and neither path nor grid says on which "
        "it was drawn: name time_point or study_uid in a sheet",
    )


def _contradictions(chosen: Examination, rivals: list[Examination], grid: Grid | None, grids: Grids) -> list[str]:
    """What speaks for another examination of the patient."""
    others = [e for e in rivals if e.study_uid != chosen.study_uid]
    if grid is None or not others or any(is_same_stack(grid, g) for g in grids(chosen.study_uid)):
        return []
    of_others = [e for e in others if any(is_same_stack(grid, g) for g in grids(e.study_uid))]
    if not of_others:
        return []
    return [
        f"has the grid of {of_others[0].time_point}, and not of {chosen.time_point}: drawn on the other examination?"
    ]


def _lies_inside(grid: Grid, image: Grid) -> bool:
    places = [image.index_of(place) for place in corners(grid)]
    last = [n - 0.5 for n in image.shape]
    return not differences(grid, image) and all(
        all(-0.5 < v < end for v, end in zip(p, last, strict=True)) for p in places
    )
