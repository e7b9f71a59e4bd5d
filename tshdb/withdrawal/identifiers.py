"""The names by which a study knows a patient, and the token that stands in their place.

The token is an HMAC: patient barcodes can be enumerated, so that a plain digest would give them away. Its key lies in the
study's folder, outside the database.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from sqlalchemy import Connection, select

from tshdb.barcode import Barcode
from tshdb.errors import IntegrityError, NotFound
from tshdb.schema import (
    Annotation,
    ExpressionProfile,
    ImagingSeries,
    ImagingStudy,
    ImportedFeature,
    Patient,
    Sample,
    Segmentation,
)

KEY_FILE = ".withdrawal-key"
SEEN = "withdrawn"  # what consumers saw of a withdrawn unit: its digest would be a digest of the patient's data
SAFE_LENGTH = 6  # a shorter name is no proof that a text speaks of the patient
NOBODY = re.compile(r"(?!)")


@dataclass(frozen=True)
class Identifiers:
    """All names of one patient in the study.

    originals: what files call the patient, where a map made the study's name of it.
    others: names of others that hold one of the patient's, such as SUBJ-001-2 beside SUBJ-001: no text with them is meant.
    """

    patient_id: str
    sample_ids: tuple[str, ...]
    profile_ids: tuple[str, ...]
    aliquot_ids: tuple[str, ...]
    annotation_ids: tuple[str, ...]
    study_uids: tuple[str, ...] = ()
    series_uids: tuple[str, ...] = ()
    segmentation_ids: tuple[str, ...] = ()
    examinations: tuple[str, ...] = ()  # of imported features
    originals: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What a text may call the patient, the longest first."""
        names = {self.patient_id, *self.sample_ids, *self.aliquot_ids, *self.profile_ids}
        names |= {*self.study_uids, *self.series_uids, *self.examinations, *self.originals}
        return tuple(sorted(names, key=lambda n: (-len(n), n)))

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the units that are the patient's."""
        others = (*self.annotation_ids, *self.study_uids, *self.series_uids, *self.segmentation_ids, *self.examinations)
        return (self.patient_id, *self.sample_ids, *self.profile_ids, *others)

    @cached_property
    def telling(self) -> tuple[str, ...]:
        """The names that can be looked for in any text; others are too short to mean only this patient."""
        return tuple(n for n in self.names if len(n) >= SAFE_LENGTH)

    @cached_property
    def short(self) -> frozenset[str]:
        """The study's names that are too short for texts: they are looked for as whole cells, and as names of files.

        What a file calls the patient, where a map made the name of it, may be somebody else in another file.
        """
        return frozenset(n for n in self.names if len(n) < SAFE_LENGTH and n not in self.originals)

    @cached_property
    def spellings(self) -> tuple[str, ...]:
        """The telling names in all the ways in which programs write them."""
        return tuple(dict.fromkeys(s for n in self.telling for s in spelt(n)))

    @cached_property
    def stems(self) -> tuple[str, ...]:
        """Spellings of which each other spelling holds one: a text without any of them, in small letters, names nobody."""
        small = sorted({s.lower() for s in self.spellings}, key=len)
        return tuple(s for i, s in enumerate(small) if not any(shorter in s for shorter in small[:i]))

    @cached_property
    def are_numbers(self) -> bool:
        """Whether a telling name is a number, which files may hold otherwise than as text."""
        return any(n.isdecimal() for n in self.telling)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Finds the telling names, not as part of a longer number or word, and not in the names of others."""
        return finding(self.spellings, self.others)

    @cached_property
    def in_binary(self) -> re.Pattern[str]:
        """The same among bytes that are no text: what stands beside another's name there may be another column's."""
        return finding(self.spellings, self.others, "", "")

    @cached_property
    def word(self) -> re.Pattern[str]:
        """Finds all names as words, the short ones too: for sentences that speak of the patient anyway."""
        return finding([each for name in self.names for each in spelt(name)], self.others)

    def is_in(self, text: str, is_binary: bool = False) -> bool:
        """Whether a text names the patient."""
        small = text.lower()
        if not any(stem in small for stem in self.stems):
            return False
        return (self.in_binary if is_binary else self.pattern).search(text) is not None

    def is_in_path(self, path: Path) -> bool:
        """Whether a file or one of its folders is named after the patient."""
        parts = {*path.parts, path.name.partition(".")[0]}
        return self.is_in(str(path)) or any(len(n) > 1 and n in parts for n in self.short)


_BEGINS, _ENDS = "(?<![A-Za-z0-9])", "(?![A-Za-z0-9\u0300-\u036f])"  # an accent is a part of its letter
ENCODINGS = ("utf-8", "gb18030", "shift_jis", "cp1251", "mac-roman")  # in which a letter is other bytes than in Latin 1


def spelt(name: str) -> list[str]:
    """A name in all the ways in which programs write it, none shorter than a name that can be looked for.

    As R's make.names does; with accents as letters' parts or of their own; as bytes of an encoding that are read as another;
    of a number: as spreadsheets and programs print large ones, and without zeros before it.
    """
    forms = [name, re.sub(r"[^\w.]", ".", name)]
    if not name.isascii():
        forms += [unicodedata.normalize(form, each) for form in ("NFC", "NFD") for each in list(forms)]
        forms += [_misread(each, encoding) for encoding in ENCODINGS for each in list(forms) if not each.isascii()]
    if name.isdecimal() and name.isascii():
        bare = name.lstrip("0")
        digits = bare.rstrip("0")
        mantissa = f"{digits[:1]}.{digits[1:]}" if digits[1:] else digits
        power = len(bare) - 1
        forms += [bare, f"{mantissa}E{power}", f"{mantissa}E+{power:02d}"]
    return [f for f in dict.fromkeys(forms) if f == name or len(f) >= SAFE_LENGTH]


def _misread(name: str, encoding: str) -> str:
    return name.encode(encoding, "ignore").decode("latin-1")


def finding(names: Sequence[str], others: Sequence[str], begins: str = _BEGINS, ends: str = _ENDS) -> re.Pattern[str]:
    """Finds names that are no part of a longer word, nor of others' names; these begin and end as is said.

    Capitals do not matter, but where somebody else's name differs by nothing else.
    """
    foreign = [each for other in others for each in spelt(other)]
    wanted = [re.escape(name) + _not_of(name, foreign, begins, ends) for name in names]
    return re.compile(f"{_BEGINS}(?:{'|'.join(wanted)}){_ENDS}", re.IGNORECASE) if wanted else NOBODY


def _not_of(name: str, others: Sequence[str], begins: str, ends: str) -> str:
    """What must not be so behind a name: that it is a part of another's name."""
    conditions = []
    for other in others:
        for at in re.finditer(f"{_BEGINS}{re.escape(name)}{_ENDS}", other, re.IGNORECASE):
            before, after = re.escape(other[: at.start()]), re.escape(other[at.end() :])
            is_alike = not before and not after
            there = f"(?<={begins}{before}{re.escape(at[0])}){after}{ends}"
            conditions.append(f"(?!(?-i:{there}))" if is_alike else f"(?!{there})")
    return "".join(conditions)


