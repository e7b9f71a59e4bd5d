"""The digital phantom of the Image Biomarker Standardisation Initiative, its reference values, and what we find in it.

tests/data/ibsi_phantom.json: numbers of its reference manual, arXiv:1612.07003 (CC BY 4.0). Feature -> [value, tolerance], in
three dimensions (averaged over directions) and slice by slice (merged for each direction).
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[1] / "data/ibsi_phantom.json"


def phantom() -> dict[str, Any]:
    return json.loads(FILE.read_text())


def values(definition: str, is_2d: bool) -> dict[str, float]:
    """class.name -> its value in the phantom."""
    import numpy as np
    import SimpleITK as sitk

    from analyses.imaging.images import features
    from tshdb.images.feature_names import Settings

    given = phantom()
    image, mask = (sitk.GetImageFromArray(np.array(given[what], np.uint8)) for what in ("image", "mask"))
    for made in (image, mask):
        made.SetSpacing(given["spacing_mm"])
    settings = Settings(bin_width=1.0, force_2d=is_2d, definition=definition)
    found = features.of_map(image, mask, "tumor", "S0", settings) + features.of_shape(mask, settings=settings)
    return {f"{v.feature_class}.{v.feature.rpartition('.')[2]}": v.value for v in found if v.value is not None}


def agrees(value: float, want: float, tolerance: float) -> bool:
    """Whether a value, rounded to the three digits that references have, is within the tolerance."""
    digits = 2 - math.floor(math.log10(abs(value))) if value else 0
    return abs(round(value, digits) - want) <= tolerance + 1e-9 * abs(want)
