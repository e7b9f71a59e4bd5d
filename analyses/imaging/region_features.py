"""Radiomic features of one region in one of S0, SI, SL, or of its shape, whosever region it is: helpers without a database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyses.imaging.feature_settings import settings_of
from analyses.imaging.region_images import (
    MEANS,
    SHAPE,
    Images,
    cropped_map,
    doubtful,
    image_at,
    missing,
    not_brighter,
    zeros_of,
)

if TYPE_CHECKING:
    import pandas as pd

    from analyses.imaging.feature_settings import FeatureParameters
    from analyses.imaging.images.features import Value


def features_of_region(
    name: str, region: str, mask: Any, means: Any, images: pd.DataFrame, cut: str | None, params: FeatureParameters,
    heard_as: str | None = None,
) -> list[dict]:  # fmt: skip
    """Rows of the features, one with the reason where there are none.

    name: S0, SI, SL or shape; mask: of tumor_masks, stroma_bands, lesions or lesion_bands; means: of stroma_bands; images: rows
    of prepared_images; cut: what is to be said of a view that cuts the tumour; heard_as: the name by which the court may choose
    to compute the region as well, None for a region that is not heard. Raises Untrustworthy where the court differs.
    """
    from analyses.imaging.images import court
    from analyses.imaging.images.features import of_map, of_shape
    from analyses.imaging.images.grids import one_thread

    row = {"region": region, "map": name}
    reason = missing(mask, means, name, params.per_phase)
    if reason is not None:
        return [row | {"feature": f"{region}.{name}", "reason": reason}]
    by_image = {image: means[column if params.per_phase else MEANS["S0"]] for image, column in MEANS.items()}
    zeros = None if name == SHAPE else zeros_of(images, params.greyscale, params.per_phase)
    reason = not_brighter(by_image, zeros)
    if reason is not None:
        return [row | {"feature": f"{region}.{name}", "reason": reason}]
    is_compiled = params.engine == "compiled"
    is_heard = is_compiled and heard_as is not None and court.is_open() and court.is_heard(heard_as)
    inside = image_at(mask["object_path"])
    settings = settings_of(params)
    with one_thread():
        if is_compiled:
            court.canary()
        if name == SHAPE:
            values = of_shape(inside, region, settings)
            if is_heard:
                court.hear_shape(of_shape(inside, region), inside, region, heard_as)
        else:
            image, inside = cropped_map(Images(images), inside, name, by_image, params.filters, zeros=zeros)
            values = of_map(image, inside, region, name, settings)
            if is_heard:
                court.hear_map(values, image, inside, region, name, settings, heard_as)
    return [row | feature_row(value, cut) for value in values]


def feature_row(value: Value, *doubts: str | None) -> dict:
    """One feature as a row of a table. doubts: what else is to be said of it."""
    reason = value.reason
    for doubt in doubts:
        reason = doubtful(reason, doubt)
    return {
        "feature": value.feature, "feature_class": value.feature_class, "value": value.value, "reason": reason,
        "n_voxels": value.n_voxels, "n_levels": value.n_levels,
    }  # fmt: skip
