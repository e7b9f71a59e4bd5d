"""The images of one patient for her page: phases, three planes with masks, the time curve, or why there are none."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from tshdb.errors import NotFound, TshdbError
from tshdb.figures import saved
from tshdb.figures.examinations import Examinations
from tshdb.figures.palette import Line
from tshdb.figures.patient_drawings import DPI, Picture, curve, of_examination, of_regions, phases, planes
from tshdb.figures.refusal_drawings import picture as refusal_picture
from tshdb.figures.refusals import refusals
from tshdb.figures.region_drawings import Regions
from tshdb.next_step import NextSteps
from tshdb.pages.patient_facts import Facts, Row
from tshdb.text.controls import clean

if TYPE_CHECKING:
    from tshdb.study import Study

WIDE, HIGH, LEFT, BELOW = 320, 150, 38, 22  # of the time curve, in its own units
KINETICS = (  # column, words, unit
    ("curve", "curve", ""), ("peak_pe", "highest rise", " %"), ("time_to_peak_s", "time to peak", " s"),
    ("ser", "signal enhancement ratio", ""), ("ftv_ml", "functional volume", " ml"), ("bpe", "background enhancement", " %"),
)  # fmt: skip


class Drawn(NamedTuple):
    """A picture as a page holds it."""

    source: str
    caption: str
    alt: str


@dataclass
class Curve:
    """A time curve in the units of its drawing. points: x, y and words of each; ticks: x or y with their texts."""

    name: str
    color: str
    unit: str
    points: list[tuple[float, float, str]]
    ticks_x: list[tuple[float, str]]
    ticks_y: list[tuple[float, str]]
    zero: float

    @property
    def path(self) -> str:
        return " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in self.points)


@dataclass
class ShownExamination:
    """One examination: heading and words, rows of pictures, legend, curve, numbers; reasons: what there is not, and why."""

    title: str
    facts: list[str] = field(default_factory=list)
    rows: list[tuple[str, list[Drawn]]] = field(default_factory=list)
    legend: list[Line] = field(default_factory=list)
    curve: Curve | None = None
    numbers: list[tuple[str, str]] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


class Images:
    """The examinations of a study, with the tables read once."""

    def __init__(self, study: Study):
        self.study = study

    @cached_property
    def _examinations(self) -> Examinations:
        return Examinations(self.study)

    @cached_property
    def _steps(self) -> NextSteps:
        return NextSteps(self.study)

    def of(self, facts: Facts) -> list[ShownExamination]:
        """The examinations of a patient, in the order of time; those without MR are no examinations."""
        own = [row for row in facts.rows["imaging_studies"] if row["time_point"] is not None]
        own.sort(key=lambda row: (len(row["time_point"]), row["time_point"]))
        return [self._shown(row, facts.of_studies[row["study_uid"]]) for row in own]

    def _shown(self, row: Row, tables: dict[str, list[Row]]) -> ShownExamination:
        words = [row["time_point"], row["study_date"] or "no date", row["description"]]
        shown = ShownExamination(" · ".join(clean(word) for word in words if word))
        dce = tables["dce_sets"][0] if tables["dce_sets"] else None
        if dce is None:
            step = self._steps.of_analyses("dce_sets", key=row["study_uid"])
            shown.reasons.append(f"Not split into phases yet. {step}".rstrip())
            return shown
        if dce["status"] == "found":
            shown.facts.append(f"{dce['n_phases']} phases of {dce['n_slices']} slices, told apart by {dce['key_used']}")
        elif dce["reason"]:
            shown.reasons.append(clean(dce["reason"]))
        shown.flags += _flags(tables)
        self._draw(shown, row["study_uid"], dce["status"] == "found")
        if dce["status"] == "unsplit" or any(mask["status"] in ("resample", "unclear") for mask in tables["masks"]):
            self._draw_refused(shown, row)
        _add_regions(shown, tables)
        _add_numbers(shown, tables["kinetics"])
        return shown

    def _draw(self, shown: ShownExamination, uid: str, is_found: bool) -> None:
        """The pictures; what cannot be drawn is a reason, and the rest of the page stands."""
        try:
            examination = self._examinations.load(uid) if is_found else None
            if examination is not None:
                shown.reasons += [clean(note) for note in examination.notes]
            if examination is not None and examination.volumes:
                shown.rows.append(("Phases, one slice", [_as_shown(p) for p in phases(examination)]))
                regions = self._regions(uid)
                stack = of_examination(examination) if regions is None else of_regions(regions)
                what = "Rise with contrast" + (", as features see it" if regions is not None else "")
                shown.rows.append(
                    (f"{what}, three planes through the tumour", [_as_shown(p) for p in planes(stack, what)])
                )
                shown.legend = [stack.lines[name] for name, mask in stack.masks.items() if mask.any()]
                shown.curve = _curve(*curve(examination))
        except TshdbError as error:
            shown.reasons.append(clean(error))

    def _draw_refused(self, shown: ShownExamination, row: Row) -> None:
        """What of the geometry was refused: the grids, and the largest difference."""
        heading = f"{row['time_point']}   {row['collection']}"
        try:
            for refusal in refusals(self.study, row["study_uid"]):
                words = clean(f"{refusal.title}: {refusal.said}")
                png = saved(lambda refusal=refusal: refusal_picture(refusal, heading), "png", dpi=DPI)
                shown.rows.append(("Refused for its geometry", [_as_shown(Picture(png, words, words))]))
        except TshdbError as error:
            shown.reasons.append(clean(error))

    def _regions(self, uid: str) -> Regions | None:
        try:
            return Regions(self.study, uid)
        except NotFound:  # no prepared images: the scanner's own are drawn
            return None


def _as_shown(picture: Picture) -> Drawn:
    return Drawn(f"data:image/png;base64,{b64encode(picture.png).decode()}", picture.caption, picture.alt)


def _flags(tables: dict[str, list[Row]]) -> list[str]:
    """What a person should look at, and what a person has said."""
    found: dict[str, None] = {}
    for name in ("dce_sets", "masks", "breast_masks", "tumor_masks"):
        for row in tables[name]:
            for flag in filter(None, (row["qc_flags"] or "").split(";")):
                found[clean(flag.strip())] = None
    for row in tables["phase_motions"]:
        if row["is_moved"]:
            found[f"the patient moved by {row['in_plane_voxels']:.1f} voxels until the {row['image']} image"] = None
    for row in tables["qc_verdicts"]:
        words = [
            row["verdict"],
            f"({row['cause']})" if row["cause"] else "",
            f"by {row['read_by']}",
            row["comment"] or "",
        ]
        found[clean(" ".join(filter(None, words)))] = None
    return list(found)


def _add_regions(shown: ShownExamination, tables: dict[str, list[Row]]) -> None:
    """Tumour, breast and stroma in words, with why one is not there, and masks that were refused."""
    for name, table in (("tumour", "tumor_masks"), ("breast", "breast_masks"), ("stroma", "stroma_bands")):
        for row in tables[table]:
            if not row["object_id"]:
                shown.reasons.append(clean(f"No {name}: {row['reason'] or 'it was not looked for'}"))
            elif table == "breast_masks":
                shown.numbers.append((name, f"right {row['right_ml']:.0f} ml, left {row['left_ml']:.0f} ml"))
            else:
                kind = (
                    f", {row['kind']}, {row['side']}" if table == "tumor_masks" else f" within {row['width_mm']:g} mm"
                )
                shown.numbers.append((name, f"{_number(row['volume_ml'])} ml{kind}"))
    for row in tables["masks"]:
        if row["status"] != "fits":
            words = filter(None, (row["differences"], row["repair"]))
            shown.reasons.append(clean(f"A mask does not lie on the images ({row['status']}): {'; '.join(words)}"))


def _add_numbers(shown: ShownExamination, kinetics: list[Row]) -> None:
    for row in kinetics:
        for column, words, unit in KINETICS:
            if row[column] is not None and (row["region"] == "tumor" or column == "bpe"):
                value = row[column]
                shown.numbers.append((words, f"{_number(value)}{unit}" if isinstance(value, float) else clean(value)))


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _curve(line: Line, points: list[tuple[float, float]], unit: str) -> Curve | None:
    """A curve laid out for a drawing of WIDE by HIGH; None of one point."""
    if len(points) < 2:
        return None
    xs, ys = [x for x, _ in points], [y for _, y in points]
    low, high, last = min(0.0, *ys), max(0.0, *ys), max(xs[-1] - xs[0], 1e-9)
    room = (high - low) or 1.0

    def at(x: float, y: float) -> tuple[float, float]:
        return LEFT + (WIDE - LEFT - 10) * (x - xs[0]) / last, 10 + (HIGH - BELOW - 10) * (high - y) / room

    shown = [(*at(x, y), f"{y:.0f} % at {x:.3g} {unit}") for x, y in points]
    ticks_y = [(at(xs[0], y)[1], f"{y:.0f}") for y in sorted({0.0, high, low})]
    return Curve(
        line.name, line.color, unit, shown, [(at(x, 0)[0], f"{x:.3g}") for x in xs], ticks_y, at(xs[0], 0.0)[1]
    )
