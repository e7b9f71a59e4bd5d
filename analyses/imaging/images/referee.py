"""PyRadiomics itself (van Griethuysen et al. 2017, doi:10.1158/0008-5472.CAN-17-0339; version 3.0.1), by its filters and its
classes of features: what `engine = "pyradiomics"` computes with, and who is asked whether filters and compiled kernels are right
(`court`).

Needs the package pyradiomics, which there is for Python 3.11 alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import SimpleITK as sitk

from analyses.imaging.images.filters import LOG
from tshdb.images.feature_names import NAMES, ORIGINAL, Settings

FILTERS = {
    "wavelet": "Wavelet", "gradient": "Gradient", "square": "Square", "squareroot": "SquareRoot", "logarithm": "Logarithm",
    "exponential": "Exponential",
}  # fmt: skip


@cache
def is_here() -> bool:
    """Whether PyRadiomics can be imported."""
    try:
        import radiomics  # noqa: F401
    except ImportError:
        return False
    return True


def filtered(image: sitk.Image, names: Sequence[str], use_spacing: bool = True) -> Iterator[tuple[str, sitk.Image]]:
    """(prefix of the names of features, image) of every filter, by the names of `filters.filtered`; none where it makes none.

    Wavelets are taken in double precision, as they are there; PyRadiomics takes them in the image's own.
    """
    from radiomics import imageoperations

    for name in names:
        if name == ORIGINAL:
            yield "", image
            continue
        is_log = name.startswith(LOG)
        options = {"sigma": [float(name.removeprefix(LOG))]} if is_log else {"gradientUseSpacing": use_spacing}
        make = getattr(imageoperations, f"get{'LoG' if is_log else FILTERS[name]}Image")
        given_image = sitk.Cast(image, sitk.sitkFloat64) if name == "wavelet" else image
        with np.errstate(all="ignore"):  # an image of zeros becomes one of no numbers
            for made, given, _ in make(given_image, None, **options):
                yield f"{name if is_log else given}.", made


def of_classes(
    values: np.ndarray, inside: np.ndarray, spacing: tuple[float, ...], classes: Sequence[str], settings: Settings
) -> dict[str, np.ndarray]:
    """Class -> its features in the order of NAMES; NaN is not defined. values, inside: (slices, rows, columns), as small as the
    region's box; spacing: mm between slices, rows, columns."""
    image, mask = _image(values, spacing), _image(inside.astype(np.uint8), spacing)
    return {name: _executed(name, image, mask, settings.of_pyradiomics()) for name in classes}


def shape(inside: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """(14,) the features of the shape in the order of NAMES, mm. inside, spacing: as above."""
    mask = _image(inside.astype(np.uint8), spacing)
    return _executed("shape", sitk.Cast(mask, sitk.sitkFloat32), mask, {"label": 1})


def _image(values: np.ndarray, spacing: tuple[float, ...]) -> sitk.Image:
    image = sitk.GetImageFromArray(np.ascontiguousarray(values))
    image.SetSpacing(tuple(reversed(spacing)))
    return image


def _executed(name: str, image: sitk.Image, mask: sitk.Image, options: dict) -> np.ndarray:
    made = _class(name)(image, mask, **options)
    made.enableAllFeatures()
    with np.errstate(all="ignore"):  # what fails is a value that is not finite
        found = made.execute()
    # eigenvalues of a matrix that is symmetric but for its last digit may be complex: on some processors, for some lines
    return np.array([float(np.real(np.squeeze(found[feature]))) for feature in NAMES[name]])


@cache
def _class(name: str) -> type:
    import radiomics
    from radiomics import featureextractor  # noqa: F401, loads the classes

    logging.getLogger("radiomics").setLevel(logging.CRITICAL)
    return radiomics.getFeatureClasses()[name]
