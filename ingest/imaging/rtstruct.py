"""RTSTRUCT: the regions of a structure set, with their contours in mm (PS3.3 A.19.3, C.8.8.5, C.8.8.6, C.8.8.8)."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom

from ingest.imaging import identity
from ingest.imaging.elements import date_of
from ingest.imaging.meaning import Code, Named, kind_of, named, region_of_words
from ingest.imaging.unreadable import TROUBLE, Unreadable
from tshdb.everyday import refuse_of_machine
from tshdb.vocabulary import MaskKind, MaskRegion

STRUCTURES = "1.2.840.10008.5.1.4.1.1.481.3"
CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
MOST_POINTS = 20_000_000


@dataclass(frozen=True)
class Structure:
    """One region. contours: closed ones, (points, 3) in mm each; n_open: those that enclose nothing; what: it is taken for."""

    sop_uid: str
    number: int
    name: str
    what: Named
    contours: list[np.ndarray]
    n_open: int
    reference_uids: tuple[str, ...]
    drawn_on: str | None

    def spooled(self) -> tuple[dict[str, Any], bytes]:
        """As a row and bytes, until the images are known on whose grid it is filled."""
        what = {"region": self.what.region, "kind": self.what.kind, "evidence": self.what.evidence}
        row = {
            "structure": what | {"sop_uid": self.sop_uid, "number": self.number, "name": self.name, "n_open": self.n_open,
                                 "reference_uids": self.reference_uids, "drawn_on": self.drawn_on,
                                 "sizes": [len(c) for c in self.contours]},
        }  # fmt: skip
        return row, b"".join(np.ascontiguousarray(c, dtype="<f8").tobytes() for c in self.contours)

    @classmethod
    def of_spooled(cls, row: dict[str, Any], content: bytes) -> Structure:
        said = dict(row["structure"])
        points = np.frombuffer(content, "<f8").reshape(-1, 3)
        contours = np.split(points, np.cumsum(said["sizes"])[:-1]) if said["sizes"] else []
        return cls(
            said["sop_uid"], said["number"], said["name"],
            Named(MaskRegion(said["region"]), MaskKind(said["kind"]), said["evidence"]), contours, said["n_open"],
            tuple(said["reference_uids"]), said["drawn_on"],
        )  # fmt: skip


def read(path: Path) -> list[Structure]:
    """All regions of a structure set. Raises Unreadable with what is wrong."""
    try:
        dataset = pydicom.dcmread(io.BytesIO(path.read_bytes()))
        return _structures(dataset)
    except OSError as error:
        refuse_of_machine(error)
        raise Unreadable("rtstruct.unreadable", f"cannot be read: {error.strerror or 'cut'}") from None
    except TROUBLE as error:
        refuse_of_machine(error)
        raise Unreadable("rtstruct.unreadable", f"the structure set is damaged ({type(error).__name__})") from None


def _structures(dataset: pydicom.Dataset) -> list[Structure]:
    drawn = {int(c.ReferencedROINumber): c for c in dataset.get("ROIContourSequence") or []}
    seen = {int(o.ReferencedROINumber): o for o in dataset.get("RTROIObservationsSequence") or []}
    day = date_of(str(dataset.get("StructureSetDate") or ""))
    references = _references(dataset)
    found, n_points = [], 0
    for region in dataset.get("StructureSetROISequence") or []:
        number = int(region.ROINumber)
        contours, n_open = _contours(drawn.get(number))
        n_points += sum(len(c) for c in contours)
        if n_points > MOST_POINTS:
            raise Unreadable("rtstruct.too-large", f"more than {MOST_POINTS:,} points are more than can be right")
        name, _ = identity.without_dates(str(region.get("ROIName") or "").strip())
        found.append(
            Structure(
                str(dataset.SOPInstanceUID), number, name, _what(name, region, seen.get(number)), contours, n_open,
                references, day.isoformat() if day else None,
            )
        )  # fmt: skip
    if not found:
        raise Unreadable("rtstruct.empty", "a structure set without regions")
    return found


def _contours(drawn: pydicom.Dataset | None) -> tuple[list[np.ndarray], int]:
    """(closed contours, how many others)."""
    closed, n_open = [], 0
    for item in (drawn.get("ContourSequence") if drawn is not None else None) or []:
        points = np.array([float(v) for v in item.get("ContourData") or []])
        if len(points) % 3:
            raise Unreadable("rtstruct.points", f"a contour of {len(points)} numbers, which are no points in space")
        points = points.reshape(-1, 3)
        if str(item.get("ContourGeometricType", "")).strip() in CLOSED and len(points) >= 3:
            closed.append(points)
        else:
            n_open += 1
    return closed, n_open


def _what(name: str, region: pydicom.Dataset, seen: pydicom.Dataset | None) -> Named:
    algorithm = str(region.get("ROIGenerationAlgorithm") or "").strip() or None
    interpreted = str(seen.get("RTROIInterpretedType") or "").strip() if seen is not None else ""
    codes = [
        Code(str(item.get("CodeValue", "")), str(item.get("CodingSchemeDesignator", "")), str(item.get("CodeMeaning", "")))
        for item in (seen.get("RTROIIdentificationCodeSequence") if seen is not None else None) or []
    ]  # fmt: skip
    if interpreted == "GTV" and not codes and region_of_words(name) in (None, MaskRegion.TUMOR, MaskRegion.BREAST):
        who = f"drawn: {algorithm}" if algorithm else "nobody says who drew it"
        return Named(MaskRegion.TUMOR, kind_of(algorithm), f"interpreted as GTV; {who}")
    return named(None, name, codes, algorithm)


def _references(dataset: pydicom.Dataset) -> tuple[str, ...]:
    """The series that it says it was drawn on."""
    uids = set()
    for frame in dataset.get("ReferencedFrameOfReferenceSequence") or []:
        for study in frame.get("RTReferencedStudySequence") or []:
            for series in study.get("RTReferencedSeriesSequence") or []:
                if "SeriesInstanceUID" in series:
                    uids.add(str(series.SeriesInstanceUID))
    return tuple(sorted(uids))
