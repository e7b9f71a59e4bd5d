"""Every format that is read, as one good file each, and the command that reads it: what the trials of damage go through.

A format is a row of FORMATS: who adds a reader adds one. `has_sum`: the format keeps a sum of its content, so that a changed file
may only be taken where it says the same rows as the good one.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np

from tests.ingest.test_formats import packed_tar, packed_zip
from tests.ingest.zoo import good_files
from tests.ingest.zoo.judge import MAP, patients
from tests.support import tiny

Files = dict[str, bytes]
PATIENT = "TCGA-TN-0003"  # whose images the study of the trials has
SHAPE = (3, 4, 4)  # slices, rows, columns of them
OWN, OF_TINY = "own", "tcga-tn"


@dataclass(frozen=True)
class Format:
    """A good file. files: name -> bytes; damaged: those of which one is damaged at a time; words: of the command, `{}` is the
    folder. has_sum, knows_end: whether a change, or a cut anywhere, shows in the file itself."""

    name: str
    files: Callable[[], Files]
    words: tuple[str, ...]
    damaged: tuple[str, ...]
    has_sum: bool = False
    knows_end: bool = True

    def command(self, folder: Path) -> list[str]:
        return [word.replace("{}", str(folder)) for word in self.words]


# ------------------------------------------------------------------------------------------------ tables


def _table(name: str, pack: Callable[[bytes], bytes]) -> Callable[[], Files]:
    return lambda: {name: pack(patients().encode()), "map.toml": MAP.encode()}


def _by_map(name: str) -> tuple[str, ...]:
    return ("ingest", "clinical", f"{{}}/{name}", "--collection", OWN, "--map", "{}/map.toml")


def table(what: str, name: str, pack: Callable[[bytes], bytes], **facts: bool) -> Format:
    return Format(what, _table(name, pack), _by_map(name), (name,), **facts)


def _book(_: bytes) -> bytes:
    from tests.ingest.zoo.test_books import ROWS, book

    return book(("Patients", ROWS))


def _old_book(_: bytes) -> bytes:
    from tests.ingest.zoo.test_books import ROWS, old_book

    return old_book(ROWS)


def expression(what: str, good: str, **facts: bool) -> Format:
    """One of the zoo's good matrices, with its sample sheet where it needs one."""
    file = next(f for f in good_files.EXPRESSION if f.format == good)
    unit, scale, *more = file.says.split()
    words = ["ingest", "rna", f"{{}}/{file.name}", "--collection", OWN, "--unit", unit, "--scale", scale, *more]

    def files() -> Files:
        rows = "".join(f"{n},{p},tumor\n" for n, p in zip(file.names, good_files.IDS, strict=False))
        return {file.name: file.data, "sheet.csv": f"sample,patient_id,compartment\n{rows}".encode()}

    if file.names:
        words += ["--samples", "{}/sheet.csv"]
    return Format(what, files, tuple(words), (file.name,), **facts)


def _written(write: Callable[[Path], object]) -> Files:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        return {
            p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(Path(folder).rglob("*")) if p.is_file()
        }


@cache
def _gdc(has_api: bool) -> Files:
    from tests.support.gdc_folder import GdcFolder

    made = GdcFolder()
    for number in (50, 51):  # whom the study of the trials has not
        made.add(number)
    made.has_api = has_api
    return _written(made.write)


def gdc(what: str, part: str, has_api: bool = False, **facts: bool) -> Format:
    """A file of a folder of the GDC."""
    names = tuple(n for n in _gdc(has_api) if n.endswith(part))[:1]
    return Format(what, partial(_gdc, has_api), ("ingest", "tcga-brca", "--from", "{}"), names, **facts)


def _features() -> Files:
    files = _written(tiny.TinyArchive.make(4).write_features)
    return files | {"settings.json": b'{"software": "pyradiomics 3.0.1", "settings": {"bin_width": 1}}'}


def _decisions() -> Files:
    row = f"patients,{PATIENT},er_status,positive,A. Reader,seen in the report\n"
    return {"d.csv": f"table,row,column,value,decided_by,reason\n{row}".encode()}


