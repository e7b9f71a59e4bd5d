"""Outcomes alone: of the GDC's clinical table overall survival, of any other table the endpoints that a map names.

Makes    FollowUp, and Patient with nothing but the identifier.
"""

from __future__ import annotations

from pathlib import Path

from ingest.gdc import clinical
from ingest.tables import mapped, maps
from ingest.tables.guess import guess
from tshdb.file_content import FileContent
from tshdb.readers import Part, Reader, Request
from tshdb.schema import Patient

OF_THE_IDENTIFIER = {"patient_id", "collection"}


def _read(path: Path, request: Request) -> FileContent:
    map_ = maps.map_in(request.options)
    if map_ is None:
        return clinical.read(path, request.collection, follow_up_only=True)
    content = mapped.read(path, request.collection, map_)
    content.raw_values = []
    for record in content.records:
        if record.table is Patient:
            for column in record.values.keys() - OF_THE_IDENTIFIER:
                del record.values[column]
    return content


READER = Reader(
    name="follow-up",
    about="outcomes of the GDC's clinical.tsv, or of any table by a map",
    part=Part.CLINICAL,
    precedence=50,
    read=_read,
    recorded=maps.recorded,
    guess=guess,
    command="ingest follow-up",
)
