"""Pixels of DICOM files, read only when their bytes are those that the study knows: helpers without a database.

An image is a file, or one frame of an enhanced one. Frames are decoded one after the other; of a large file no more is in
memory than the frame that is decoded and the volume that is made.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO, NamedTuple

import numpy as np

from tshdb.images.known_bytes import WHOLE, known_bytes


class Image(NamedTuple):
    """One image.

    frame_number: in the file, from 1; None where the file must hold one image alone.
    rescale: slope and intercept where they are known, which spares looking for them among the groups of all frames.
    """

    path: str
    sha256: str
    frame_number: int | None = None
    rescale: tuple[float, float] | None = None


def read_slice(path: str, sha256: str, frame_number: int | None = None) -> np.ndarray:
    """One image in its own units (rescaled), shape (rows, columns), float32. Raises PixelsGone."""
    return read_volume([Image(path, sha256, frame_number)])[0]


def read_volume(images: Iterable[Sequence]) -> np.ndarray:
    """The stack of images in their order, shape (slices, rows, columns), float32. Raises PixelsGone.

    images: as `Image`. ValueError where they are of several sizes, or a file has other frames than are asked for.
    """
    wanted = [Image(*image) for image in images]
    by_file: dict[tuple[str, str], list[int]] = {}
    for i, image in enumerate(wanted):
        by_file.setdefault((image.path, image.sha256), []).append(i)
    volume: np.ndarray | None = None
    for (path, sha256), places in by_file.items():
        with known_bytes(path, sha256) as (file, size):
            found = _frames(file, size, [wanted[i] for i in places])
            for i, pixels in zip(places, found, strict=True):
                if volume is None:
                    volume = np.empty((len(wanted), *pixels.shape), np.float32)
                if pixels.shape != volume.shape[1:]:
                    raise ValueError(f"{path}: an image of {pixels.shape}, the others are {volume.shape[1:]}")
                volume[i] = pixels
    if volume is None:
        raise ValueError("no images")
    return volume


def _frames(file: BinaryIO, size: int, images: Sequence[Image]) -> Iterator[np.ndarray]:
    """Frames of one file in the order in which they are asked for, rescaled, float32."""
    from pydicom.pixels import get_decoder
    from pydicom.pixels.utils import as_pixel_options
    from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

    from tshdb.images.decoding import decoder_of
    from tshdb.images.dicom_files import opened, rescale_of
    from tshdb.images.plain_pixels import plain_pixels

    is_first = len(images) == 1 and images[0].frame_number in (None, 1)
    if is_first and size <= WHOLE and (plain := plain_pixels(file.read())) is not None:
        yield _rescaled(plain.values, *(images[0].rescale or (plain.slope, plain.intercept)))
        return
    file.seek(0)
    header = opened(file, size)
    n_frames = int(header.dataset.get("NumberOfFrames") or 1)
    numbers = [image.frame_number or 1 for image in images]
    if n_frames > 1 and any(image.frame_number is None for image in images):
        raise ValueError(f"{images[0].path}: {n_frames} frames, and none of them was asked for")
    plugin = decoder_of(header.syntax)
    syntax = ExplicitVRLittleEndian if header.syntax == DeflatedExplicitVRLittleEndian else header.syntax
    options = as_pixel_options(header.dataset, transfer_syntax_uid=syntax, pixel_keyword="PixelData")
    _seek_pixels(header.stream, syntax)
    frames = get_decoder(syntax).iter_array(
        header.stream, indices=[number - 1 for number in numbers], decoding_plugin=plugin, **options
    )
    for image, number, (pixels, _) in zip(images, numbers, frames, strict=True):
        slope, intercept = image.rescale or rescale_of(header.dataset, number)
        yield _rescaled(pixels, slope, intercept)


def _rescaled(pixels: np.ndarray, slope: float, intercept: float) -> np.ndarray:
    values = pixels.astype(np.float32)
    if (slope, intercept) != (1.0, 0.0):
        values = values * np.float32(slope) + np.float32(intercept)
    return values


def _seek_pixels(stream: BinaryIO, syntax) -> None:
    """Behind the tag, VR and length of the pixels, before which the stream stands."""
    head = stream.read(8)
    group, element = struct.unpack("<HH" if syntax.is_little_endian else ">HH", head[:4]) if len(head) == 8 else (0, 0)
    if (group, element) != (0x7FE0, 0x0010):
        raise ValueError("there are no pixels")
    if not syntax.is_implicit_VR:
        stream.read(4)
