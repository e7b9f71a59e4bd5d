"""What a segment or region marks, and who drew it: by codes first, then by the words of the file.

Region   coded type or category (SNOMED CT, its SRT spellings, NCI thesaurus) of a neoplasm, or of the breast; a region of
         radiotherapy by its interpreted type (GTV); else words. Enhancement masks of archives ("PE Segmentation", functional
         tumour volume) are none of these, whatever they are coded as.
Kind     SegmentAlgorithmType or ROIGenerationAlgorithm (PS3.3 C.8.20.2, C.8.8.5): MANUAL is a person, SEMIAUTOMATIC a person
         with a program, AUTOMATIC a program. Where nobody says it, the kind is `other`, which is no outline.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from tshdb.vocabulary import MaskKind, MaskRegion

OUTLINES = {MaskKind.MANUAL, MaskKind.EXPERT, MaskKind.LES, MaskKind.FCM}
# SCT and SRT spellings of neoplasm, mass, lesion, primary and malignant neoplasm, and of the breast's; NCIt's of the same
_TUMOR_CODES = {
    "108369006", "M-8FFFF", "4147007", "M-03000", "52988006", "M-01100", "86049000", "M-80003", "14799000", "M-80006",
    "1240414004", "363346000", "126926005", "254837009", "372064008", "372137005", "C3262", "C3677", "C9305", "C4872", "C9245",
}  # fmt: skip
_BREAST_CODES = {"76752008", "T-04000", "C12971", "73056007", "T-04020", "80248007", "T-04030"}
_GENERIC_CODES = {"85756007", "T-D0050", "49755003", "M-01000", "123037004", "91723000", "T-D000A"}  # tissue, structure
BY_NAME = "its name"
_ENHANCEMENT = re.compile(r"\bPE\b.*seg|\bFTV\b|VOI PE|thresh\s*=", re.IGNORECASE)
_BREAST = re.compile(r"\bbreast\b", re.IGNORECASE)
_TISSUE = re.compile(r"tissue|gland|fat\b|adipose|parenchyma|\bFGT\b", re.IGNORECASE)
_TUMOR = re.compile(
    r"tumou?r|lesion|(?<![a-z])mass(?![a-z])|carcinoma|cancer|neoplasm|malignan|(?<![a-z])GTV", re.IGNORECASE
)
_NOT_THE_TUMOR = re.compile(
    r"node|nodal|(?<![a-z])LNs?(?![a-z])|GTV[ _-]?n(?![a-z])|peri.?tumou?r|non.?tumou?r|no.tumou?r|margin|(?<![a-z])[CP]TV",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Named:
    """What a segmentation is taken for. evidence: what says so."""

    region: MaskRegion
    kind: MaskKind
    evidence: str | None = None

    @property
    def is_outline(self) -> bool:
        return self.region is MaskRegion.TUMOR and self.kind in OUTLINES

    def unused(self, repair: str = "decide it, kind=manual of its series (tshdb ingest decisions)") -> str | None:
        """Why it is kept and not used as an outline; None where it is one, or was never meant for one.

        repair: how a person says who drew it.
        """
        if self.is_outline or self.region in (MaskRegion.BREAST, MaskRegion.ENHANCEMENT):
            return None
        if self.region is MaskRegion.TUMOR and self.kind is MaskKind.AUTOMATIC:
            return "drawn by a program: it is an outline only if [tumor_masks] prefer names automatic"
        if self.region is MaskRegion.TUMOR:
            return f"nothing says that a person drew it: {repair}"
        return "no code and no word says that it is a tumour or the breast"


class Code(NamedTuple):
    """A coded concept, such as (108369006, SCT, Neoplasm)."""

    value: str
    scheme: str
    meaning: str

    def __str__(self) -> str:
        return f"{self.scheme} {self.value} {self.meaning}".strip()


def region_of_words(*texts: str | None) -> MaskRegion | None:
    """What words speak of; None where they say nothing."""
    text = " ".join(filter(None, texts))
    if _ENHANCEMENT.search(text):
        return MaskRegion.ENHANCEMENT
    if _NOT_THE_TUMOR.search(text):
        return MaskRegion.OTHER
    if _TUMOR.search(text):
        return MaskRegion.TUMOR
    return MaskRegion.BREAST if _BREAST.search(text) and not re.search("fibroglandular", text, re.IGNORECASE) else None


def named(
    description: str | None, label: str | None = None, codes: Iterable[Code] = (), algorithm: str | None = None,
    is_alone: bool = True,
) -> Named:  # fmt: skip
    """Region and kind of a segment.

    description: of its series. codes: type, then category. algorithm: who drew it. is_alone: it is the only one of its file,
    so that the description is of it.
    """
    codes = list(codes)
    if _ENHANCEMENT.search(" ".join(filter(None, [description, label, *(c.meaning for c in codes)]))):
        return Named(MaskRegion.ENHANCEMENT, MaskKind.FTV, "its name is that of an enhancement mask")
    region, says = _region(codes, label, description if is_alone else None)
    words = " ".join(filter(None, (description, label)))
    if region is MaskRegion.BREAST and (_TISSUE.search(words) or says == BY_NAME):
        return Named(region, MaskKind.TISSUE, says)
    who = f"drawn: {algorithm}" if algorithm else "nobody says who drew it"
    return Named(region, kind_of(algorithm), f"{says}; {who}" if says else who)


def kind_of(algorithm: str | None) -> MaskKind:
    """Of MANUAL, SEMIAUTOMATIC, AUTOMATIC."""
    said = (algorithm or "").strip().upper()
    return {
        "MANUAL": MaskKind.MANUAL,
        "SEMIAUTOMATIC": MaskKind.MANUAL,
        "AUTOMATIC": MaskKind.AUTOMATIC,
    }.get(said, MaskKind.OTHER)


def _region(codes: list[Code], label: str | None, description: str | None) -> tuple[MaskRegion, str | None]:
    for known, region in ((_TUMOR_CODES, MaskRegion.TUMOR), (_BREAST_CODES, MaskRegion.BREAST)):
        for code in codes:
            if code.value in known:
                return region, str(code)
    for code in codes:
        meant = region_of_words(code.meaning)
        if meant in (MaskRegion.TUMOR, MaskRegion.OTHER):
            return meant, str(code)
    says_nothing = all(code.value in _GENERIC_CODES for code in codes)
    for words in (label, description if says_nothing else None):
        meant = region_of_words(words)
        if meant is not None:
            return meant, BY_NAME
    return MaskRegion.OTHER, str(codes[0]) if codes else None
