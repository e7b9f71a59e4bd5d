"""Filtered images, under PyRadiomics' names and with its definitions (version 3.0.1), without it.

wavelet        the eight bands of one step of the stationary wavelet transform (Coiflet 1), periodic, axes in the order x, y,
               z: LLH is low in x and y and high in z; the approximation LLL comes last
log-sigma-N    the Laplacian of a Gaussian of N mm, normalised across scales
square         x^2 / m, where m is the largest |x| of the whole image
squareroot     sqrt(m |x|), with the sign of x
logarithm      m log(|x| + 1) / log(m + 1), with the sign of x
exponential    m^(x / m)
gradient       how steep the image is, in its unit per mm (or per voxel, without the spacing)
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import SimpleITK as sitk

from analyses.imaging.images.grids import image_of
from analyses.imaging.kernels.pointwise import exponential, logarithm
from tshdb.images.feature_names import ORIGINAL

LOG = "log-sigma-"
OF_VALUES = ("square", "squareroot", "logarithm", "exponential")
LEAST_SIZE = 4  # voxels along every axis, for a Laplacian
# Coiflet 1, low pass, and its mirror (Daubechies 1992, Ten Lectures on Wavelets, 8.2)
_ROOT = math.sqrt(7)
LOW = np.array([-3 + _ROOT, 1 - _ROOT, 14 - 2 * _ROOT, 14 + 2 * _ROOT, 5 + _ROOT, 1 - _ROOT]) / (16 * math.sqrt(2))
HIGH = LOW[::-1] * np.array([-1.0, 1.0, -1.0, 1.0, -1.0, 1.0])


def filtered(
    image: sitk.Image, names: tuple[str, ...], use_spacing: bool = True
) -> Iterator[tuple[str, sitk.Image | None, str]]:
    """(prefix of the names of features, image, why there is none) of every filter, of the whole image, so that no box cuts it.

    use_spacing: whether a gradient is per mm, or per voxel. Raises ValueError for a filter that there is not.
    """
    for name in names:
        if name == ORIGINAL:
            yield "", image, ""
        elif name == "wavelet":
            for bands, values in _wavelet(sitk.GetArrayViewFromImage(image)):
                yield f"wavelet-{bands}.", image_of(values, image), ""
        elif name == "gradient":
            yield "gradient.", sitk.GradientMagnitude(image, use_spacing), ""
        elif name in OF_VALUES:
            yield f"{name}.", *_of_values(image, name)
        elif name.startswith(LOG):
            yield f"{name}.", *_laplacian(image, name)
        else:
            raise ValueError(f"no filter '{name}': original, wavelet, gradient, {', '.join(OF_VALUES)}, {LOG}N")


def _of_values(image: sitk.Image, name: str) -> tuple[sitk.Image | None, str]:
    values = sitk.GetArrayViewFromImage(image).astype(np.float64)
    largest = float(np.abs(values).max())
    if not math.isfinite(largest):
        return None, f"an image with voxels that are no numbers has no {name}"
    if name != "squareroot" and (largest == 0.0 or (name == "logarithm" and largest + 1.0 == 1.0)):
        return None, f"an image of zeros has no {name}"
    if name == "square":
        made = (values / math.sqrt(largest)) ** 2
    elif name == "squareroot":
        made = np.copysign(np.sqrt(np.abs(values) * largest), values)
    else:
        made = logarithm(values, largest) if name == "logarithm" else exponential(values, largest)
    return image_of(made, image), ""


def _wavelet(values: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """(bands, values) in PyRadiomics' order. An axis of odd length goes on with its first value."""
    even = np.pad(values, [(0, n % 2) for n in values.shape], "wrap").astype(np.float64)
    part = tuple(slice(0, n) for n in values.shape)
    made = {"": even}
    for axis in (2, 1, 0):
        made = {
            bands + band: _convolved(before, weights, axis)
            for bands, before in made.items()
            for band, weights in (("L", LOW), ("H", HIGH))
        }
    order = sorted(made, key=lambda bands: (bands == "LLL", [band == "H" for band in bands]))
    for bands in order:
        yield bands, made[bands][part]


def _convolved(values: np.ndarray, weights: np.ndarray, axis: int) -> np.ndarray:
    half = len(weights) // 2
    return sum(weight * np.roll(values, k - half, axis) for k, weight in enumerate(weights))


def _laplacian(image: sitk.Image, name: str) -> tuple[sitk.Image | None, str]:
    sigma = float(name.removeprefix(LOG))
    size, spacing = np.array(image.GetSize()), np.array(image.GetSpacing())
    if size.min() < LEAST_SIZE or (size < np.ceil(sigma / spacing) + 1).any():
        return None, f"an image of {' x '.join(map(str, size))} voxels is too small for {name}"
    made = sitk.LaplacianRecursiveGaussianImageFilter()
    made.SetNormalizeAcrossScale(True)
    made.SetSigma(sigma)
    return made.Execute(image), ""
