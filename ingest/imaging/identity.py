"""Does a DICOM header look as if it named a person?

Structured elements alone are looked at, not pixels, and their values are never repeated: a finding names the element.
Rules follow the elements that DICOM PS3.15 Annex E removes; a study takes such files only when its settings say so.
"""

from __future__ import annotations

import re
from typing import Any

from pydicom.datadict import DicomDictionary, keyword_for_tag
from pydicom.dataset import Dataset

from tshdb.identity import Identity, in_text

_WHO_DREW = (
    "ContentCreatorName",
    "ROIInterpreter",
)  # of an outline: no patient, and programs fill them in by themselves
_NAMES = sorted(name for vr, _, _, _, name in DicomDictionary.values() if vr == "PN" and name)
_LISTED = (
    "PatientBirthDate", "PatientBirthTime", "PatientBirthName", "PatientMotherBirthName", "OtherPatientIDs",
    "OtherPatientNames", "OtherPatientIDsSequence", "PatientAddress", "PatientTelephoneNumbers",
    "PatientTelecomInformation", "PatientInsurancePlanCodeSequence", "InsurancePlanIdentification",
    "MedicalRecordLocator", "MilitaryRank", "BranchOfService", "CountryOfResidence", "RegionOfResidence",
    "Occupation", "ResponsiblePerson", "ResponsibleOrganization", "ReferringPhysicianName",
    "ReferringPhysicianAddress", "ReferringPhysicianTelephoneNumbers", "ConsultingPhysicianName",
    "PerformingPhysicianName", "PhysiciansOfRecord", "NameOfPhysiciansReadingStudy", "RequestingPhysician",
    "OperatorsName", "ScheduledPerformingPhysicianName", "NamesOfIntendedRecipientsOfResults",
    "PatientReligiousPreference", "PatientMotherBirthName", "PersonAddress", "PersonTelephoneNumbers",
    "PersonTelecomInformation", "OrderCallbackPhoneNumber", "OrderCallbackTelecomInformation",
    "PatientBirthDateInAlternativeCalendar",
)  # fmt: skip
PERSON = tuple(dict.fromkeys((*_LISTED, *(n for n in _NAMES if n not in (*_WHO_DREW, "PatientName")))))
"""what only a person has: the listed elements, and every name of a person that the standard knows"""
PLACE = ("InstitutionName", "InstitutionAddress")  # harmless once the file says that identities were removed
FLAGS = ("PatientIdentityRemoved", "BurnedInAnnotation")
OF_THE_TRIAL = ("ClinicalTrialSubjectID", "ClinicalTrialProtocolID", "ClinicalTrialProtocolName")
ELEMENTS = ("PatientName", "PatientID", *OF_THE_TRIAL, *PERSON, *PLACE, *FLAGS)

_HARMLESS = re.compile(
    r"(anon\w*|unknown|unnamed|none|removed|deleted|deidentified|de-identified|n/?a|not available|phantom|test|"
    r"patient|subject|case|no|name|removed by \w+|x+|0+|\W*)",
    re.IGNORECASE,
)
_MONTH = (  # in English, German, French and Spanish
    "(?:jan(?:uary|uar|vier)?|feb(?:ruary|ruar)?|mar(?:ch|s|zo)?|märz?|apr(?:il)?|ma[iy]|mayo|june?|juni|juin|junio|july?|juli|juillet|"
    r"julio|aug(?:ust)?|août|agosto|sept?(?:ember|embre)?|o[ck]t(?:ober|obre|ubre)?|nov(?:ember|embre)?|de[cz](?:ember)?|d[ée]c(?:embre)?|"
    r"diciembre|ene(?:ro)?|feb(?:rero)?|f[ée]v(?:rier)?|abr(?:il)?)\.?"
)
_DATE = re.compile(
    r"(?<!\d)(?:\d{1,2}[./-]\d{1,2}[./-](?:19|20)\d{2}|(?:19|20)\d{2}[./-]?[01]\d[./-]?[0-3]\d"
    rf"|\d{{1,2}}\.?[ -]?{_MONTH}[ ,-]*(?:19|20)\d{{2}}|{_MONTH}[ -]\d{{1,2}},?[ -](?:19|20)\d{{2}})(?!\d)",
    re.IGNORECASE,
)
_SAID = (Identity.MAIL, Identity.NAME, Identity.NUMBER, Identity.BIRTH)
_OF_FRAMES = (
    "PerFrameFunctionalGroupsSequence",
    "SharedFunctionalGroupsSequence",
    "ROIContourSequence",
    "SegmentSequence",
)
DEEPEST = 5  # sequences within each other that are looked into


