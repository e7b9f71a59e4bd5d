"""Sources that have lost what was stored of them, read again where they lie: as they were read, from the same bytes.

Images' masks, plain expression matrices, and clinical tables of the archives. What was read by a map, with a sheet,
or from a folder of an archive, is left to the command that `tshdb check` names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from tshdb.errors import TshdbError
from tshdb.origins import BY_REPAIR

if TYPE_CHECKING:
    from tshdb.origins import Source
    from tshdb.study import Study


def read_again(study: Study, sources: Iterable[Source]) -> list[Source]:
    """Read the sources whose files are where they were. Gives those that were read."""
    return [source for source in sources if source.reader in READERS and _was_read(study, source)]


def _was_read(study: Study, source: Source) -> bool:
    try:
        return READERS[source.reader](study, source)
    except TshdbError:  # the command that check names will say it
        return False


def _dicom(study: Study, source: Source) -> bool:
    """A series: its folder, of which all other series are known."""
    from cli.ingest_imaging import load_dicom_folder

    folder = Path(source.path)
    if not folder.is_dir():
        return False
    load_dicom_folder(
        study, folder, source.collection, 1, source.command + BY_REPAIR,
        complete=False, keep_going=False, dry_run=False, tells_of_masks=False,
    )  # fmt: skip
    return True


def _segmentation(study: Study, source: Source) -> bool:
    from cli.ingest_imaging import load_masks
    from ingest.imaging.mask_files import Options
    from tshdb.vocabulary import MaskKind, MaskRegion

    said = json.loads(source.options)
    if "kind" not in said or not _is_as_it_was(source) or Path(source.path).name != source.name:
        return False
    sheet = {source.name: said["sheet"]} if said.get("sheet") else {}
    options = Options(
        source.collection, MaskKind(said["kind"]), MaskRegion(said["region"]), said["label"], said["les_base"],
        said["les_order"], sheet,
    )  # fmt: skip
    load_masks(
        study, [Path(source.path)], options, source.command + BY_REPAIR, complete=False, keep_going=False, dry_run=False
    )
    return True


def _rna(study: Study, source: Source) -> bool:
    from ingest.expression import rna
    from tshdb import loading
    from tshdb.vocabulary import ExpressionUnit, Scale

    said = json.loads(source.options)
    if "unit" not in said or "map" in said or said.get("samples") is not None or not _is_as_it_was(source):
        return False
    path = Path(source.path)
    options = rna.Options(
        source.collection, ExpressionUnit(said["unit"]), Scale(said["scale"]), source.name, said["sample_type"],
        said["workflow"], said["gene_model"], False, said.get("clip_negative", False),
    )  # fmt: skip
    item = loading.item_of(study, loading.Source(*source[:3]), path, said, lambda: rna.read(path, options), True)
    loading.load(study, [item], command=source.command + BY_REPAIR, keep_going=True)
    return True


def _clinical(study: Study, source: Source) -> bool:
    from ingest.formats import Format, clinical_reader
    from tshdb import loading

    said, path = json.loads(source.options), Path(source.path)
    if said.keys() - {"her2_rule"} or not _is_as_it_was(source):
        return False
    read = clinical_reader(
        Format(source.reader), source.collection, said.get("her2_rule", study.settings.ingest.her2_rule)
    )
    item = loading.item_of(study, loading.Source(*source[:3]), path, said, lambda: read(path), True)
    loading.load(study, [item], command=source.command + BY_REPAIR, keep_going=True)
    return True


def _is_as_it_was(source: Source) -> bool:
    from tshdb.objects import sha256_of

    path = Path(source.path)
    return path.is_file() and sha256_of(path) == source.sha256


READERS: dict[str, Callable[[Study, Source], bool]] = {
    "dicom": _dicom, "segmentation": _segmentation, "rna": _rna, "clinical": _clinical, "gdc-cases": _clinical,
    "gdc-follow-up": _clinical, "family-history": _clinical, "biotab": _clinical, "cdr": _clinical,
}  # fmt: skip
