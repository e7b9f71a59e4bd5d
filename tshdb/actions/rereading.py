"""Sources that have lost what was stored of them, read again where they lie: as they were read, from the same bytes.

What was read by a map, with a sheet, or from a folder of an archive, is left to the command that `tshdb check` names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from tshdb import installed, loading
from tshdb.actions import imaging
from tshdb.actions.ingest import known_of
from tshdb.errors import TshdbError
from tshdb.objects import whole_digest
from tshdb.origins import BY_REPAIR
from tshdb.readers import Part, Request

if TYPE_CHECKING:
    from tshdb.origins import LoadedSource
    from tshdb.study import Study


def read_again(study: Study, sources: Iterable[LoadedSource]) -> list[LoadedSource]:
    """Read the sources whose files are where they were. Gives those that were read."""
    return [source for source in sources if _was_read(study, source)]


def _was_read(study: Study, source: LoadedSource) -> bool:
    try:
        reader = installed.reader(source.reader)
        return _folder(study, source) if reader.folder is not None else _file(study, source)
    except TshdbError:  # the command that check names will say it
        return False


def _folder(study: Study, source: LoadedSource) -> bool:
    """A series: its folder, of which all other series are known."""
    folder = study.paths.at(source.path)
    if not folder.is_dir():
        return False
    command = source.command + BY_REPAIR
    imaging.dicom(study, folder, source.collection, jobs=1, command=command, tells_of_masks=False)
    return True


def _file(study: Study, source: LoadedSource) -> bool:
    """A file that has the bytes it had, and was read with nothing that the study does not know."""
    reader, options, path = installed.reader(source.reader), json.loads(source.options), study.paths.at(source.path)
    options.pop("vocabulary", None)
    as_of = {"as_of": options.pop("as_of")} if "as_of" in options else {}
    read = reader.read
    if read is None or not reader.reads_again(options):
        return False
    if not (path.is_file() and whole_digest(path, reader.beside(path)) == source.sha256):
        return False
    request = Request(source.collection, source.name, options, known=known_of(study, reader.needs))
    if reader.part is Part.SEGMENTATION:  # whose rows say on which day they were drawn
        request = replace(request, options={**options, **as_of})
    request = replace(request, options=reader.recorded(request, study.settings))
    item = loading.item_of(
        study, loading.Source(*source[:3]), path, options | as_of, lambda: read(path, request), always=True
    )
    loading.load(study, [item], command=source.command + BY_REPAIR, keep_going=True)
    return True
