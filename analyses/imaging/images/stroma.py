"""The stroma of the images: what lies within 20 mm of the tumour, in the breast (Fan et al. 2023, Tumor segmentation).

Distance  in mm from the middles of the tumour's border voxels, in space (or in each slice: A14), by SimpleITK's signed
          distance map with spacing and without squaring, which are not its defaults.
Cut       the part of the band that the breast's border (skin, chest wall) or the field of view takes away is said, not hidden.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from analyses.imaging.images.grids import array_of, box_of, cropped, image_of, require_one_grid

WIDTH_MM = 20.0


@dataclass(frozen=True)
class Band:
    """mask: the stroma; ml, whole_ml: its volume, and that of the whole band with nothing cut off; beyond_view: the share of
    the whole band outside of the image."""

    mask: sitk.Image
    ml: float
    whole_ml: float
    beyond_view: float

    @property
    def cut_off(self) -> float:
        """The share of the whole band that is not in the mask."""
        return 1 - self.ml / self.whole_ml if self.whole_ml else 0.0


def band(tumor: sitk.Image, breast: sitk.Image, width_mm: float = WIDTH_MM, *, in_plane: bool = False) -> Band:
    """The band around a tumour. Raises ValueError for an empty tumour, a band of which nothing is left, and two grids."""
    require_one_grid(tumor=tumor, breast=breast)
    values = array_of(tumor) > 0
    spacing = tumor.GetSpacing()[::-1]
    margin = tuple(0 if in_plane and axis == 0 else math.ceil(width_mm / s) + 1 for axis, s in enumerate(spacing))
    box = box_of(values, (0, 0, 0))
    part = cropped(tumor, box)
    padded = sitk.ConstantPad(sitk.Cast(part, sitk.sitkUInt8), list(margin[::-1]), list(margin[::-1]), 0)
    near = array_of(_distance(padded, in_plane))
    ring = (near > 0) & (near <= width_mm)
    mask = np.zeros(values.shape, bool)
    wanted = [slice(b.start - m, b.stop + m) for b, m in zip(box, margin, strict=True)]
    here = tuple(slice(max(w.start, 0), min(w.stop, n)) for w, n in zip(wanted, values.shape, strict=True))
    there = tuple(slice(h.start - w.start, h.stop - w.start) for h, w in zip(here, wanted, strict=True))
    mask[here] = ring[there]
    n_in_view = int(mask.sum())
    mask &= (array_of(breast) > 0) & ~values
    if not mask.any():
        raise ValueError("nothing of the band lies in the breast")
    voxel_ml = float(np.prod(spacing)) / 1000
    n_whole = int(ring.sum())
    return Band(
        image_of(mask.astype(np.uint8), tumor), int(mask.sum()) * voxel_ml, n_whole * voxel_ml, 1 - n_in_view / n_whole
    )


def _distance(tumor: sitk.Image, in_plane: bool) -> sitk.Image:
    """mm outside of the tumour, negative inside."""

    def signed(image: sitk.Image) -> sitk.Image:
        return sitk.SignedMaurerDistanceMap(image, insideIsPositive=False, squaredDistance=False, useImageSpacing=True)

    if not in_plane:
        return signed(tumor)
    slices = []
    for k in range(tumor.GetDepth()):
        plane = tumor[:, :, k]
        is_empty = not sitk.GetArrayViewFromImage(plane).any()
        far = sitk.Image(plane.GetSize(), sitk.sitkFloat32) + 1e6
        far.CopyInformation(plane)
        slices.append(far if is_empty else signed(plane))
    joined = sitk.JoinSeries(slices, tumor.GetOrigin()[2], tumor.GetSpacing()[2])
    joined.CopyInformation(tumor)
    return joined
