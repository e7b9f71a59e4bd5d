"""What of an examination a person judges one by one: outlines of lesions, and the tumour that nobody drew."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tshdb.figures.examinations import mask_lines
from tshdb.figures.palette import REGIONS, Line
from tshdb.text.controls import clean
from tshdb.vocabulary import GROWN_TUMOR, MaskKind

if TYPE_CHECKING:
    import pandas as pd

    from tshdb.study import Study


class Lesion(NamedTuple):
    """One outline, with what was said of it. seen: the SHA-256 of its voxels; said: what of it is not as it should be."""

    outline: str
    line: Line
    seen: str
    verdict: str = ""
    cause: str = ""
    read_by: str = ""
    comment: str = ""
    said: str = ""


class Judged:
    """The outlines of a study, with the tables read once."""

    def __init__(self, study: Study):
        self.study = study
        self._outlines = _by_study(study.sql(
            "SELECT s.study_uid, s.segmentation_id, s.object_id, l.reason FROM segmentations s "
            "LEFT JOIN lesions l USING (study_uid, segmentation_id) WHERE s.is_outline OR l.lesion IS NOT NULL"
        ))  # fmt: skip
        self._tumors = _by_study(study.sql("SELECT study_uid, kind, object_id, reason FROM tumor_masks"))
        self._verdicts = _by_study(study.sql("SELECT * FROM lesion_verdicts"))

    def of(self, study_uid: str) -> list[Lesion]:
        """The outlines of an examination that lie on its images, in the order of the pictures' legend; then a grown tumour."""
        outlines = self._outlines.get(study_uid, [])
        said = self._verdicts.get(study_uid, [])
        found = []
        for name, line in mask_lines(self.study, study_uid).items() if outlines else ():
            row = next((row for row in outlines if row["segmentation_id"] == name), None)
            if row is not None:
                found.append(_lesion(name, line, row["object_id"], row["reason"], said))
        for row in self._tumors.get(study_uid, ()):
            if row["kind"] == MaskKind.FCM and row["object_id"]:
                line = REGIONS["tumor"]._replace(name="the tumour, grown")
                found.append(_lesion(GROWN_TUMOR, line, row["object_id"], None, said))
            elif any(verdict["outline"] == GROWN_TUMOR for verdict in said):
                line = REGIONS["tumor"]._replace(name="a grown tumour, judged before")
                found.append(_lesion(GROWN_TUMOR, line, None, row["reason"], said))
        return found


def _lesion(outline: str, line: Line, seen: str | None, reason: str | None, verdicts: list[dict]) -> Lesion:
    known = next((row for row in verdicts if row["outline"] == outline), None)
    if known is None:
        return Lesion(outline, line, seen or "", said=clean(reason or ""))
    is_of_others = seen is not None and known["seen"] is not None and known["seen"] != seen
    words = {name: clean(known[name] or "") for name in ("cause", "read_by", "comment")}
    if is_of_others:
        note = f"{known['verdict']} by {words['read_by']}, when it had other voxels: look again"
        return Lesion(outline, line, seen or "", said=note)
    kept = seen or known["seen"] or ""
    return Lesion(outline, line, kept, known["verdict"], said=clean(reason or ""), **words)


def _by_study(table: pd.DataFrame) -> dict[str, list[dict]]:
    rows: dict[str, list[dict]] = {}
    for row in table.astype(object).where(table.notna(), None).to_dict("records"):
        rows.setdefault(row["study_uid"], []).append(row)
    return rows