def identifying(values: dict[str, str]) -> list[str]:
    """What gives a person away, as words: names of elements, none of their values.

    values: the elements of ELEMENTS that the header has, as text; a sequence that is there has any text.
    """
    names = [name for name in PERSON if not _is_harmless(values.get(name, ""), values)]
    if _names_a_person(values):
        names.insert(0, "PatientName")
    removed = values.get("PatientIdentityRemoved", "").upper()
    if removed != "YES":
        names += [name for name in PLACE if not _is_harmless(values.get(name, ""), values)]
    if removed == "NO":
        names.append("PatientIdentityRemoved = NO")
    if values.get("BurnedInAnnotation", "").upper() == "YES":
        names.append("BurnedInAnnotation = YES")
    return names


def in_free_texts(values: dict[str, str], names: tuple[str, ...]) -> list[str]:
    """The elements among `names` in whose text somebody is named: a title and a name, a mail address, a number of a
    record, a birth
    date. `BREAST^GENERAL` is how Siemens names a protocol, and no person."""
    return [
        name for name in names if any(i in _SAID and "^" not in words for i, words in in_text(values.get(name, "")))
    ]


def within(dataset: Dataset, values: dict[str, str]) -> list[str]:
    """What in the sequences of a header gives a person away: `RequestingPhysician in RequestAttributesSequence`.

    values: as for `identifying`, of the header itself. Sequences of frames and regions are not looked into.
    """
    return list(dict.fromkeys(_within(dataset, values, DEEPEST)))


def _within(dataset: Dataset, values: dict[str, str], depth: int) -> list[str]:
    found: list[str] = []
    for tag, element in dataset.items():
        if depth == 0 or not element.value or not _is_sequence(tag, element.VR):
            continue
        sequence = keyword_for_tag(tag) or "a private sequence"
        if sequence in _OF_FRAMES:
            continue
        for item in dataset[tag].value:
            of_item = {n: _text(item[n].value) for n in (*PERSON, "PatientName") if n in item}
            of_item["PatientID"] = values.get("PatientID", "")
            of_item |= {name: values.get(name, "") for name in OF_THE_TRIAL}
            found += [f"{n} in {sequence}" for n in PERSON if not _is_harmless(of_item.get(n, ""), of_item)]
            if _names_a_person(of_item):
                found.append(f"PatientName in {sequence}")
            found += _within(item, values, depth - 1)
    return found


def _is_sequence(tag: Any, vr: str | None) -> bool:
    """vr: as it stands in the file; None where it says none, UN where another program did not know."""
    return vr == "SQ" or (vr in (None, "UN") and DicomDictionary.get(int(tag), ("",))[0] == "SQ")


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def without_dates(text: str) -> tuple[str, bool]:
    """A free text with [date] in the place of whole dates, and whether there was one."""
    masked = _DATE.sub("[date]", text)
    return masked, masked != text


def _is_harmless(value: str, values: dict[str, str]) -> bool:
    return _HARMLESS.fullmatch(value.strip()) is not None or value.strip() == values.get("PatientID", "")


def _names_a_person(values: dict[str, str]) -> bool:
    """Whether a part of PatientName is a word that neither the identifier nor the trial explains."""
    known = " ".join(values.get(name, "") for name in ("PatientID", *OF_THE_TRIAL)).lower()
    parts = [p for p in re.split(r"[\^=\s,_]+", values.get("PatientName", "")) if p]
    return any(
        _HARMLESS.fullmatch(p) is None and not any(c.isdigit() for c in p) and p.lower() not in known for p in parts
    )
