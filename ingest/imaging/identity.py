"""Does a DICOM header look as if it named a person?

Structured elements alone are looked at, not pixels, and their values are never repeated: a finding names the element.
Rules follow the elements that DICOM PS3.15 Annex E removes; a study takes such files only when its settings say so.
"""

from __future__ import annotations

import re

PERSON = (
    "PatientBirthDate", "PatientBirthTime", "PatientBirthName", "PatientMotherBirthName", "OtherPatientIDs",
    "OtherPatientNames", "OtherPatientIDsSequence", "PatientAddress", "PatientTelephoneNumbers",
    "PatientTelecomInformation", "PatientInsurancePlanCodeSequence", "InsurancePlanIdentification",
    "MedicalRecordLocator", "MilitaryRank", "BranchOfService", "CountryOfResidence", "RegionOfResidence",
    "Occupation", "ResponsiblePerson", "ResponsibleOrganization", "ReferringPhysicianName",
    "ReferringPhysicianAddress", "ReferringPhysicianTelephoneNumbers", "ConsultingPhysicianName",
    "PerformingPhysicianName", "PhysiciansOfRecord", "NameOfPhysiciansReadingStudy", "RequestingPhysician",
    "OperatorsName", "ScheduledPerformingPhysicianName", "NamesOfIntendedRecipientsOfResults",
)  # fmt: skip
PLACE = ("InstitutionName", "InstitutionAddress")  # harmless once the file says that identities were removed
FLAGS = ("PatientIdentityRemoved", "BurnedInAnnotation")
OF_THE_TRIAL = ("ClinicalTrialSubjectID", "ClinicalTrialProtocolID", "ClinicalTrialProtocolName")
ELEMENTS = ("PatientName", "PatientID", *OF_THE_TRIAL, *PERSON, *PLACE, *FLAGS)

_HARMLESS = re.compile(
    r"(anon\w*|unknown|unnamed|none|removed|deleted|deidentified|de-identified|n/?a|not available|phantom|test|"
    r"patient|subject|case|no|name|x+|0+|\W*)",
    re.IGNORECASE,
)
_DATE = re.compile(r"(?<!\d)(?:\d{1,2}[./-]\d{1,2}[./-](?:19|20)\d{2}|(?:19|20)\d{2}[./-]?[01]\d[./-]?[0-3]\d)(?!\d)")


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
