"""Library sizes of counts that were ingested before profiles had one: the sum of all genes, from where the values lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tshdb.database import create, reading
from tshdb.expression_store import PART_PROFILES, read_part

if TYPE_CHECKING:
    from tshdb.study import Study

COUNTED = "SELECT part_id, profile_id FROM expression_profiles WHERE unit = 'counts' AND scale = 'linear' ORDER BY 1, 2"


def library_sizes(study: Study) -> dict[str, float]:
    """profile -> the sum of its counts. A part that is not whole gives none: its profiles must be read again."""
    engine = create(study.database_url)
    try:
        with reading(engine) as connection:
            rows = connection.exec_driver_sql(COUNTED).fetchall()
    finally:
        engine.dispose()
    by_part: dict[str, list[str]] = {}
    for part, profile in rows:
        by_part.setdefault(part, []).append(profile)
    sizes: dict[str, float] = {}
    for part, profiles in by_part.items():
        if not study.objects.is_whole(part):
            continue
        for first in range(0, len(profiles), PART_PROFILES):
            _, names, values = read_part(study.objects.verified(part), profiles[first : first + PART_PROFILES])
            sizes |= dict(zip(names, map(float, np.nansum(values, axis=0)), strict=True))
    return sizes
