"""Pixels of DICOM files, read only when their bytes are those that the study knows: helpers without a database."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np


class PixelsGone(Exception):
    """A file is not where it was read, or its bytes changed; the text says which, and what to do."""


def read_slice(path: str, sha256: str) -> np.ndarray:
    """The image of one file in its own units (rescaled), shape (rows, columns), float32. Raises PixelsGone."""
    import pydicom

    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise PixelsGone(f"{path}: {error.strerror}; ingest the images again from where they are now") from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise PixelsGone(f"{path}: other bytes than were ingested; ingest the images again")
    dataset = pydicom.dcmread(io.BytesIO(data))
    image = dataset.pixel_array.astype(np.float32)
    slope, intercept = float(dataset.get("RescaleSlope", 1) or 1), float(dataset.get("RescaleIntercept", 0) or 0)
    if (slope, intercept) != (1.0, 0.0):
        image = image * np.float32(slope) + np.float32(intercept)
    return image


def read_volume(files: list[tuple[str, str]]) -> np.ndarray:
    """The stack of (path, SHA-256) files in their order, shape (slices, rows, columns), float32. Raises PixelsGone."""
    return np.stack([read_slice(path, sha256) for path, sha256 in files])
