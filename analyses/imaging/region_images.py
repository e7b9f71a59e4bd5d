"""Images and masks of one examination, as analyses of its regions get them: helpers without a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tshdb.images.mask_volumes import CUT, grid_of_phases, on_images
from tshdb.vocabulary import Verdict

if TYPE_CHECKING:
    import pandas as pd
    import SimpleITK as sitk

SHAPE = "shape"
MEANS = {"S0": "parenchyma_s0", "intermediate": "parenchyma_intermediate", "last": "parenchyma_last"}
SHARED = 0.5  # of the smaller one's voxels, from which an outline is of the tumour itself
MAY_RESAMPLE = "set resample = true in study.toml to put it on the images all the same"


@lru_cache(maxsize=12)
def image_at(path: str) -> sitk.Image:
    """An image by the path of its object, whose name is the digest of its bytes: it never changes."""
    from tshdb.images.prepared import read

    return read(path)


class Images(Mapping[str, "sitk.Image"]):
    """image -> S0, intermediate, last of one examination; each is read when it is asked for."""

    def __init__(self, images: pd.DataFrame):
        """images: its rows of prepared_images."""
        self._paths = {str(row.image): row.object_path for row in images.itertuples()}

    def __getitem__(self, name: str) -> sitk.Image:
        return image_at(self._paths[name])

    def in_box(self, box: tuple[slice, ...]) -> Iterator[tuple[str, sitk.Image]]:
        """(name, the part of the image in a box of (slices, rows, columns)) of each: no more than that is made."""
        from analyses.imaging.images.grids import cropped, image_of
        from tshdb.images.prepared import geometry, read_box

        for name, path in self._paths.items():
            yield name, image_of(read_box(path, box), cropped(geometry(path), box))

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def grid_like(images: pd.DataFrame) -> sitk.Image:
    """An image of zeros on the grid of an examination's prepared images, none of which is read."""
    from tshdb.images.prepared import geometry

    return geometry(images.loc[images["image"] == "S0", "object_path"].iloc[0])


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


def rejected(verdicts: pd.DataFrame, outline: str, voxels: str) -> tuple[str | None, str | None]:
    """(why a person rejected an outline, what else is to be said of a verdict); None and None where there is nothing.

    verdicts: rows of lesion_verdicts of one examination; outline: as there; voxels: the SHA-256 of those that it has now.
    """
    for row in verdicts[verdicts["outline"] == outline].itertuples():
        words = ", ".join(text for text in (row.cause, row.comment) if isinstance(text, str) and text)
        said = f"{row.verdict}{f' ({words})' if words else ''}, {row.read_by}"
        if isinstance(row.seen, str) and row.seen != voxels:
            return None, f"judged when it had other voxels: {said}. Look again"
        if row.verdict == Verdict.FAIL:
            return f"{outline} was rejected: {said}", None
    return None, None


def measured(mask: sitk.Image) -> dict[str, Any]:
    """How large a region is, and where. Raises ValueError for an empty one."""
    import numpy as np

    from analyses.imaging.images.grids import array_of
    from analyses.imaging.images.tumor import centroid

    n = int((array_of(mask) > 0).sum())
    if not n:
        raise ValueError("the outline is empty on the images")
    middle = centroid(mask)
    return {
        "n_voxels": n, "volume_ml": n * float(np.prod(mask.GetSpacing())) / 1000,
        "side": "left" if middle[0] >= 0 else "right", "x_mm": middle[0], "y_mm": middle[1], "z_mm": middle[2],
    }  # fmt: skip


def cut_of(region: Any) -> str | None:
    """What a region's flags say of the view that cuts it; None where it does not. region: a row with qc_flags."""
    said = region["qc_flags"] if isinstance(region["qc_flags"], str) else ""
    return next((flag for flag in said.split("; ") if flag.startswith(CUT)), None)