def _cases() -> Files:
    from tests.ingest.test_keep_going_all import BAD, gdc_cases

    return {name: data.replace(BAD.encode(), b"TCGA-Z1-Q002") for name, data in _written(gdc_cases).items()}


# ------------------------------------------------------------------------------------------------ images


@cache
def _dicom(layout: str) -> Files:
    from ingest.simulate.dce_layouts import SimulatedExamination, write_examination
    from ingest.simulate.dicom_files import SAGITTAL, Geometry
    from ingest.simulate.enhanced_layouts import ALL

    dice = np.random.default_rng(5)
    volumes = [dice.integers(1, 900, SHAPE).astype(np.uint16) for _ in range(2)]
    made = SimulatedExamination("TCGA-TN-0900", "T0", volumes, Geometry(orientation=SAGITTAL))
    return _written(lambda folder: write_examination(made, ALL[layout][0], folder))


def dicom(what: str, layout: str) -> Format:
    return Format(
        what, partial(_dicom, layout), ("ingest", "dicom", "{}", "--collection", OF_TINY, "--jobs", "1"),
        (next(iter(_dicom(layout))),),
    )  # fmt: skip


def _outline_of(write: Callable[[Path, str, str], None]) -> Files:
    """The plain examination, and an object that was drawn on its first series."""
    import io

    import pydicom

    files = dict(_dicom("ge content time"))
    first = pydicom.dcmread(io.BytesIO(next(iter(files.values()))))

    def put(folder: Path) -> None:
        write(folder / "outline.dcm", first.StudyInstanceUID, first.SeriesInstanceUID)

    return {**files, **_written(put)}


def _inside() -> np.ndarray:
    made = np.zeros(SHAPE, np.uint8)
    made[1, 1:3, 1:3] = 1
    return made


def _seg() -> Files:
    from ingest.simulate.dicom_files import SAGITTAL, Geometry, Series, write
    from ingest.simulate.mask_writers import segmentation

    def put(path: Path, study: str, of_series: str) -> None:
        series = Series("TCGA-TN-0900", "T0", 900, "outline", Geometry(orientation=SAGITTAL))
        write(segmentation(series, _inside(), "tumor", of_series, is_fractional=False), path)

    return _outline_of(put)


def _grid():
    from tshdb.geometry import Grid

    return Grid(SHAPE, (2.0, 0.8, 0.8), (-60.0, -60.0, -30.0), (0, 1, 0), (0, 0, -1), (-1, 0, 0))


def _structures() -> Files:
    from ingest.simulate.dicom_files import uid
    from ingest.simulate.structures import contours_of, region, structure_set

    def put(path: Path, study: str, of_series: str) -> None:
        parts = [region(1, "GTV", contours_of(_inside(), _grid()), interpreted="GTV")]
        structure_set("TCGA-TN-0900", study, of_series, uid(study, "frame"), parts).save_as(path)

    return _outline_of(put)


def _mask(name: str, is_packed: bool) -> Files:
    import SimpleITK

    from tests.imaging.test_segmentations import image_of

    def put(folder: Path) -> None:
        SimpleITK.WriteImage(image_of(_inside(), _grid()), str(folder / name), useCompression=is_packed)

    return _written(put)


def mask(what: str, name: str, is_packed: bool = False, **facts: bool) -> Format:
    files = _mask(name, is_packed)
    words = ("ingest", "segmentation", "{}", "--collection", OF_TINY, "--kind", "expert")
    return Format(what, partial(_mask, name, is_packed), words, tuple(files), **facts)


def _les() -> Files:
    from ingest.simulate.mask_writers import les_bytes

    return {f"{PATIENT}.les": les_bytes(_inside())}


SEGMENT = ("ingest", "segmentation", "{}", "--collection", OF_TINY)
WITH_SUM = {"has_sum": True}
NO_END = {"knows_end": False}  # a cut at the end of a line leaves a whole file


