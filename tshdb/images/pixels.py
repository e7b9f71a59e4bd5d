"""Pixels of DICOM files, read only when their bytes are those that the study knows: helpers without a database.

An image is a file, or one frame of an enhanced one. Frames are decoded one after the other; of a large file no more is in
memory than the frame that is decoded and the volume that is made.
"""

from __future__ import annotations

import hashlib
import io
import os
import struct
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

MOST_REMEMBERED = 4_096
WHOLE = 64 << 20  # larger files are hashed in pieces and never in memory as a whole


class PixelsGone(Exception):
    """A file is not where it was read, or its bytes changed; the text says which, and what to do."""


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
        with _verified(path, sha256) as (file, size):
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


State = tuple[int, ...]
SETTLED_NS = 2_000_000_000  # a file that was changed so short before it was read may be changed again unseen
_verified_files: dict[tuple[str, str], State] = {}


@contextmanager
def _verified(path: str, sha256: str) -> Iterator[tuple[BinaryIO, int]]:
    """(the file, its bytes) when these are the known ones; a large file is not kept in memory. Raises PixelsGone.

    A file whose bytes this process has compared is compared again when it was changed since, as its inode and the system's
    time of change say: the phases of one object are read one after the other.
    """
    try:
        with Path(path).open("rb") as file:
            before = _state(file)
            size = before[2]
            if _verified_files.get((path, sha256)) == before:
                yield file, size
            elif size <= WHOLE:
                data = file.read()
                _check(hashlib.sha256(data).hexdigest(), path, sha256)
                _remember(path, sha256, before)
                yield io.BytesIO(data), len(data)
                return
            else:
                _check(hashlib.file_digest(file, "sha256").hexdigest(), path, sha256)
                _remember(path, sha256, before)
                file.seek(0)
                yield file, size
            if _state(file) != before:
                raise PixelsGone(f"{path}: was written while it was read; ingest the images again")
    except OSError as error:
        raise PixelsGone(f"{path}: {error.strerror}; ingest the images again from where they are now") from None


def _state(file: BinaryIO) -> State:
    found = os.fstat(file.fileno())
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _remember(path: str, sha256: str, state: State) -> None:
    if time.time_ns() - state[-1] > SETTLED_NS:
        if len(_verified_files) >= MOST_REMEMBERED:
            _verified_files.clear()
        _verified_files[path, sha256] = state


def _check(found: str, path: str, sha256: str) -> None:
    if found != sha256:
        raise PixelsGone(f"{path}: other bytes than were ingested; ingest the images again")


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
