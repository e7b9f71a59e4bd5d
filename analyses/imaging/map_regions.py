"""The radiomic features of one parametric map in one region, whosever region it is: helpers without a database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from analyses.imaging.region_features import feature_row
from analyses.imaging.region_images import image_at

if TYPE_CHECKING:
    import SimpleITK as sitk

Name = Literal["pe_early", "pe_late", "peak_pe", "ser", "time_to_peak", "wash_in", "wash_out"]
BinWidths = dict[Name, Annotated[float, Field(gt=0)]]
BinCounts = dict[Name, Annotated[int, Field(ge=2, le=256)]]
COLUMNS = [
    "study_uid", "feature", "region", "map", "unit", "feature_class", "value", "reason", "n_voxels", "n_levels",
]  # fmt: skip


def features_of_map(row, mask, region: str, cut: str | None, params) -> list[dict]:
    """The features of one map in one region. row: of kinetic_maps; mask: of tumor_masks, stroma_bands or lesions; cut: what is
    to be said of a view that cuts the tumour; params: with the fields of MapFeatureParameters."""
    from analyses.imaging.images import court
    from analyses.imaging.images.features import of_map
    from analyses.imaging.images.grids import one_thread

    shared = dict.fromkeys(COLUMNS) | {
        "study_uid": row["study_uid"], "region": region, "map": row["map"], "unit": row["unit"],
    }  # fmt: skip
    nothing = {"feature": f"{region}.{row['map']}"}
    for what, of_it in (("mask", mask), ("map", row)):
        if of_it["object_path"] is None:
            return [shared | nothing | {"reason": f"no {what}: {of_it['reason']}"}]
    with one_thread():
        if params.engine == "compiled":
            court.canary()
        image, inside, said = _known(image_at(row["object_path"]), image_at(mask["object_path"]), row["map"])
        if inside is None:
            return [shared | nothing | {"reason": said}]
        values = of_map(image, inside, region, row["map"], _settings(row["map"], params))
    return [shared | feature_row(value, said, cut) for value in values]


def _known(image: sitk.Image, mask: sitk.Image, name: str) -> tuple[sitk.Image, sitk.Image | None, str | None]:
    """(the map with 0 where it has no value, the region's voxels that have one, what is to be said of them), of its box.

    No mask where none has a value.
    """
    import numpy as np

    from analyses.imaging.images.grids import array_of, box_of, cropped, image_of
    from analyses.imaging.images.kinetic_maps import KINDS

    box = box_of(array_of(mask) > 0, (1, 1, 1))
    image, mask = cropped(image, box), cropped(mask, box)
    values, inside = array_of(image), array_of(mask) > 0
    known = inside & np.isfinite(values)
    n, n_limited = int(inside.sum()), int((np.abs(values[known]) >= KINDS[name].most).sum())
    if not known.any():
        return image, None, f"none of {n} voxels has a value in the map"
    said = []
    if n_unknown := n - int(known.sum()):
        said.append(f"{n_unknown} of {n} voxels have no value in the map")
    if n_limited:
        said.append(f"{n_limited} are at its limit of {KINDS[name].most:g}")
    return image_of(np.where(known, values, 0), image), image_of(known.astype("uint8"), mask), "; ".join(said) or None


def _settings(name: str, params):
    from analyses.imaging.images.features import Settings
    from analyses.imaging.images.kinetic_maps import KINDS

    width, count = params.map_bin_widths.get(name, KINDS[name].bin_width), params.map_bin_counts.get(name)
    return Settings(width, count, params.distances, params.force_2d, engine=params.engine, definition=params.definition)
