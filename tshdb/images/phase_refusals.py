"""Why the images of a dynamic set do not fall into phases, where it is a matter of place: as grids that can be drawn.

The rules are looked at in the order in which a set is split: each series for itself (directions, matrices, images beside the
others, ragged positions), then the series against the earliest (matrix, field of view, extent), then the steps between slices.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tshdb.geometry import TOLERANCE
from tshdb.images.directions import directions_of
from tshdb.images.refusals import HOLDS, LEFT_OUT, MISSING, REFUSED, Mark, Outline, Refusal
from tshdb.images.stacks import (
    COMMON,
    SAME_POSITION_MM,
    Plane,
    Unsplit,
    beside,
    by_orientation,
    grouped_positions,
    plane_of,
    positions_of,
    unevenness,
)

if TYPE_CHECKING:
    import pandas as pd

TITLE = "the images of the dynamic scan are not one stack a phase"
REPAIR = "ask for the images that are missing or moved; or name the series that belong together: tshdb ingest decisions"
Found = tuple[str, list[Outline], Mark | None]


@dataclass(frozen=True)
class _Stack:
    """One series. rings: (images, 4, 3) the corner pixels' middles, mm; kept: numbers of the positions that are in phases."""

    name: str
    images: pd.DataFrame
    rings: np.ndarray
    shape: tuple[int, int]
    positions: np.ndarray
    numbers: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        return np.bincount(self.numbers)

    @property
    def usual_count(self) -> int:
        counted = Counter(self.counts.tolist())
        return max(counted, key=lambda n: (counted[n], n))

    @property
    def kept(self) -> np.ndarray:
        return np.flatnonzero(self.counts == self.usual_count)

    def where(self, number: int) -> float:
        return float(np.round(self.positions[self.numbers == number].mean(), 4))

    def outline(self, meaning: str, which: np.ndarray | None = None, said: str = "") -> Outline:
        """Its images, or some, each place once, from the lowest."""
        index = np.arange(len(self.images)) if which is None else np.flatnonzero(which)
        _, first = np.unique(np.round(self.rings[index].reshape(-1, 12), 2), axis=0, return_index=True)
        index = index[np.sort(first)]
        index = index[np.argsort(self.positions[index], kind="stable")]
        return Outline(f"{self.name}{said}", meaning, self.rings[index], self.shape)


def of_phases(
    reason: str | None, instances: pd.DataFrame, series: pd.DataFrame, most_left_out: float
) -> Refusal | None:
    """The refusal of an examination's phases; None where no place is to blame, or none is known.

    reason, most_left_out: of dce_sets; instances, series: rows of the dynamic series in imaging_instances and imaging_series.
    """
    import pandas as pd

    place = ["x_mm", "y_mm", "z_mm", "orientation", "n_rows", "n_columns"]
    if instances.empty or instances[place].isna().any(axis=None):
        return None
    facts = series.set_index("series_uid")
    parts = []
    for uid, images in instances.groupby("series_uid", sort=True):
        own = facts.loc[uid]
        images = images.assign(row_spacing_mm=own["row_spacing_mm"], column_spacing_mm=own["column_spacing_mm"])
        number = "" if pd.isna(own["series_number"]) else f" {int(own['series_number'])}"
        parts.append((_start(images, own), str(uid), _stack(f"series{number}", images.reset_index(drop=True))))
    stacks = [stack for *_, stack in sorted(parts, key=lambda part: part[:2])]
    found = next(_refused(stacks, most_left_out), None)
    if found is None:
        return None
    measured, outlines, mark = found
    row, column = directions_of(_most(stacks[0].images["orientation"]))
    axes = np.array([row, column, np.cross(row, column)])
    drawn = tuple(o for o in outlines if len(o.slices))
    return Refusal("phases", TITLE, reason or measured, measured, drawn, mark, axes, REPAIR)


def _refused(stacks: list[_Stack], most_left_out: float) -> Iterator[Found]:
    for stack in stacks:
        for check in (_directions, _matrices, _beside):
            if found := check(stack):
                yield found
                return  # without a plane nothing else can be said
    for stack in stacks:
        if found := _ragged(stack, most_left_out):
            yield found
    for stack in stacks[1:]:
        if found := _moved(stack, stacks[0]):
            yield found
    if found := _extent(stacks):
        yield found
    if found := _uneven(stacks):
        yield found


def _stack(name: str, images: pd.DataFrame) -> _Stack:
    places = images[["x_mm", "y_mm", "z_mm"]].to_numpy(float)
    rings = np.array([_ring(place, row) for place, row in zip(places, images.itertuples(), strict=True)])
    shape = _most(list(zip(images["n_rows"].astype(int), images["n_columns"].astype(int), strict=True)))
    positions = positions_of(images)
    return _Stack(name, images, rings, shape, positions, grouped_positions(positions))


