"""TCGA barcodes: TCGA-<TSS>-<participant>[-<sample><vial>[-<portion><analyte>[-<plate>[-<center>]]]].

Source: the GDC's Encyclopedia, "TCGA Barcode" and "Sample Type Codes".
"""

import re
from dataclasses import dataclass

from tshdb.errors import InvalidInput
from tshdb.vocabulary import Compartment

_PATTERN = re.compile(
    r"TCGA-(?P<tss>[A-Z0-9]{2})-(?P<participant>[A-Z0-9]{4})"
    r"(?:-(?P<sample_type>\d{2})(?P<vial>[A-Z])?"
    r"(?:-(?P<portion>\d{2})(?P<analyte>[A-Z])?"
    r"(?:-(?P<plate>[A-Z0-9]{4})(?:-(?P<center>\d{2}))?)?)?)?"
)
TUMOR_CODE, STROMA_CODE = "01", "11"


def compartment_of(sample_type_code: str | None) -> Compartment:
    """Primary solid tumour (01) is the tumour, solid tissue normal (11) the stroma; metastases and blood are neither."""
    return {TUMOR_CODE: Compartment.TUMOR, STROMA_CODE: Compartment.STROMA}.get(sample_type_code, Compartment.OTHER)


@dataclass(frozen=True)
class Barcode:
    """A TCGA barcode to whatever depth it was given; parts that were not given are None."""

    text: str
    patient_id: str
    sample_type: str | None
    vial: str | None
    analyte: str | None
    plate: str | None

    @classmethod
    def parse(cls, text: str) -> "Barcode":
        """Raises InvalidInput when `text` is not a barcode."""
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise InvalidInput(f"'{text}' is not a TCGA barcode, such as TCGA-A7-A0CE-01A-11R-A00Z-07")
        return cls(
            text=text,
            patient_id=f"TCGA-{match['tss']}-{match['participant']}",
            sample_type=match["sample_type"],
            vial=match["vial"],
            analyte=match["analyte"],
            plate=match["plate"],
        )

    @classmethod
    def is_one(cls, text: str) -> bool:
        return _PATTERN.fullmatch(text) is not None

    @property
    def sample_id(self) -> str | None:
        """The barcode to the vial where it is known, else as far as it goes; None for a bare patient."""
        if self.sample_type is None:
            return None
        return f"{self.patient_id}-{self.sample_type}{self.vial or ''}"
