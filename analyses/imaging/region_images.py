"""Images and masks of one examination, as analyses of its regions get them: helpers without a database."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tshdb.images.mask_volumes import grid_of_phases, on_images

if TYPE_CHECKING:
    import pandas as pd
    import SimpleITK as sitk

SHAPE = "shape"
MEANS = {"S0": "parenchyma_s0", "intermediate": "parenchyma_intermediate", "last": "parenchyma_last"}
MAY_RESAMPLE = "set resample = true in study.toml to put it on the images all the same"


@lru_cache(maxsize=12)
def image_at(path: str) -> sitk.Image:
    """An image by the path of its object, whose name is the digest of its bytes: it never changes."""
    import SimpleITK as sitk

    return sitk.ReadImage(path)


def images_of(images: pd.DataFrame) -> dict[str, sitk.Image]:
    """image -> S0, intermediate, last of one examination. images: its rows of prepared_images."""
    return {str(row.image): image_at(row.object_path) for row in images.itertuples()}


def mask_on(
    segmentation: Any, mask: Any, like: sitk.Image, slices: pd.DataFrame, instances: pd.DataFrame, series: pd.DataFrame,
    may_resample: bool,
) -> sitk.Image:  # fmt: skip
    """A segmentation (0 and 1) on the grid of a prepared image.

    segmentation, mask: its rows of segmentations and masks. Raises ValueError with the repair where it does not lie on the
    dynamic images, unless it may be resampled from its own grid.
    """
    import SimpleITK as sitk

    from analyses.imaging.images.grids import image_on
    from analyses.imaging.images.prepare import resample_mask

    if mask.status == "fits":
        grid, files = grid_of_phases(slices, instances, series)
        inside = on_images(segmentation, grid, files) >= segmentation.min_value
        return resample_mask(image_on(inside.astype("uint8"), grid), like)
    if mask.status == "resample" and may_resample:
        own = sitk.ReadImage(segmentation.object_path)
        return resample_mask(sitk.Cast(own >= segmentation.min_value, sitk.sitkUInt8), like)
    what = mask.differences or mask.qc_flags or mask.status
    repair = f"; {mask.repair}, or {MAY_RESAMPLE}" if mask.status == "resample" else "; look at it: tshdb qc PATIENT"
    raise ValueError(f"{segmentation.segmentation_id} does not lie on the images: {what}{repair}")


def missing(mask, band, map_name: str, per_phase: bool) -> str | None:
    """Why nothing can be computed."""
    import pandas as pd

    if mask["object_path"] is None:
        return f"no mask: {mask['reason']}"
    needed = () if map_name == SHAPE else MEANS.values() if per_phase else (MEANS["S0"],)
    if any(pd.isna(band[column]) for column in needed):
        return f"no mean of the parenchyma: {band['reason']}"
    return None


def cropped_map(
    volumes: dict, inside, map_name: str, means: dict[str, float], filters: tuple[str, ...] = ("original",)
):
    """(one of S0, SI, SL, divided by the parenchyma's mean; the mask): of the region's box, unless a filter sees further."""
    from analyses.imaging.images.grids import array_of, box_of, cropped
    from analyses.imaging.images.prepare import normalised_map

    if filters == ("original",):
        box = box_of(array_of(inside) > 0, (1, 1, 1))
        volumes = {name: cropped(image, box) for name, image in volumes.items()}
        inside = cropped(inside, box)
    return normalised_map(volumes, means, map_name), inside