_NAMED = (Patient.patient_id, Sample.sample_id, ExpressionProfile.aliquot_id, ExpressionProfile.profile_id,
          ImagingStudy.study_uid, ImagingSeries.series_uid, ImportedFeature.examination)  # fmt: skip


def identifiers(connection: Connection, patient_id: str) -> Identifiers:
    """The names of a patient. Raises NotFound for one that the study does not have."""
    if connection.execute(select(Patient.patient_id).where(Patient.patient_id == patient_id)).scalar() is None:
        raise NotFound(f"no patient '{patient_id}'", repair='See: tshdb sql "SELECT patient_id FROM patients"')
    samples = connection.execute(select(Sample.sample_id).where(Sample.patient_id == patient_id)).scalars().all()
    profiles = connection.execute(
        select(ExpressionProfile.profile_id, ExpressionProfile.aliquot_id)
        .join(Sample, Sample.sample_id == ExpressionProfile.sample_id)
        .where(Sample.patient_id == patient_id)
    ).fetchall()
    notices = connection.execute(select(Annotation.annotation_id).where(Annotation.patient_id == patient_id)).scalars()
    studies = connection.execute(
        select(ImagingStudy.study_uid).where(ImagingStudy.patient_id == patient_id)
    ).scalars().all()  # fmt: skip
    series = connection.execute(
        select(ImagingSeries.series_uid)
        .join(ImagingStudy, ImagingStudy.study_uid == ImagingSeries.study_uid)
        .where(ImagingStudy.patient_id == patient_id)
    ).scalars()
    segmentations = connection.execute(
        select(Segmentation.segmentation_id).where(Segmentation.study_uid.in_(studies))
    ).scalars()  # fmt: skip
    examinations = connection.execute(
        select(ImportedFeature.examination).where(ImportedFeature.patient_id == patient_id)
    ).scalars()  # fmt: skip
    names = Identifiers(
        patient_id,
        tuple(sorted(samples)),
        tuple(sorted(p.profile_id for p in profiles)),
        tuple(sorted({p.aliquot_id for p in profiles})),
        tuple(sorted(notices)),
        tuple(sorted(studies)),
        tuple(sorted(series)),
        tuple(sorted(segmentations)),
        tuple(sorted(examinations)),
    )
    return replace(names, others=_others(connection, names))