def doubtful(reason: str | None, cut: str | None) -> str | None:
    """What is to be said of a value: why there is none or what is doubtful, and that its region is cut."""
    return "; ".join(filter(None, (reason, cut))) or None


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
    volumes: Mapping[str, sitk.Image], inside: sitk.Image, map_name: str, means: Mapping[str, float],
    filters: tuple[str, ...] = ("original",), noisy: Callable[[sitk.Image, str], sitk.Image] | None = None,
    zeros: Mapping[str, float] | None = None,
) -> tuple[sitk.Image, sitk.Image]:  # fmt: skip
    """(one of S0, SI, SL, divided by the parenchyma's mean; the mask): of the region's box, unless a filter sees further.

    zeros: of a greyscale, as of `normalised_map`.
    noisy: what is done to the image that the map is of, before it is divided; it is given the image and its name.
    """
    from analyses.imaging.images.grids import array_of, box_of, cropped
    from analyses.imaging.images.prepare import LATER, normalised_map

    if filters == ("original",):
        box = box_of(array_of(inside) > 0, (1, 1, 1))
        volumes = {name: cropped(image, box) for name, image in volumes.items()}
        inside = cropped(inside, box)
    if noisy is not None:
        of_map = LATER.get(map_name, "S0")
        volumes = {**volumes, of_map: noisy(volumes[of_map], of_map)}
    return normalised_map(volumes, means, map_name, zeros), inside


def zeros_of(images: pd.DataFrame, greyscale: str, per_phase: bool) -> dict[str, float] | None:
    """image -> the zero of its greyscale: of its own, or of S0's for all, as with the means. None without a greyscale.

    images: rows of prepared_images of one examination.
    """
    if greyscale == "none":
        return None
    paths = {str(row.image): row.object_path for row in images.itertuples()}
    return {name: _darkest_at(paths[name if per_phase else "S0"]) for name in MEANS}


@lru_cache(maxsize=12)
def _darkest_at(path: str) -> float:
    from analyses.imaging.images.prepare import darkest

    return darkest(image_at(path))


def not_brighter(means: Mapping[str, float], zeros: Mapping[str, float] | None) -> str | None:
    """Why images cannot be divided on their greyscale."""
    if zeros is not None and any(means[name] <= zero for name, zero in zeros.items()):
        return "the parenchyma is not brighter than the zero of the greyscale"
    return None


def without_others(breast, tumor, lesions):
    """The breast without lesions that are not the tumour (or the lesion in its place). An outline of the same lesion by another
    kind is none of these."""
    from analyses.imaging.images.grids import array_of, image_of

    of_tumor = array_of(tumor) > 0
    left = array_of(breast) > 0
    for path in lesions["object_path"].dropna():
        other = array_of(image_at(path)) > 0
        shared = int((other & of_tumor).sum())
        if shared < SHARED * min(int(other.sum()), int(of_tumor.sum())):
            left &= ~other | of_tumor
    return image_of(left.astype("uint8"), breast)


def band_row(outline: sitk.Image, inside: sitk.Image, params: Any) -> dict:
    """The band around an outline within the breast, as columns of a table. params: width_mm and in_plane. Raises ValueError."""
    from analyses.imaging.images.grids import nrrd
    from analyses.imaging.images.stroma import band

    stroma = band(outline, inside, params.width_mm, in_plane=params.in_plane)
    return {
        "volume_ml": stroma.ml, "whole_ml": stroma.whole_ml, "cut_off": stroma.cut_off, "beyond_view": stroma.beyond_view,
        "object_id": nrrd(stroma.mask, 6),
    }  # fmt: skip


def doubts_of_band(what: str, region: Any, lesions: pd.DataFrame) -> str | None:
    """What is to be said of the band around a region: that the view cuts it, and lesions that may lie in it unseen."""
    n_lost = int(lesions["object_path"].isna().sum())
    unseen = f"{n_lost} outlined lesions have no outline that is taken, and may lie in it" if n_lost else None
    cut = cut_of(region)
    return doubtful(f"the {what} is {cut}" if cut else None, unseen)
