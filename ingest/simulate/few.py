"""A few simulated patients with images, of every archive: enough to try an analysis of images on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ingest.simulate.study import write_study
from ingest.simulate.subjects import COLLECTION, Effects, Role, SimulationSettings

COUNTS = {Role.RADIOGENOMIC: 2, Role.ISPY1: 1, Role.NACT: 1}
VOXEL_MM = 4.0
GENES = 120  # the fewest that the simulator writes


def write_few(out: Path, progress: Callable[[str, int, int], None] = lambda *_: None) -> dict[str, Path]:
    """Write them below `out`. Gives collection -> the folder that is ingested by its name."""
    settings = SimulationSettings(1, Effects(), GENES, VOXEL_MM, n_visits=1, has_images=True)
    write_study(out, COUNTS, settings, (), jobs=1, progress=progress)
    return {COLLECTION[role]: out / COLLECTION[role] for role in COUNTS}