def _others(connection: Connection, names: Identifiers) -> tuple[str, ...]:
    """The names of others in which one of the patient's names stands as a part, as SUBJ-001 does in SUBJ-001-2."""
    own, found = set(names.names), set()
    for column in _NAMED:
        for other in connection.execute(select(column).distinct()).scalars():
            if other not in own and names.word.search(other):
                found.add(other)
    return tuple(sorted(found))


def meant_by(name: str) -> list[str]:
    """The name itself; of a TCGA barcode also those of the sample and the patient that it is of."""
    stem = name.replace(".", "-") if name.startswith("TCGA.") else name.partition(".")[0]
    if not Barcode.is_one(stem):
        return [name]
    parts = stem.split("-")
    return [name, stem, *("-".join(parts[:i]) for i in range(3, len(parts)))]


def key_of(root: Path) -> bytes | None:
    """The study's key; None without one. Raises IntegrityError for a damaged one."""
    path = root / KEY_FILE
    if not path.is_file():
        return None
    key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    if len(key) != 32:
        raise IntegrityError("the key is not 32 bytes", where=str(path), repair="Restore it from a backup")
    return key


def make_key(root: Path) -> bytes:
    """The study's key, made if it is not there. Raises IntegrityError for a damaged one."""
    path = root / KEY_FILE
    stored = key_of(root)
    if stored is not None:
        return stored
    key = secrets.token_bytes(32)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(key.hex())
        file.flush()
        os.fsync(file.fileno())
    return key


def token_of(key: bytes, name: str) -> str:
    """What stands in the place of a name: 32 hexadecimal digits that only the key's holder can compute."""
    return hmac.new(key, name.encode(), hashlib.sha256).hexdigest()[:32]


def loose_token_of(key: bytes, text: str) -> str:
    """The token of a spelling, by which texts are searched when the name is not known any more; capitals do not matter.

    It is none of a name: another patient's may differ by its capitals alone.
    """
    return token_of(key, f"as written: {text.lower()}")


def alias_of(token: str) -> str:
    """What stands in texts and keys in the place of a withdrawn name."""
    return f"{SEEN}:{token[:16]}"


def is_alias(name: str) -> bool:
    """Whether a name is that of a withdrawn patient."""
    return name.startswith(f"{SEEN}:")