def _ring(place: np.ndarray, image, orientation: str | None = None, shape: tuple[int, int] | None = None) -> np.ndarray:
    """(4, 3) the corner pixels' middles of one image; with another direction or matrix, where they would be then."""
    row, column = directions_of(orientation or image.orientation)
    rows, columns = shape or (int(image.n_rows), int(image.n_columns))
    right = row * (columns - 1) * (image.column_spacing_mm or 1.0)
    down = column * (rows - 1) * (image.row_spacing_mm or 1.0)
    return np.array([place, place + right, place + right + down, place + down])


def _directions(stack: _Stack) -> Found | None:
    numbers = by_orientation(stack.images)
    if not (numbers > 0).any():
        return None
    usual = _most(stack.images["orientation"][numbers == 0])
    mark = _furthest(stack, numbers > 0, "the furthest corner, from where it were in the others' direction", usual)
    outlines = [stack.outline(HOLDS, numbers == 0), stack.outline(REFUSED, numbers > 0, ", images in other directions")]
    return "images of several orientations in one series", outlines, mark


def _matrices(stack: _Stack) -> Found | None:
    shapes = list(zip(stack.images["n_rows"].astype(int), stack.images["n_columns"].astype(int), strict=True))
    if len(set(shapes)) == 1:
        return None
    others = np.array([shape != stack.shape for shape in shapes])
    mark = _furthest(
        stack, others, "the furthest corner, from where it were with the others' matrix", None, stack.shape
    )
    said = ", ".join(f"{r} x {c}" for r, c in sorted(set(shapes)))
    outlines = [stack.outline(HOLDS, ~others), stack.outline(REFUSED, others, ", images of another matrix")]
    return f"images of several matrices in one series: {said}", outlines, mark


def _furthest(stack: _Stack, which: np.ndarray, words: str, orientation=None, shape=None) -> Mark:
    """The corner of these images that is furthest from where it would be, if they were like the others."""
    marks = [
        Mark(would, own, words)
        for i in np.flatnonzero(which)
        for would, own in zip(
            _ring(stack.rings[i][0], next(stack.images.iloc[[i]].itertuples()), orientation, shape), stack.rings[i],
            strict=True,
        )
    ]  # fmt: skip
    return max(marks, key=lambda mark: mark.mm)


def _beside(stack: _Stack) -> Found | None:
    try:
        plane_of(stack.images)
    except Unsplit as error:
        said = str(error)
    else:
        return None
    plane = _plane(stack)
    at = plane.in_pixels(stack.rings[:, 0])
    off = at - np.median(at, axis=0)
    shift = off[:, :1] * plane.spacing[0] * plane.column + off[:, 1:] * plane.spacing[1] * plane.row
    worst = int(np.linalg.norm(shift, axis=1).argmax())
    end = stack.rings[worst, 0]
    others = (np.abs(off) > TOLERANCE).any(axis=1)
    outlines = [stack.outline(HOLDS, ~others), stack.outline(REFUSED, others, ", images beside the others")]
    return said, outlines, Mark(end - shift[worst], end, "the image that lies furthest beside the others")


def _plane(stack: _Stack) -> Plane:
    """The plane that most images of a series have."""
    row, column = directions_of(_most(stack.images["orientation"]))
    first = stack.images.iloc[int(np.argsort(stack.positions, kind="stable")[0])]
    spacing = (float(first["row_spacing_mm"] or 1.0), float(first["column_spacing_mm"] or 1.0))
    return Plane(row, column, spacing, stack.shape, stack.rings[int(np.argsort(stack.positions, kind="stable")[0]), 0])


def _ragged(stack: _Stack, most_left_out: float) -> Found | None:
    counts, n = stack.counts, stack.usual_count
    odd = counts != n
    if odd.sum() <= most_left_out * len(counts):
        return None
    left_out = odd[stack.numbers]
    outlines = [
        stack.outline(HOLDS, ~left_out, f", positions with {n} images"),
        stack.outline(LEFT_OUT, left_out, ", positions with more or fewer"),
    ]
    return f"ragged: {int(odd.sum())} of {len(counts)} positions do not have {n} images", outlines, None


