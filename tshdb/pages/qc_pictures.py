"""The pictures of the page on which a person looks through examinations: which there are, their legends; drawn where new."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tshdb.canonical import json_fingerprint, json_text
from tshdb.figures import saved
from tshdb.figures.examinations import Examinations, mask_lines
from tshdb.figures.palette import GRIDS, MARK, OTHERS, REGIONS, Line
from tshdb.files import complete
from tshdb.text.controls import clean

if TYPE_CHECKING:
    from tshdb.study import Study

DRAWN = ".drawn.json"
LOOK = 2  # of the pictures: what was drawn in another one is drawn again
RESTS_ON = (
    "dce_sets", "dce_phases", "dce_slices", "masks", "prepared_images", "breast_masks", "lesions", "lesion_bands",
    "tumor_masks", "stroma_bands", "ingest.qc_verdicts", "ingest.imaging_instances",
)  # fmt: skip


class Picture(NamedTuple):
    """One picture beside the page. what: it is of, in words; said: what stands below it; legend: its lines."""

    file: str
    what: str
    said: str
    legend: Sequence[Line]


class Pictures:
    """The pictures in a folder. What they show is noted beside them, so that nothing is drawn twice."""

    def __init__(self, study: Study, examinations: Examinations, folder: Path):
        self.study, self.examinations, self.folder = study, examinations, folder
        self._states = _states(study)
        self._drawn = _drawn(folder)
        self._refused = set(study.sql(
            "SELECT study_uid FROM dce_sets WHERE status = 'unsplit' "
            "UNION SELECT study_uid FROM masks WHERE status IN ('resample', 'unclear')"
        )["study_uid"])  # fmt: skip

    def of(self, row: dict[str, Any]) -> list[Picture]:
        """The pictures of one examination, a row of `Examinations.sets`: images, regions, refusals of geometry."""
        if row["study_uid"] not in self._states:
            return []
        found = [self._images(row), self._regions(row)] if row["status"] == "found" else []
        return [picture for picture in found if picture is not None] + self._refusals(row)

    def save(self) -> None:
        """Note what the pictures show."""
        with complete(self.folder / DRAWN) as written:
            written.write_text(json.dumps(self._drawn, sort_keys=True))

    def _images(self, row: dict[str, Any]) -> Picture | None:
        from tshdb.figures.examination_drawings import picture

        uid, name = row["study_uid"], f"{row['study_uid']}.png"
        if self._is_new(name, uid):
            examination = self.examinations.load(uid)
            if examination.volumes:
                self._draw(name, uid, lambda: picture(examination))
        if not (self.folder / name).is_file():
            return None
        legend = mask_lines(self.study, uid)
        return Picture(
            name, f"Phases, subtraction and time curve of {clean(row['patient_id'])}", "", list(legend.values())
        )

    def _regions(self, row: dict[str, Any]) -> Picture | None:
        from tshdb.figures.region_drawings import Regions, Rows, picture

        uid, name = row["study_uid"], f"{row['study_uid']}-regions.png"
        rows = Rows(self.study, uid)
        if not rows.images or not rows.objects:
            return None
        if self._is_new(name, uid):
            self._draw(name, uid, lambda: picture(Regions(self.study, uid), _heading(row)))
        return Picture(
            name, f"Regions of {clean(row['patient_id'])}, as features see them", "", list(rows.lines.values())
        )

    def _refusals(self, row: dict[str, Any]) -> list[Picture]:
        from tshdb.figures.refusal_drawings import picture
        from tshdb.figures.refusals import refusals

        uid = row["study_uid"]
        found = []
        for i, refusal in enumerate(refusals(self.study, uid) if uid in self._refused else (), 1):
            name = f"{uid}-geometry-{i}.png"
            if self._is_new(name, uid):
                self._draw(name, uid, lambda refusal=refusal: picture(refusal, _heading(row)))
            legend = [GRIDS[o.meaning]._replace(name=f"{o.name} ({GRIDS[o.meaning].name})") for o in refusal.outlines]
            legend += [MARK._replace(name=f"{MARK.name}, {refusal.mark.mm:.2f} mm")] if refusal.mark else []
            said = f"Refused: {clean(refusal.title)}. {clean(refusal.said)}"
            found.append(Picture(name, f"{clean(refusal.title)}: {clean(refusal.said)}", said, legend))
        return found

    def _is_new(self, name: str, uid: str) -> bool:
        return self._drawn.get(name) != self._states[uid] or not (self.folder / name).is_file()

    def _draw(self, name: str, uid: str, draw: Callable[[], Any]) -> None:
        with complete(self.folder / name) as written:
            written.write_bytes(saved(draw, "png", dpi=70))
        self._drawn[name] = self._states[uid]


def _heading(row: dict[str, Any]) -> str:
    return f"{row['patient_id']}   {row['time_point']}   {row['collection']}"


def _states(study: Study) -> dict[str, str]:
    """study -> a digest of the units that its pictures rest on."""
    names = ", ".join(f"'{name}'" for name in RESTS_ON)
    look = [LOOK, REGIONS, OTHERS, GRIDS]  # else a picture had other colours than its legend on the page
    table = study.sql(f"SELECT key, analysis, fingerprint FROM units WHERE analysis IN ({names}) AND state = 'current'")
    return {
        key: json_fingerprint(json_text([look, *sorted(zip(g["analysis"], g["fingerprint"], strict=True))]))
        for key, g in table.groupby("key")
    }


def _drawn(folder: Path) -> dict[str, str]:
    """picture -> the state that it shows."""
    try:
        drawn = json.loads((folder / DRAWN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return drawn if isinstance(drawn, dict) else {}
