"""Sample sheets: which patient and which tissue a column of an expression matrix is, where its name does not say so.

File     csv or tsv with the columns sample, patient_id and compartment (tumor, stroma or other); optional: sample_id,
         sample_type_code. One row a column of the matrix.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tshdb.barcode import STROMA_CODE, TUMOR_CODE, Barcode, compartment_of
from tshdb.errors import InvalidInput
from tshdb.file_content import FileContent
from tshdb.text_files import open_table
from tshdb.vocabulary import Compartment

REQUIRED = ("sample", "patient_id", "compartment")


class SampleRow(NamedTuple):
    """A row of `samples`."""

    sample_id: str
    patient_id: str
    sample_type_code: str | None
    compartment: Compartment


class SampleSheet:
    """Names of columns -> samples."""

    def __init__(self, rows: dict[str, SampleRow]):
        self._rows = rows

    @property
    def names(self) -> list[str]:
        """The names that the sheet has."""
        return list(self._rows)

    def sample_of(self, name: str, default_type: str | None = None) -> SampleRow | None:
        """The sample that a column is: by the sheet, else by its TCGA barcode; None when neither says it."""
        if name in self._rows:
            return self._rows[name]
        if not Barcode.is_one(name):
            return None
        barcode = Barcode.parse(name)
        code = barcode.sample_type or default_type
        if code is None:
            return None
        sample_id = barcode.sample_id or f"{barcode.patient_id}-{code}"
        return SampleRow(sample_id, barcode.patient_id, code, compartment_of(code))


def read(path: Path) -> SampleSheet:
    """The sheet. Raises InvalidInput with the line for anything that is not as the module says."""
    rows: dict[str, SampleRow] = {}
    content = FileContent()
    with open_table(path, content, "sheet.field-count") as table:
        header = [h.lower() for h in table.header]
        missing = [c for c in REQUIRED if c not in header]
        if missing:
            raise InvalidInput(
                f"no column {', '.join(missing)} (found {', '.join(header)})",
                where=f"{path}:{table.line}",
                repair=f"A sample sheet has {', '.join(REQUIRED)}",
            )
        for line, fields in table.rows:
            values = dict(zip(header, (f.strip() for f in fields), strict=True))
            where = f"{path}:{line}"
            try:
                compartment = Compartment(values["compartment"].lower())
            except ValueError:
                raise InvalidInput(
                    f"compartment '{values['compartment']}'", where=where, repair="Use tumor, stroma or other"
                ) from None
            if values["sample"] in rows:
                raise InvalidInput(f"sample '{values['sample']}' stands twice", where=where, repair="Remove one row")
            codes = {Compartment.TUMOR: TUMOR_CODE, Compartment.STROMA: STROMA_CODE}
            rows[values["sample"]] = SampleRow(
                values.get("sample_id") or values["sample"],
                values["patient_id"],
                values.get("sample_type_code") or codes.get(compartment),
                compartment,
            )
    if content.errors:
        raise InvalidInput(content.errors[0].message, where=f"{path}:{content.errors[0].line}")
    return SampleSheet(rows)
