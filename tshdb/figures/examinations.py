"""What there is to look at in one examination: its phases as volumes, and the masks that lie on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select

from tshdb.database import reading
from tshdb.errors import NotFound
from tshdb.figures.palette import OTHERS, TEXT, Line, lines_of
from tshdb.geometry import Grid
from tshdb.images.mask_volumes import grid_of_phases, on_images
from tshdb.images.pixels import read_volume
from tshdb.next_step import NextSteps
from tshdb.objects import VOXELS
from tshdb.schema import Base
from tshdb.vocabulary import MaskRegion, MaskStatus

if TYPE_CHECKING:
    import pandas as pd

    from tshdb.study import Study

SAME = ("segmentation_id", "n_voxels")  # of a lesion that is the tumour itself, in lesions and in tumor_masks
MOST_ENHANCING = 99.0  # percentile: what is followed in time where there is no mask


@dataclass(frozen=True)
class LaidMask:
    """One segmentation that fits. line: how it is drawn, and its name; inside: (slices, rows, columns)."""

    line: Line
    is_outline: bool
    inside: np.ndarray

    @property
    def name(self) -> str:
        return self.line.name


@dataclass
class DrawnExamination:
    """One examination. volumes: one a phase, float32; empty where there are no phases, and `reason` says why."""

    facts: dict[str, Any]
    phases: pd.DataFrame
    grid: Grid | None = None
    volumes: list[np.ndarray] = field(default_factory=list)
    masks: list[LaidMask] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def intermediate(self) -> int:
        return int(self.phases.loc[self.phases["is_intermediate"], "phase_index"].iloc[0])

    @property
    def rise(self) -> np.ndarray:
        """Intermediate less phase 0 (S_I)."""
        return self.volumes[self.intermediate] - self.volumes[0]

    def followed(self) -> tuple[Line, np.ndarray]:
        """(what it is, the voxels) whose mean is followed in time: an outline, another mask, or what enhances most."""
        for mask in sorted(self.masks, key=lambda m: not m.is_outline):
            if mask.inside.any():
                return mask.line, mask.inside
        rise = self.rise
        return Line("the 1 % that rise most", TEXT), rise >= np.percentile(rise, MOST_ENHANCING)

    def shown_slice(self) -> int:
        """The slice in which most of what is followed lies."""
        _, inside = self.followed()
        return int(inside.sum(axis=(1, 2)).argmax())


def tables_of(study: Study, study_uid: str) -> Callable[[str], pd.DataFrame]:
    """A function table -> its rows of one examination, by the table's key."""
    import pandas as pd

    def of(name: str) -> pd.DataFrame:
        table = Base.metadata.tables[name]
        query = select(table).where(table.c.study_uid == study_uid).order_by(*table.primary_key)
        with reading(study.engine) as connection:
            rows = connection.execute(query).fetchall()
        return pd.DataFrame([tuple(row) for row in rows], columns=table.columns.keys())

    return of


def mask_lines(study: Study, study_uid: str) -> dict[str, Line]:
    """segmentation -> how it is drawn and what it is called, of those of an examination that fit; lesions first.

    An outline that is the tumour has its colour. Masks that would have one name are numbered.
    """
    of = tables_of(study, study_uid)
    masks, lesions, tumors = of("masks"), of("lesions"), of("tumor_masks")
    fitting = set(masks.loc[masks["status"] == MaskStatus.FITS, "segmentation_id"])
    numbers = dict(zip(lesions["segmentation_id"], lesions["lesion"].astype(int), strict=True))
    tumor = set(tumors.merge(lesions, on=list(SAME))["segmentation_id"])
    rows = [s for s in of("segmentations").sort_values("segmentation_id").itertuples() if s.segmentation_id in fitting]
    rows.sort(key=lambda s: (numbers.get(s.segmentation_id, len(OTHERS)), not s.is_outline))
    named: list[tuple[str | int, str]] = []
    for s in rows:
        number = numbers.get(s.segmentation_id)
        if number is None:
            named.append((s.region if s.region != MaskRegion.TUMOR or not numbers else "other", _name(s)))
        elif s.segmentation_id in tumor:
            named.append(("tumor", f"{lesion_name(number, s.kind)}, the tumour"))
        else:
            named.append((number, lesion_name(number, s.kind)))
    counted, seen = Counter(name for _, name in named), Counter[str]()
    for i, (what, name) in enumerate(named):
        seen[name] += 1
        if counted[name] > 1:
            named[i] = (what, f"{name}, {seen[name]}")
    return {s.segmentation_id: line for s, line in zip(rows, lines_of(named), strict=True)}


