"""The phases of an examination and its regions on the scanner's own voxels: helpers without a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyses.imaging.region_images import image_at
from tshdb.images.pixels import read_volume

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from tshdb.geometry import Grid


def volumes(files: list, grid: Grid, is_registered: bool) -> Iterator[np.ndarray]:
    """The signal of one phase after the other, (slices, rows, columns); later ones put back on the first, if they were so.

    files: of each phase, as `grid_of_phases` gives them with their grid.
    """
    from analyses.imaging.images.grids import array_of, image_on
    from analyses.imaging.images.motion import measured
    from analyses.imaging.images.prepare import resample

    before = None
    for phase in files:
        volume = read_volume([f.image for f in phase])
        if is_registered:
            scanned = image_on(volume, grid)
            if before is None:
                before = scanned
            else:
                volume = array_of(resample(scanned, scanned.GetSpacing(), moved=measured(before, scanned).transform))
        yield volume


def on_grid(path: str, grid: Grid) -> np.ndarray:
    """A mask, by the path of its object, on the scanner's voxels."""
    import numpy as np

    from analyses.imaging.images.grids import array_of, image_on
    from analyses.imaging.images.prepare import resample_mask

    return array_of(resample_mask(image_at(path), image_on(np.zeros(grid.shape, np.uint8), grid))) > 0
