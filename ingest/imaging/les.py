"""Lesion files (.les) of the University of Chicago's workstation, as TCGA-Breast-Radiogenomics publishes them.

File     six little-endian 16-bit numbers, then one byte (0 or 1) a voxel of the box that they bound, both ends included.
Order    of the numbers: starts of y, x, z, then their ends, as three independent readers take it; the published text says
         start and end of y, of x, of z. Both are held against the length of the file. Order of the voxels: y fastest, then
         x, then z (MATLAB's), or z fastest; a lesion is compact, so the order that falls into fewer pieces is right.
Name     TCGA-XX-XXXX-S2-1.les: patient, the sequence on which it was drawn (2 is the second dynamic one), lesion.
Indices  are the images', counted from `base`; z counts slices.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ingest.imaging.unreadable import Unreadable
from tshdb.everyday import refuse_of_machine
from tshdb.geometry import Grid

NAME = re.compile(r"(?P<patient>TCGA-[A-Z0-9]{2}-[A-Z0-9]{4})-S(?P<sequence>\d+)-(?P<lesion>\d+)\.les", re.IGNORECASE)
HEADER = struct.Struct("<6H")
CLEARLY = 1.5  # one order must fall into so many times fewer pieces (or surfaces) than the other


@dataclass
class Lesion:
    """values: (slices, rows, columns) of the box; start: its first slice, row and column, counted from 0."""

    values: np.ndarray
    start: tuple[int, int, int]
    header_order: str
    voxel_order: str
    flags: list[str] = field(default_factory=list)

    @property
    def grid(self) -> Grid:
        """The box in indices of the images: steps of one."""
        z, y, x = self.start
        return Grid(self.values.shape, (1.0, 1.0, 1.0), (float(x), float(y), float(z)), (1, 0, 0), (0, 1, 0), (0, 0, 1))


def lesion_in(name: str) -> int | None:
    """The number of the lesion that a file's name says."""
    found = NAME.fullmatch(name)
    return int(found["lesion"]) or None if found else None


def read(path: Path, *, base: int = 1, order: str | None = None) -> Lesion:
    """The lesion of a file. base: the number of the first voxel; order: F or C, else found out. Raises Unreadable."""
    try:
        data = path.read_bytes()
    except OSError as error:
        refuse_of_machine(error)
        raise Unreadable("les.unreadable", f"cannot be read: {error.strerror}") from None
    if len(data) <= HEADER.size:
        raise Unreadable("les.cut", f"{len(data)} bytes: shorter than its own header")
    numbers = HEADER.unpack(data[: HEADER.size])
    voxels = np.frombuffer(data[HEADER.size :], np.uint8)
    if voxels.max(initial=0) > 1:
        raise Unreadable("les.values", f"a voxel is {voxels.max()}; expected 0 or 1")
    boxes = {
        "starts then ends": (numbers[:3], numbers[3:]),
        "start and end by axis": (numbers[0::2], numbers[1::2]),
    }
    fitting = {name: box for name, box in boxes.items() if _size(*box) == len(voxels)}
    if not fitting:
        raise Unreadable(
            "les.length", f"{len(voxels):,} voxels; the box {numbers} holds {_size(*boxes['starts then ends']):,}"
        )
    header_order, (low, high) = next(iter(fitting.items()))
    flags = []
    if len(fitting) > 1 and len(set(fitting.values())) > 1:
        flags.append("both orders of the header fit its length: taken as starts, then ends")
    ny, nx, nz = (b - a + 1 for a, b in zip(low, high, strict=True))
    volumes = {"F": voxels.reshape(nz, nx, ny).transpose(0, 2, 1), "C": voxels.reshape(ny, nx, nz).transpose(2, 0, 1)}
    chosen, unclear = (order, None) if order else _compact(volumes)
    if unclear:
        flags.append(unclear)
    y, x, z = (a - base for a in low)
    if min(x, y, z) < 0:
        raise Unreadable("les.base", f"the box begins at {low}: indices cannot be counted from {base}")
    return Lesion(np.ascontiguousarray(volumes[chosen]), (z, y, x), header_order, chosen, flags)


def _size(low, high) -> int:
    sides = [b - a + 1 for a, b in zip(low, high, strict=True)]
    return int(np.prod(sides)) if min(sides) > 0 else -1


def _compact(volumes: dict[str, np.ndarray]) -> tuple[str, str | None]:
    """(the order in which the lesion hangs together, what is unclear about it)."""
    from scipy import ndimage

    pieces = {name: int(ndimage.label(v)[1]) for name, v in volumes.items()}
    surface = {name: sum(int((np.diff(v, axis=a) != 0).sum()) for a in range(3)) for name, v in volumes.items()}
    best = min(volumes, key=lambda name: (pieces[name], surface[name], name != "F"))
    (other,) = set(volumes) - {best}
    if pieces[other] >= CLEARLY * pieces[best] or surface[other] >= CLEARLY * max(surface[best], 1):
        return best, None
    flag = f"both orders of voxels hang together ({pieces['F']} and {pieces['C']} pieces): taken as {best}"
    return best, flag