@cache
def formats() -> dict[str, Format]:
    """name -> format, of all files that ingest reads."""
    dicom_folder = ("ingest", "dicom", "{}", "--collection", OF_TINY, "--jobs", "1")
    sheet = b"file,patient_id\nm.nrrd," + PATIENT.encode() + b"\n"
    made = [
        dicom("DICOM", "ge content time"),
        dicom("DICOM, enhanced", "enhanced philips"),
        Format("DICOM SEG", _seg, dicom_folder, ("outline.dcm",)),
        Format("RTSTRUCT", _structures, dicom_folder, ("outline.dcm",)),
        mask("NIfTI", f"{PATIENT}.nii"),
        mask("NIfTI, packed", f"{PATIENT}.nii.gz", True, **WITH_SUM),
        mask("NRRD", f"{PATIENT}.nrrd"),
        mask("NRRD, packed", f"{PATIENT}.nrrd", True),
        mask("NRRD, detached", f"{PATIENT}.nhdr"),
        mask("MetaImage", f"{PATIENT}.mha"),
        mask("MetaImage, detached", f"{PATIENT}.mhd"),
        Format("les", _les, SEGMENT, (f"{PATIENT}.les",)),
        Format("sheet of masks", lambda: {"s.csv": sheet, **{"m.nrrd": _mask(f"{PATIENT}.nrrd", False)[f"{PATIENT}.nrrd"]}},
               (*SEGMENT, "--sheet", "{}/s.csv"), ("s.csv",), **NO_END),
        table("CSV", "t.csv", bytes, **NO_END),
        table("CSV, gzip", "t.csv.gz", partial(gzip.compress, mtime=0), **WITH_SUM),
        table("CSV, bzip2", "t.csv.bz2", bz2.compress, **WITH_SUM),
        table("CSV, xz", "t.csv.xz", lzma.compress, **WITH_SUM),
        table("CSV, zip", "t.zip", lambda t: packed_zip(t.decode(), "t.csv"), **WITH_SUM),
        table("CSV, tar.gz", "t.tar.gz", lambda t: gzip.compress(packed_tar("t.csv", t.decode(), "w")), **WITH_SUM),
        table("XLSX", "t.xlsx", _book, **WITH_SUM),
        table("XLS", "t.xls", _old_book),
        expression("matrix", "cBioPortal expression", **NO_END),
        expression("GCT", "GCT 1.2"),
        expression("series matrix", "GEO series matrix", **WITH_SUM),
        expression("featureCounts", "featureCounts", **NO_END),
        gdc("STAR counts", ".rna_seq.augmented_star_gene_counts.tsv", **WITH_SUM),
        gdc("GDC manifest", "gdc_manifest.txt", **NO_END),
        gdc("GDC sample sheet", "gdc_sample_sheet.tsv", **NO_END),
        gdc("GDC clinical", "clinical.tsv", **NO_END),
        gdc("GDC files, JSON", "files.json", True),
        gdc("GDC status, JSON", "status.json", True),
        Format("GDC cases, JSON", _cases, ("ingest", "clinical", "{}/cases.json", "--collection", "tcga-brca"), ("cases.json",)),
        Format("features", _features, ("ingest", "features", "{}/features.csv", "--collection", OF_TINY, "--settings",
                                       "{}/settings.json", "--name", "other"), ("features.csv",), **NO_END),
        Format("settings of features, JSON", _features, ("ingest", "features", "{}/features.csv", "--collection", OF_TINY,
                                                         "--settings", "{}/settings.json", "--name", "other"),
                                                         ("settings.json",)),
        Format("decisions", _decisions, ("ingest", "decisions", "{}/d.csv", "--collection", OF_TINY), ("d.csv",), **NO_END),
        Format("map, TOML", _table("t.csv", bytes), _by_map("t.csv"), ("map.toml",), **NO_END),
        Format("cohort, SQL", lambda: {"c.sql": tiny.LIVE_SQL.encode()}, ("cohort", "define", "other", "{}/c.sql"), ("c.sql",),
               **NO_END),
    ]  # fmt: skip
    return {each.name: each for each in made}
