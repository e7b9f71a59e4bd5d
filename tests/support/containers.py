"""Single DICOM files written anew: as frames of enhanced objects, and in other transfer syntaxes, voxel for voxel the same."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from ingest.simulate.dicom_files import uid
from ingest.simulate.enhanced_files import packed

Datasets = Sequence[FileDataset]


def along(dataset: FileDataset) -> float:
    """The place of a slice along its normal, mm."""
    axes = np.array(dataset.ImageOrientationPatient, float)
    return float(np.array(dataset.ImagePositionPatient, float) @ np.cross(axes[:3], axes[3:]))


def phases_of(datasets: Iterable[FileDataset]) -> list[list[FileDataset]]:
    """The slices of a series by ContentTime, each phase along the normal."""
    by_time: dict[str, list[FileDataset]] = {}
    for dataset in datasets:
        by_time.setdefault(str(dataset.ContentTime), []).append(dataset)
    return [sorted(by_time[time], key=along) for time in sorted(by_time)]


def cropped(dataset: FileDataset, rows: slice, columns: slice) -> FileDataset:
    """A part of a slice; it says the same position as the whole."""
    made = copy.deepcopy(dataset)
    values = np.ascontiguousarray(dataset.pixel_array[rows, columns])
    made.Rows, made.Columns, made.PixelData = *values.shape, values.tobytes()
    made["PixelData"].VR = "OW"
    return made


def one_object(datasets: Datasets) -> list[FileDataset]:
    """All phases in one enhanced object: the frames of a place after each other, phases counted by an index."""
    phases = phases_of(datasets)
    frames = [(phase[i], p) for i in range(len(phases[0])) for p, phase in enumerate(phases)]
    said = [{"TemporalPositionIndex": p + 1, "FrameReferenceDateTime": _when(d)} for d, p in frames]
    return [packed([d for d, _ in frames], said, uid("one", frames[0][0].SOPInstanceUID))]


def object_per_phase(datasets: Datasets) -> list[FileDataset]:
    """One enhanced object a phase, in one series, told apart by the time of acquisition; frames from the last place."""
    return [
        packed(phase[::-1], [{"FrameAcquisitionDateTime": _when(d)} for d in phase], uid(p, phase[0].SOPInstanceUID))
        for p, phase in enumerate(phases_of(datasets))
    ]


def converted(datasets: Datasets) -> list[FileDataset]:
    """A legacy conversion in one object."""
    ordered = [d for phase in phases_of(datasets) for d in phase]
    said = [{"ContentTime": d.ContentTime, "InstanceNumber": d.InstanceNumber} for d in ordered]
    return [packed(ordered, said, uid("converted", ordered[0].SOPInstanceUID), is_legacy=True)]


def highdicom_converted(datasets: Datasets) -> list[FileDataset]:
    """A legacy conversion by highdicom."""
    from highdicom.legacy import LegacyConvertedEnhancedMRImage

    ordered = [d for phase in phases_of(datasets) for d in phase]
    first = ordered[0]
    return [
        LegacyConvertedEnhancedMRImage(
            ordered, first.SeriesInstanceUID, first.SeriesNumber, uid("highdicom", first.SOPInstanceUID), 1
        )
    ]


def oblique(datasets: Datasets, rotation: np.ndarray) -> list[FileDataset]:
    """The same voxels in a frame that is turned about its origin. rotation: (3, 3); cosines and places with 16 characters."""
    made = []
    for dataset in copy.deepcopy(list(datasets)):
        axes, place = (
            np.array(dataset[name].value, float) for name in ("ImageOrientationPatient", "ImagePositionPatient")
        )
        turned = np.concatenate([rotation @ axes[:3], rotation @ axes[3:]])
        dataset.ImageOrientationPatient = [f"{v:.14f}"[:16] for v in turned]
        dataset.ImagePositionPatient = [f"{v:.12f}"[:16] for v in rotation @ place]
        made.append(dataset)
    return made


def _when(dataset: FileDataset) -> str:
    return f"{dataset.StudyDate}{dataset.ContentTime}"


def save(datasets: Iterable[FileDataset], folder: Path) -> Path:
    """One file a dataset, 0001.dcm and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, dataset in enumerate(datasets, 1):
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.save_as(folder / f"{i:04d}.dcm")
    return folder


# ------------------------------------------------------------------------------------------------- transfer syntaxes


def explicit(dataset: FileDataset, path: Path) -> None:
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(path)


def implicit(dataset: FileDataset, path: Path) -> None:
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    pydicom.dcmwrite(path, dataset, implicit_vr=True, little_endian=True, force_encoding=True)


def big_endian(dataset: FileDataset, path: Path) -> None:
    values = dataset.pixel_array
    dataset.PixelData = values.astype(values.dtype.newbyteorder(">")).tobytes()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    pydicom.dcmwrite(path, dataset, implicit_vr=False, little_endian=False, force_encoding=True)


def deflated(dataset: FileDataset, path: Path) -> None:
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(path)


def bare(dataset: FileDataset, path: Path) -> None:
    """Without preamble and file meta information, in a file without suffix."""
    out = DicomBytesIO()
    out.is_little_endian, out.is_implicit_VR = True, True
    write_dataset(out, pydicom.Dataset(dataset))
    path.with_suffix("").write_bytes(out.getvalue())


def compressed(syntax: str, plugin: str) -> Callable[[FileDataset, Path], None]:
    def write(dataset: FileDataset, path: Path) -> None:
        dataset.compress(syntax, generate_instance_uid=False, encoding_plugin=plugin)
        dataset.save_as(path)

    return write


def jpeg_lossless(dataset: FileDataset, path: Path) -> None:
    """By GDCM: pydicom has no encoder."""
    import gdcm

    explicit(dataset, path)
    reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
    reader.SetFileName(str(path))
    assert reader.Read()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    stream = next(pydicom.encaps.generate_frames(pydicom.dcmread(path).PixelData, number_of_frames=1))
    dataset.PixelData = encapsulate([stream])
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    dataset.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    dataset.save_as(path)


SYNTAXES: dict[str, Callable[[FileDataset, Path], None]] = {
    "explicit": explicit,
    "implicit": implicit,
    "big endian": big_endian,
    "deflated": deflated,
    "bare": bare,
    "RLE": compressed(RLELossless, "pydicom"),
    "JPEG 2000": compressed(JPEG2000Lossless, "pylibjpeg"),
    "JPEG-LS": compressed(JPEGLSLossless, "pyjpegls"),
    "JPEG lossless": jpeg_lossless,
}


def encoded(datasets: Iterable[FileDataset], name: str, folder: Path) -> Path:
    """Files in one of the SYNTAXES."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, dataset in enumerate(datasets, 1):
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        SYNTAXES[name](copy.deepcopy(dataset), folder / f"{i:04d}.dcm")
    return folder


CONTAINERS: dict[str, Callable[[Datasets], list[FileDataset]]] = {
    "one object": one_object,
    "object per phase": object_per_phase,
    "converted": converted,
    "converted by highdicom": highdicom_converted,
}
