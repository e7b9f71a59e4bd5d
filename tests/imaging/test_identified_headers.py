"""Headers that look identified: each is refused by the name of the element, in one line that repeats no value.
Persons are invented."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from ingest.imaging.headers import digest_and_header
from ingest.imaging.unreadable import Unreadable
from ingest.simulate.dicom_files import Geometry, Series, slice_dataset, write

NAME = "Mustermann^Erika"
NAMES = """
    PatientName ReferringPhysicianName ConsultingPhysicianName PhysiciansOfRecord PerformingPhysicianName
    NameOfPhysiciansReadingStudy
    OperatorsName RequestingPhysician ScheduledPerformingPhysicianName ResponsiblePerson PatientBirthName PatientMotherBirthName
    OtherPatientNames PersonName VerifyingObserverName HumanPerformerName OrderEnteredBy ReviewerName DistributionName
    IntendedRecipientsOfResultsIdentificationSequence EvaluatorName InterpretationTranscriber InterpretationAuthor
    InterpretationRecorder
    PhysicianApprovingInterpretation NamesOfIntendedRecipientsOfResults EthicsCommitteeApprovalEffectivenessStartDate
""".split()
HEADERS = {
    **{n: {n: NAME} for n in NAMES if pydicom.datadict.dictionary_VR(n) == "PN"},
    "a name of two words": {"PatientName": "ERIKA MUSTERMANN"},
    "a name with a number": {"PatientName": "Mustermann^Erika^2"},
    "a name beside the identifier": {"PatientName": "SIM-0009 Mustermann"},
    "a name in Chinese": {"PatientName": "王^小明", "SpecificCharacterSet": "ISO_IR 192"},
    "PatientBirthDate": {"PatientBirthDate": "19500102"},
    "PatientBirthTime": {"PatientBirthTime": "101500"},
    "OtherPatientIDs": {"OtherPatientIDs": "123-45-6789"},
    "PatientAddress": {"PatientAddress": "Hauptstr. 1, Musterstadt"},
    "PatientTelephoneNumbers": {"PatientTelephoneNumbers": "555 1234567"},
    "PatientTelecomInformation": {"PatientTelecomInformation": "erika@example.org"},
    "InsurancePlanIdentification": {"InsurancePlanIdentification": "A123456789"},
    "MedicalRecordLocator": {"MedicalRecordLocator": "R-1234567"},
    "MilitaryRank": {"MilitaryRank": "Captain"},
    "BranchOfService": {"BranchOfService": "Navy"},
    "CountryOfResidence": {"CountryOfResidence": "Utopia"},
    "RegionOfResidence": {"RegionOfResidence": "North"},
    "Occupation": {"Occupation": "mayor"},
    "ResponsibleOrganization": {"ResponsibleOrganization": "Home of Musterstadt"},
    "PatientReligiousPreference": {"PatientReligiousPreference": "of her own"},
    "ReferringPhysicianAddress": {"ReferringPhysicianAddress": "Am Weg 4"},
    "ReferringPhysicianTelephoneNumbers": {"ReferringPhysicianTelephoneNumbers": "555-1234"},
    "PersonTelephoneNumbers": {"PersonTelephoneNumbers": "555-1234"},
    "OrderCallbackPhoneNumber": {"OrderCallbackPhoneNumber": "555-1234"},
    "InstitutionName": {"InstitutionName": "Klinik Musterstadt", "PatientIdentityRemoved": None},
    "InstitutionAddress": {"InstitutionAddress": "Am Weg 4", "PatientIdentityRemoved": None},
    "an institution of a file that says NO": {"InstitutionName": "Klinik", "PatientIdentityRemoved": "NO"},
    "PatientIdentityRemoved = NO": {"PatientIdentityRemoved": "NO"},
    "BurnedInAnnotation = YES": {"BurnedInAnnotation": "YES"},
    "a doctor in StudyDescription": {"StudyDescription": "MRI for Dr. House"},
    "a patient in SeriesDescription": {"SeriesDescription": "patient name: Erika Mustermann"},
    "a mail address in ProtocolName": {"ProtocolName": "ask erika@example.org"},
    "a record in StudyDescription": {"StudyDescription": "MRN 12345678"},
    "a birth date in SeriesDescription": {"SeriesDescription": "born 02.01.1950"},
    "a woman in ContrastBolusAgent": {"ContrastBolusAgent": "Frau Mustermann"},
}  # fmt: skip
NESTED = {
    "RequestAttributesSequence": {"RequestingPhysician": NAME},
    "ReferencedPatientSequence": {"PatientName": NAME},
    "OtherPatientIDsSequence": {"PatientBirthDate": "19500102"},
    "OriginalAttributesSequence": {"OtherPatientNames": NAME},
    "ReferringPhysicianIdentificationSequence": {"PersonAddress": "Am Weg 4"},
    "PerformingPhysicianIdentificationSequence": {"PersonTelephoneNumbers": "555-1234"},
    "AcquisitionContextSequence": {"PersonName": NAME},
    "ReferencedStudySequence": {"PhysiciansOfRecord": NAME},
    "PerformedProtocolCodeSequence": {"OperatorsName": NAME},
}
DATES = (
    "24 Dec 2003",
    "Dec 24, 2003",
    "24.12.2003",
    "2003-12-24",
    "20031224",
    "24. Dezember 2003",
    "12/24/2003",
    "24-DEC-2003",
)


def file_of(folder: Path, nested: Dataset | None = None, sequence: str = "", **attributes) -> Path:
    series = Series("SIM-0009", "T0", 1, "t1", Geometry(), {"StudyDate": "20010101"})
    made = slice_dataset(series, 1, 0, np.ones((4, 4), np.uint16))
    for name, value in attributes.items():
        if value is None:
            delattr(made, name)
        else:
            setattr(made, name, value)
    if nested is not None:
        setattr(made, sequence, Sequence([nested]))
    write(made, folder / "one.dcm")
    return folder / "one.dcm"


def item(**elements) -> Dataset:
    made = Dataset()
    for name, value in elements.items():
        setattr(made, name, value)
    return made


def refused(path: Path, secrets: list[str]) -> str:
    with pytest.raises(Unreadable, match="de-identified images only") as error:
        digest_and_header(path, accepts_identified=False)
    assert error.value.rule == "dicom.identified"
    assert not any(s in str(error.value) for s in secrets if s not in ("YES", "NO"))
    return str(error.value)


def test_they_are_sixty():
    assert len(HEADERS) + 2 * len(NESTED) >= 60


@pytest.mark.parametrize("header", HEADERS)
def test_a_header_that_looks_identified_is_refused(tmp_path, header):
    attributes = HEADERS[header]
    said = refused(file_of(tmp_path, **attributes), [v for v in attributes.values() if v])
    assert any(name in said for name in attributes)


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("sequence", NESTED)
def test_so_is_one_within_sequences(tmp_path, sequence, depth):
    made = item(**NESTED[sequence])
    for _ in range(depth - 1):
        made = item(**{sequence: Sequence([made])})
    (name,) = NESTED[sequence]
    assert f"{name} in {sequence}" in refused(file_of(tmp_path, made, sequence), list(NESTED[sequence].values()))


@pytest.mark.parametrize("date", DATES)
def test_a_date_in_a_free_text_is_no_longer_there(tmp_path, date):
    _, header = digest_and_header(file_of(tmp_path, SeriesDescription=f"t1 of {date} again"), accepts_identified=False)
    assert header.series["description"] == "t1 of [date] again"
    assert [rule for _, rule, *_ in header.findings] == ["dicom.date-in-text"]


@pytest.mark.parametrize(
    "attributes",
    [
        {"StudyDescription": "BREAST^GENERAL"}, {"SeriesDescription": "t1_fl3d_tra 1.2.840 SPAIR"}, {"ProtocolName": "MR Breast"},
        {"SeriesDescription": "Sag 3D DECUB 2010"}, {"PersonName": "Removed by CTP"}, {"ContentCreatorName": "Reader^One"},
        {"AccessionNumber": "2819497684894126"}, {"SeriesDescription": "MARCH 3 FSE"},
    ],
    ids=lambda a: str(*a.values()),
)  # fmt: skip
def test_what_names_nobody_is_taken(tmp_path, attributes):
    _, header = digest_and_header(file_of(tmp_path, **attributes), accepts_identified=False)
    assert header.findings == []