def _moved(stack: _Stack, first: _Stack) -> Found | None:
    one, other = _plane(stack), _plane(first)
    off = beside(one, other)
    if off is None:
        return None
    outlines = [first.outline(HOLDS), stack.outline(REFUSED)]
    mine, theirs = one.corners(), other.corners()
    if one.shape != other.shape:
        mine, theirs = mine - one.origin, theirs - other.origin
        worst = int(np.linalg.norm(mine - theirs, axis=1).argmax())
        mark = Mark(
            theirs[worst] + one.origin, mine[worst] + one.origin, "the furthest corner, of one matrix and the other"
        )
    else:
        apart = other.in_pixels(mine) - other.in_pixels(theirs)
        shift = apart[:, :1] * other.spacing[0] * other.column + apart[:, 1:] * other.spacing[1] * other.row
        worst = int(np.linalg.norm(shift, axis=1).argmax())
        mark = Mark(theirs[worst], theirs[worst] + shift[worst], "the furthest corner, from where it should be")
        across = (mine - one.origin) @ other.normal
        tilted = int(np.abs(across).argmax())
        if abs(across[tilted]) > mark.mm:
            start = mine[tilted] - across[tilted] * other.normal
            mark = Mark(start, mine[tilted], "the furthest corner, out of the others' plane")
    return f"phases of different geometry: {off}", outlines, mark


def _common(stacks: list[_Stack]) -> list[int]:
    """Positions of the first series, by number, that all others have as well."""
    first = stacks[0]
    places = [first.where(i) for i in first.kept]
    within = TOLERANCE * float(np.median(np.diff(places))) if len(places) > 1 else SAME_POSITION_MM
    others = [np.array([s.where(i) for i in s.kept]) for s in stacks[1:]]
    return [
        int(i) for i, p in zip(first.kept, places, strict=True) if all(np.abs(o - p).min() <= within for o in others)
    ]


def _extent(stacks: list[_Stack]) -> Found | None:
    common, most = _common(stacks), max(len(s.kept) for s in stacks)
    if len(common) >= COMMON * most:
        return None
    first = stacks[0]
    places = {id(s): np.array([s.where(i) for i in s.kept]) for s in stacks}
    marks = []
    for stack, others in [(s, first) for s in stacks[1:]] + [(first, s) for s in stacks[1:]]:
        mine, theirs = places[id(stack)], places[id(others)]
        distances = np.abs(mine[:, None] - theirs[None]).min(axis=1)
        worst, nearest = int(distances.argmax()), int(np.abs(theirs - mine[distances.argmax()]).argmin())
        end = stack.rings[stack.numbers == stack.kept[worst]][0, 0]
        normal = _plane(first).normal
        start = end + (theirs[nearest] - mine[worst]) * normal
        marks.append(Mark(start, end, "the slice that is furthest from every slice of the other series"))
    outlines = [first.outline(HOLDS), *(s.outline(REFUSED) for s in stacks[1:])]
    said = f"phases of different geometry: {len(common)} of {most} positions are common"
    return said, outlines, max(marks, key=lambda mark: mark.mm)


def _uneven(stacks: list[_Stack]) -> Found | None:
    first = stacks[0]
    common = _common(stacks)
    places = [first.where(i) for i in common]
    said = unevenness(places)
    if said is None:
        return None
    in_phases = np.isin(first.numbers, common)
    outlines = [first.outline(HOLDS, in_phases), first.outline(LEFT_OUT, ~in_phases, ", positions that were left out")]
    normal = _plane(first).normal
    rings = np.array([first.rings[first.numbers == i][0] for i in common])
    steps = np.diff(places)
    usual, widest = float(np.median(steps)), int(np.argmax(steps))
    if said.startswith("gap"):
        missing = [
            rings[i] + (k * steps[i] / round(steps[i] / usual)) * normal
            for i in np.flatnonzero(steps > 1.5 * usual)
            for k in range(1, round(steps[i] / usual))
        ]
        outlines.append(Outline("where slices are missing", MISSING, np.array(missing), first.shape))
        words = f"from slice to slice here, {usual:g} mm elsewhere"
        return said, outlines, Mark(rings[widest, 0], rings[widest, 0] + steps[widest] * normal, words)
    even = places[0] + (places[-1] - places[0]) / (len(places) - 1) * np.arange(len(places))
    worst = int(np.abs(np.array(places) - even).argmax())
    start = rings[worst, 0] + (even[worst] - places[worst]) * normal
    return said, outlines, Mark(start, rings[worst, 0], "the slice that is furthest from even steps")


def _start(images: pd.DataFrame, series: pd.Series) -> float:
    for values in (images["acquisition_s"], images["content_s"]):
        if values.notna().all():
            return float(values.min())
    return float(series["series_time_s"] or 0.0)


def _most(values):
    """The most frequent, of several the first by order."""
    counted = Counter(values)
    return min(counted, key=lambda v: (-counted[v], v))