def lesion_name(number: int, kind: str) -> str:
    """What a lesion is called in pictures and on pages. number: of `lesions`; kind: who or what drew it."""
    return f"lesion {number} ({kind})"


def _name(segmentation: Any) -> str:
    """What a mask that is no lesion's is called: its region, who drew it."""
    return f"{segmentation.region} ({segmentation.kind})"


class Examinations:
    """The examinations of a study, with the tables read once."""

    def __init__(self, study: Study):
        self.study = study
        self.sets = study.sql(
            "SELECT s.study_uid, s.patient_id, s.collection, s.time_point, s.study_date, d.status, d.n_phases, d.n_slices, "
            "d.key_used, d.qc_flags, d.reason, q.verdict, q.cause, q.read_by, q.comment FROM imaging_studies s "
            "LEFT JOIN dce_sets d USING (study_uid) LEFT JOIN qc_verdicts q USING (study_uid) "
            "WHERE s.time_point IS NOT NULL ORDER BY s.patient_id, s.time_point"
        )

    def uid_of(self, patient: str, time_point: str | None) -> str:
        """The examination of a patient: the one that is asked for, else the first. Raises NotFound."""
        of_patient = self.sets[self.sets["patient_id"] == patient]
        if time_point is not None:
            of_patient = of_patient[of_patient["time_point"] == time_point]
        if not len(of_patient):
            what = patient if time_point is None else f"{patient} at {time_point}"
            raise NotFound(
                f"no images of {what}", where="tshdb qc", repair="tshdb sql 'from imaging_studies' lists them"
            )
        return str(of_patient["study_uid"].iloc[0])

    def load(self, study_uid: str) -> DrawnExamination:
        """Read an examination's pixels and masks; each file's bytes are compared with those that were ingested."""
        of = tables_of(self.study, study_uid)
        facts = self.sets[self.sets["study_uid"] == study_uid].iloc[0].to_dict()
        examination = DrawnExamination(facts, of("dce_phases").sort_values("phase_index"))
        slices = of("dce_slices")
        if not len(slices) or not len(examination.phases):
            return examination
        instances, series = of("imaging_instances"), of("imaging_series")
        instances["path"] = [str(self.study.paths.at(path)) for path in instances["path"]]
        examination.grid, files = grid_of_phases(slices, instances, series)
        if not instances[instances["sop_uid"].isin(slices["sop_uid"])]["has_pixels"].all():
            examination.notes.append("headers alone: there are no pixels to look at")
            return examination
        examination.volumes = [read_volume([f.image for f in phase]) for phase in files]
        self._lay(examination, of("segmentations").sort_values("segmentation_id"), of("masks"), files)
        return examination

    def _lay(
        self, examination: DrawnExamination, segmentations: pd.DataFrame, masks: pd.DataFrame, files: list
    ) -> None:
        known = masks.set_index("segmentation_id") if len(masks) else None
        lines = mask_lines(self.study, examination.facts["study_uid"])
        for s in segmentations.itertuples():
            name = _name(s)
            if known is None or s.segmentation_id not in known.index:
                step = NextSteps(self.study).of_analyses("masks", key=s.study_uid)
                examination.notes.append(f"{name}: not held against the images yet. {step}")
            elif known.loc[s.segmentation_id, "status"] != MaskStatus.FITS:
                state = known.loc[s.segmentation_id]
                examination.notes.append(f"{name}: {state['status']}, {state['differences'] or state['qc_flags']}")
            else:
                path = self.study.objects.verified(s.object_id, VOXELS)
                row = SimpleNamespace(**s._asdict(), object_path=str(path))
                inside = on_images(row, examination.grid, files) >= s.min_value
                examination.masks.append(LaidMask(lines[s.segmentation_id], bool(s.is_outline), inside))
